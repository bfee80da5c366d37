import CrestGraph
import CrestTensor

/// The types of a model's inputs, but for the batch.
struct InputTypes {
  /// The batch size that the file states; nil when it leaves it open.
  private(set) var declaredBatch: Int?
  static let batchLimit = 1 << 20
  /// The types of one example.
  private(set) var examples: [ValueType] = []
  /// The axis of each input along which the file has the examples.
  private(set) var axes: [Int] = []

  init(
    _ model: CheckedModel, shapes: [String: Shape], axes: [String: Int] = [:]
  ) throws(ONNXError) {
    try Self.check(shapes.keys, of: model, "a shape for another")
    try Self.check(axes.keys, of: model, "a batch axis for another")
    guard !model.inputs.isEmpty else {
      throw .invalid(
        file: model.file,
        ONNXError.ModelProblem(place: "graph", expected: "at least one input", got: "none"))
    }
    for input in model.inputs {
      let declared = try DeclaredInput(
        input, given: shapes[input.name], batchAxis: axes[input.name] ?? 0, file: model.file)
      if let batch = try declared.batch() {
        if let declaredBatch, declaredBatch != batch {
          throw declared.problem(
            expected: "a batch of \(declaredBatch), as other inputs have", got: "\(batch)",
            "export the model with one batch size")
        }
        declaredBatch = batch
      }
      examples.append(try declared.example())
      self.axes.append(declared.batchAxis)
    }
  }

  /// Refuses names that no input has.
  private static func check(
    _ given: some Sequence<String>, of model: CheckedModel, _ got: String
  ) throws(ONNXError) {
    let names = Set(model.inputs.map(\.name))
    guard let other = given.filter({ !names.contains($0) }).min() else { return }
    throw ONNXError(
      model.file, input: other,
      expected: "one of the inputs \(names.sorted().joined(separator: ", "))", got: got,
      "correct the name")
  }

  /// The types of a batch, with the examples along axis 0.
  func types(batch: Int) -> [ValueType] {
    examples.map { ValueType(Shape([batch] + $0.shape.dimensions), $0.elementType) }
  }
}

/// What a file says of an input, and a caller of its examples.
private struct DeclaredInput {
  let batchAxis: Int
  private let name: String
  private let file: String
  private let elementType: ElementType
  private let dimensions: [DimensionProto]
  private let given: Shape?

  init(
    _ input: ValueInfoProto, given: Shape?, batchAxis: Int, file: String
  ) throws(ONNXError) {
    func problem(expected: String, got: String, _ advice: String) -> ONNXError {
      ONNXError(file, input: input.name, expected: expected, got: got, advice)
    }
    guard case .tensor(let dataType, let declared) = input.type,
      let elementType = dataType.elementType
    else {
      throw problem(
        expected: "a tensor of one of the types \(ElementTypeNames.all)", got: input.type.name,
        "export the model with such inputs")
    }
    guard let rank = declared?.count ?? given.map({ $0.rank + 1 }), rank >= 1 else {
      throw problem(
        expected: "a shape with the batch along axis 0", got: "none",
        "export the model with shapes, or give the shape of one example")
    }
    guard (0..<rank).contains(batchAxis) else {
      throw problem(
        expected: "a batch axis from 0 to \(rank - 1), as it has \(rank) axes",
        got: "\(batchAxis)", "correct the axis")
    }
    if let given, given.rank != rank - 1 {
      throw problem(
        expected: "examples of rank \(rank - 1)", got: "shape \(given)",
        "give data that fit the model")
    }
    name = input.name
    self.file = file
    self.elementType = elementType
    self.given = given
    self.batchAxis = batchAxis
    dimensions = declared ?? [DimensionProto](repeating: .unknown, count: rank)
  }

  func problem(expected: String, got: String, _ advice: String) -> ONNXError {
    ONNXError(file, input: name, expected: expected, got: got, advice)
  }

  /// The size that the file states along an axis; nil when it is open, for which some exporters write zero or
  /// a negative number.
  private func size(_ axis: Int) -> Int? {
    guard case .size(let size) = dimensions[axis], size > 0 else { return nil }
    return Int(size)
  }

  /// The batch size that the file states.
  func batch() throws(ONNXError) -> Int? {
    guard let batch = size(batchAxis) else { return nil }
    guard batch <= InputTypes.batchLimit else {
      throw problem(
        expected: "a batch of at most \(InputTypes.batchLimit)", got: "\(batch)",
        "the file is damaged")
    }
    return batch
  }

  /// The type of one example.
  func example() throws(ONNXError) -> ValueType {
    var sizes: [Int] = []
    let others = dimensions.indices.filter { $0 != batchAxis }
    for (place, axis) in others.enumerated() {
      guard let size = size(axis) ?? given?[place] else {
        throw problem(
          expected: "sizes for every axis but "
            + (batchAxis == 0 ? "the first" : "axis \(batchAxis), the batch"),
          got: "axis \(axis) left open" + dimensions[axis].suffix,
          "give the shape of one example, or export the model with that size")
      }
      if let given, given[place] != size {
        throw problem(
          expected: "size \(size) along axis \(axis) (axis \(batchAxis) is the batch)",
          got: "examples of shape \(given)", "give data that fit the model")
      }
      sizes.append(size)
    }
    guard let shape = Shape(checking: sizes), shape.elementCount <= ONNXTrace.elementLimit else {
      throw problem(
        expected: "at most \(ONNXTrace.elementLimit) elements per example", got: "sizes \(sizes)",
        "the file is damaged")
    }
    return ValueType(shape, elementType)
  }
}

extension ONNXError {
  /// What is wrong with an input of a model.
  fileprivate init(
    _ file: String, input: String, expected: String, got: String, _ advice: String
  ) {
    self = .invalid(
      file: file,
      ModelProblem(place: "input \"\(input)\"", expected: expected, got: got, advice: advice))
  }
}

extension TypeProto {
  /// What messages call it.
  var name: String {
    switch self {
    case .unknown: "no type"
    case .tensor(let type, _): "a tensor of \(type.name)"
    case .other(let name): name
    }
  }
}

extension DimensionProto {
  /// The name of an open size, as messages put it.
  fileprivate var suffix: String {
    if case .parameter(let name) = self { " (\"\(name)\")" } else { "" }
  }
}
