import CrestGraph
import CrestTensor

extension OperatorTable {
  /// Values that are in the file, or follow from a shape.
  static let constants: [String: [OperatorImport]] = [
    "Constant": [OperatorImport(inputs: 0...0) { [try $0.constantNode()] }],
    "ConstantOfShape": [
      OperatorImport(inputs: 1...1) { node in
        let value = try node.tensor("value") ?? Tensor(scalar: 0 as Float)
        guard value.elementCount == 1 else {
          throw node.problem(expected: "a value of one element", got: "\(value)")
        }
        let shape = try node.shape(node.integers(0, "sizes"))
        return [try node.builder.filled(shape, with: value)]
      }
    ],
    "Range": [
      OperatorImport(inputs: 3...3) { node in
        let limits = try (0..<3).compactMap { try node.optionalConstant($0, "limits") }
        guard limits.count == 3 else {
          throw node.problem(expected: "a start, a limit and a step", got: "fewer inputs")
        }
        return [try node.builder.range(from: limits[0], to: limits[1], by: limits[2])]
      }
    ],
    "Shape": [
      OperatorImport(inputs: 1...1) { node in
        [
          try node.input(0).shapeVector(
            start: node.integer("start", default: 0), end: node.optionalInteger("end"))
        ]
      }
    ],
    "Size": [
      OperatorImport(inputs: 1...1) { node in
        [try node.input(0).elementCountScalar()]
      }
    ],
  ]
}

extension NodeImport {
  /// The value of a `Constant` node, in whichever attribute it stands.
  fileprivate func constantNode() throws -> Symbol {
    if let tensor = try tensor("value") { return constant(tensor) }
    if let number = try optionalFloat("value_float") {
      return constant(Tensor(scalar: Float(number)))
    }
    if let numbers = try floats("value_floats") { return constant(Tensor(numbers.map(Float.init))) }
    if let number = try optionalInteger("value_int") {
      return constant(Tensor(scalar: Int64(number)))
    }
    if let numbers = try integers("value_ints") {
      return constant(Tensor(numbers.map(Int64.init)))
    }
    throw problem(
      expected: "the attribute value, value_float, value_floats, value_int or value_ints",
      got: node.attributes.map(\.name).joined(separator: ", "))
  }

  /// A shape from sizes that the model computed.
  func shape(_ sizes: [Int]) throws -> Shape {
    guard let shape = Shape(checking: sizes) else {
      throw problem(expected: "sizes of at least 0 whose product can be counted", got: "\(sizes)")
    }
    return shape
  }
}
