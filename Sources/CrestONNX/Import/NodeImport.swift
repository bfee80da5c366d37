import CrestGraph
import CrestTensor

/// A node on its way into a graph: its inputs as traced values, and its attributes.
///
/// Attributes that nobody asked for by the end would change the meaning if they were passed over, so
/// they are refused.
final class NodeImport {
  let node: NodeProto
  /// The version of the node's operator set.
  let opset: Int64
  let builder: GraphBuilder
  private let tensors: TensorReader
  private let inputs: [Symbol?]
  private var attributesRead: Set<String> = []

  init(
    _ node: NodeProto, opset: Int64, builder: GraphBuilder, tensors: TensorReader,
    inputs: [Symbol?]
  ) {
    self.node = node
    self.opset = opset
    self.builder = builder
    self.tensors = tensors
    self.inputs = inputs
  }

  /// A problem of this node, which may be that a value is not known yet.
  func problem(
    expected: String, got: String, advice: String? = nil, unknownValue: String? = nil
  ) -> ImportProblem {
    ImportProblem(
      problem: ONNXError.ModelProblem(place: place, expected: expected, got: got, advice: advice),
      unknownValue: unknownValue)
  }

  /// As in `node "/conv1" (Conv, opset 17)`.
  var place: String { node.place(opset: opset) }

  // MARK: Inputs

  /// The number of inputs, trailing ones that are left out not counted.
  var inputCount: Int { inputs.lastIndex { $0 != nil }.map { $0 + 1 } ?? 0 }

  /// An input that must be there.
  func input(_ place: Int) throws -> Symbol {
    guard let input = optionalInput(place) else {
      throw problem(expected: "an input \(place)", got: "none")
    }
    return input
  }

  /// An input; nil when it is left out.
  func optionalInput(_ place: Int) -> Symbol? { place < inputs.count ? inputs[place] : nil }

  /// All inputs, none of which may be left out.
  func allInputs() throws -> [Symbol] {
    try (0..<inputs.count).map { try input($0) }
  }

  /// The value of an input that must be known before the model runs; nil when it is left out.
  func optionalConstant(_ place: Int, _ what: String) throws -> Tensor? {
    guard let input = optionalInput(place) else { return nil }
    guard let tensor = builder.constantTensor(input) else {
      throw problem(
        expected: "\(what) that follow from constants and shapes",
        got: "input \(place), which depends on data or parameters, or is too expensive to compute",
        advice: "export the model so that shapes and settings don't depend on values",
        unknownValue: node.inputs[place])
    }
    return tensor
  }

  /// The integers of an input; nil when it is left out.
  func optionalIntegers(_ place: Int, _ what: String) throws -> [Int]? {
    guard let tensor = try optionalConstant(place, what) else { return nil }
    guard let integers = tensor.integers else {
      throw problem(expected: "\(what) of an integer type", got: tensor.typeDescription)
    }
    return integers.map(Int.init)
  }

  /// The integers of an input.
  func integers(_ place: Int, _ what: String) throws -> [Int] {
    guard let integers = try optionalIntegers(place, what) else {
      throw problem(expected: "\(what) as input \(place)", got: "none")
    }
    return integers
  }

  /// The number of an input of one element; nil when it is left out.
  func optionalNumber(_ place: Int, _ what: String) throws -> Double? {
    guard let tensor = try optionalConstant(place, what) else { return nil }
    guard tensor.elementCount == 1 else {
      throw problem(expected: "\(what) of one element", got: tensor.typeDescription)
    }
    return tensor.doubles[0]
  }

  // MARK: Attributes

  /// The attribute of a name; nil when the node hasn't it.
  private func attribute(_ name: String) throws -> AttributeProto.Value? {
    attributesRead.insert(name)
    let found = node.attributes.filter { $0.name == name }
    guard found.count <= 1 else {
      throw problem(expected: "the attribute \(name) once", got: "it \(found.count) times")
    }
    return found.first?.value
  }

  private func wrongKind(_ name: String, _ kind: String) -> ImportProblem {
    problem(expected: "the attribute \(name) to be \(kind)", got: "another kind")
  }

  /// An integer; nil when the node hasn't it.
  func optionalInteger(_ name: String) throws -> Int? {
    guard let value = try attribute(name) else { return nil }
    guard case .int(let number) = value else { throw wrongKind(name, "an integer") }
    return Int(number)
  }

  /// A whole number.
  func integer(_ name: String, default: Int) throws -> Int {
    try optionalInteger(name) ?? `default`
  }

  /// An integer that means yes or no.
  func flag(_ name: String, default: Bool = false) throws -> Bool {
    let number = try integer(name, default: `default` ? 1 : 0)
    guard number == 0 || number == 1 else {
      throw problem(expected: "the attribute \(name) to be 0 or 1", got: "\(number)")
    }
    return number == 1
  }

  /// Whole numbers; nil when the node hasn't them.
  func integers(_ name: String) throws -> [Int]? {
    guard let value = try attribute(name) else { return nil }
    guard case .ints(let numbers) = value else { throw wrongKind(name, "a list of integers") }
    return numbers.map(Int.init)
  }

  /// A number; nil when the node hasn't it.
  func optionalFloat(_ name: String) throws -> Double? {
    guard let value = try attribute(name) else { return nil }
    guard case .float(let number) = value else { throw wrongKind(name, "a float") }
    return Double(number)
  }

  /// A number.
  func float(_ name: String, default: Double) throws -> Double {
    try optionalFloat(name) ?? `default`
  }

  /// Numbers; nil when the node hasn't them.
  func floats(_ name: String) throws -> [Double]? {
    guard let value = try attribute(name) else { return nil }
    guard case .floats(let numbers) = value else { throw wrongKind(name, "a list of floats") }
    return numbers.map(Double.init)
  }

  /// A text that is one of `known`.
  func text(_ name: String, default: String, of known: [String]) throws -> String {
    guard let value = try attribute(name) else { return `default` }
    guard case .string(let range) = value else { throw wrongKind(name, "a string") }
    let text = tensors.source.text(in: range)
    guard let text, known.contains(text) else {
      throw problem(
        expected: "the attribute \(name) to be one of \(known.joined(separator: ", "))",
        got: text.map { "\"\($0)\"" } ?? "bytes that are not UTF-8")
    }
    return text
  }

  /// Any text.
  func text(_ name: String) throws -> String {
    guard let value = try attribute(name) else {
      throw problem(expected: "the attribute \(name)", got: "none")
    }
    guard case .string(let range) = value else { throw wrongKind(name, "a string") }
    guard let text = tensors.source.text(in: range) else {
      throw problem(expected: "the attribute \(name) in UTF-8", got: "other bytes")
    }
    return text
  }

  /// Texts, each one of `known`; nil when the node hasn't them.
  func texts(_ name: String, of known: [String]) throws -> [String]? {
    guard let value = try attribute(name) else { return nil }
    guard case .strings(let ranges) = value else { throw wrongKind(name, "a list of strings") }
    return try ranges.map { range in
      let text = tensors.source.text(in: range)
      guard let text, known.contains(text) else {
        throw problem(
          expected: "elements of the attribute \(name) to be among "
            + known.joined(separator: ", "), got: text.map { "\"\($0)\"" } ?? "no UTF-8")
      }
      return text
    }
  }

  /// A tensor; nil when the node hasn't it.
  func tensor(_ name: String) throws -> Tensor? {
    guard let value = try attribute(name) else { return nil }
    guard case .tensor(let proto) = value else { throw wrongKind(name, "a tensor") }
    return try tensors.tensor(proto)
  }

  /// An element type by ONNX's number; nil when the node hasn't it.
  func elementType(_ name: String) throws -> ElementType? {
    guard let number = try optionalInteger(name) else { return nil }
    guard let raw = Int32(exactly: number),
      let type = TensorDataType(rawValue: raw).elementType
    else {
      throw problem(
        expected: "the attribute \(name) to be the number of one of the types "
          + ElementTypeNames.all, got: "\(number)")
    }
    return type
  }

  /// Takes note of an attribute that changes nothing here.
  func ignore(_ name: String) { attributesRead.insert(name) }

  /// Refuses attributes that were not asked for.
  func checkAttributes() throws {
    guard let other = node.attributes.first(where: { !attributesRead.contains($0.name) }) else {
      return
    }
    throw problem(
      expected: attributesRead.isEmpty
        ? "no attributes" : "attributes among \(attributesRead.sorted().joined(separator: ", "))",
      got: "\"\(other.name)\"")
  }

  // MARK: Outputs

  /// Whether something may read an output.
  func wantsOutput(_ place: Int) -> Bool {
    place < node.outputs.count && !node.outputs[place].isEmpty
  }

  /// Refuses an output that can't be given, when something may read it.
  func refuseOutput(_ place: Int, _ what: String) throws {
    guard wantsOutput(place) else { return }
    throw problem(
      expected: "no output \(place) (\(what))", got: "\"\(node.outputs[place])\"",
      advice: "export the model without it")
  }

  /// The value without data that a tensor holds.
  func constant(_ tensor: Tensor) -> Symbol { builder.constant(tensor) }
}

/// A problem on its way to the place that knows the file.
struct ImportProblem: Error {
  let problem: ONNXError.ModelProblem
  /// The value that would have to be known before the model runs, where that is the problem.
  let unknownValue: String?
}
