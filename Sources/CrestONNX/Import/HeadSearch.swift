import CrestTensor

/// The last product of a model, found from its output.
struct HeadSearch {
  /// An array of the file that a node reads, as it is or transposed.
  struct HeadArray {
    /// Where the array itself is read.
    let edge: InputEdge
    let name: String
    let shape: Shape
    /// The axis of its own that the classes lie along.
    let axis: Int
  }

  struct Head {
    let node: NodeProto
    let weight: HeadArray
    let bias: HeadArray?
    let classes: Int
    /// The names of what it makes, with the bias and before.
    let values: [String]
  }

  private let model: CheckedModel
  private var makers: [String: Int] = [:]
  private let tensors: [String: Shape]

  init(_ model: CheckedModel) {
    self.model = model
    for (place, node) in model.nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { makers[output] = place }
    }
    var tensors = model.initializers.mapValues(\.shape)
    for node in model.nodes where node.operation == "Constant" && node.outputs.count == 1 {
      for attribute in node.attributes {
        if case .tensor(let tensor) = attribute.value { tensors[node.outputs[0]] = tensor.shape }
      }
    }
    self.tensors = tensors
  }

  func maker(of value: String) -> NodeProto? { makers[value].map { model.nodes[$0] } }

  /// The head whose result, bias and all, is `value`.
  func head(making value: String) -> Head? {
    guard let place = makers[value] else { return nil }
    let node = model.nodes[place]
    guard node.domain.isEmpty || node.domain == "ai.onnx" else { return nil }
    switch node.operation {
    case "Gemm":
      return product(at: place, outputAxis: node.isSet("transB") ? 0 : 1, biasInput: 2)
    case "MatMul": return product(at: place, outputAxis: 1, biasInput: nil)
    case "Conv":
      guard let weight = array(place, 1, axis: 0), weight.shape.rank >= 3,
        weight.shape.dropFirst(2).allSatisfy({ $0 == 1 }), node.group == 1
      else { return nil }
      return product(at: place, outputAxis: 0, biasInput: 2)
    case "Add":
      for (data, bias) in [(0, 1), (1, 0)] where node.inputs.count == 2 {
        guard let product = maker(of: node.inputs[data]), product.operation == "MatMul",
          let head = head(making: node.inputs[data]),
          makers[node.inputs[bias]] == nil
            || maker(of: node.inputs[bias])?.operation == "Constant",
          let shape = tensors[node.inputs[bias]]
        else { continue }
        // A bias of one element is the same for any number of classes.
        let own =
          shape.elementCount == 1 && head.classes != 1
          ? nil : array(place, bias, axis: shape.rank - 1)
        guard own == nil || own?.shape.last == head.classes else { return nil }
        return Head(
          node: head.node, weight: head.weight, bias: own, classes: head.classes,
          values: head.values + [value])
      }
      return nil
    default: return nil
    }
  }

  private func product(at place: Int, outputAxis: Int, biasInput: Int?) -> Head? {
    let node = model.nodes[place]
    guard let weight = array(place, 1, axis: outputAxis), let output = node.outputs.first,
      node.operation == "Conv" || weight.shape.rank == 2
    else { return nil }
    let classes = weight.shape[weight.axis]
    var bias: HeadArray?
    if let input = biasInput, node.inputs.count > input, !node.inputs[input].isEmpty {
      guard let shape = tensors[node.inputs[input]] else { return nil }
      if shape.elementCount != 1 || classes == 1 {
        bias = array(place, input, axis: shape.rank - 1)
        guard bias?.shape.last == classes else { return nil }
      }
    }
    return Head(node: node, weight: weight, bias: bias, classes: classes, values: [output])
  }

  /// The array that an input is, seen through transposes of matrices.
  private func array(_ place: Int, _ input: Int, axis: Int) -> HeadArray? {
    var (edge, axis) = (InputEdge(node: place, input: input), axis)
    // A chain in a file may be of any length, but no exporter writes more.
    for _ in 0..<4 {
      let node = model.nodes[edge.node]
      guard edge.input < node.inputs.count else { return nil }
      let name = node.inputs[edge.input]
      if let shape = tensors[name] {
        guard shape.indices.contains(axis) else { return nil }
        return HeadArray(edge: edge, name: name, shape: shape, axis: axis)
      }
      guard let maker = makers[name] else { return nil }
      switch model.nodes[maker].operation {
      case "Identity": break
      case "Transpose": axis = 1 - axis
      default: return nil
      }
      edge = InputEdge(node: maker, input: 0)
    }
    return nil
  }

  /// Where the file declares the number of classes: of the head's results, of what follows them, and of
  /// the arrays where they are listed as inputs, too.
  func declaredSizes(
    of head: Head, along axis: Int?, through transparent: Set<String>
  ) -> [HeadReplacement.DeclaredSize] {
    var names = Set(head.values)
    for node in model.nodes where transparent.contains(node.operation) {
      if let input = node.inputs.first, names.contains(input) { names.formUnion(node.outputs) }
    }
    var found: [HeadReplacement.DeclaredSize] = []
    func add(_ value: ValueInfoProto, _ axis: Int?) {
      guard case .tensor(_, let shape?) = value.type else { return }
      let place = axis ?? shape.count - 1
      guard shape.indices.contains(place), shape[place] == .size(Int64(head.classes)) else {
        return
      }
      found.append(HeadReplacement.DeclaredSize(value: value, axis: place))
    }
    let graph = model.proto.graph
    for value in graph.outputs + graph.values where names.contains(value.name) { add(value, axis) }
    for array in [head.weight] + (head.bias.map { [$0] } ?? []) {
      for input in graph.inputs where input.name == array.name { add(input, array.axis) }
    }
    return found
  }

  /// What to say when there is no head.
  func noHead() -> ONNXError {
    var last: [String] = []
    var value = model.outputs[0].name
    while last.count < 3, let node = maker(of: value) {
      last.append("\(node.operation) (\"\(node.label)\")")
      guard let input = node.inputs.first else { break }
      value = input
    }
    return model.headProblem(
      expected:
        "a Gemm, a MatMul or a 1×1 Conv with weights in the file, followed by at most "
        + "a bias, activations, pooling and reshaping",
      got: last.isEmpty
        ? "an output that no node computes"
        : "from the output back " + last.joined(separator: ", "),
      "export the model with its classifier last, or train it with the outputs it has")
  }
}

extension NodeProto {
  /// Whether an integer attribute is there and not 0.
  fileprivate func isSet(_ name: String) -> Bool {
    attributes.contains { attribute in
      if case .int(let number) = attribute.value {
        attribute.name == name && number != 0
      } else {
        false
      }
    }
  }

  /// Into how many parts a convolution splits its channels.
  fileprivate var group: Int64 {
    for attribute in attributes where attribute.name == "group" {
      if case .int(let number) = attribute.value { return number }
    }
    return 1
  }
}
