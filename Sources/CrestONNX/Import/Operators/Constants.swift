import CrestGraph
import CrestPlatform
import CrestTensor

// C's mathematics: the importer stays free of Foundation.

extension OperatorTable {
  /// Values that are in the file, or follow from a shape.
  static let constants: [String: [OperatorImport]] = [
    "BlackmanWindow": [window([0.42, 0.5, 0.08])],
    "Constant": [OperatorImport(inputs: 0...0) { [try $0.constantNode()] }],
    "ConstantOfShape": [
      OperatorImport(inputs: 1...1, others: .setting) { node in
        let value = try node.tensor("value") ?? Tensor(scalar: 0 as Float)
        guard value.elementCount == 1 else {
          throw node.problem(expected: "a value of one element", got: "\(value.typeDescription)")
        }
        let shape = try node.shape(node.integers(0, "sizes"))
        return [try node.builder.filled(shape, with: value)]
      }
    ],
    "EyeLike": [
      .unary(since: 9, others: .choice) { node, x in
        try x.identityLike(
          diagonal: node.integer("k", default: 0), elementType: node.elementType("dtype"))
      }
    ],
    "HammingWindow": [window([25.0 / 46, 21.0 / 46])],
    "HannWindow": [window([0.5, 0.5])],
    "NonZero": [
      OperatorImport(since: 9, inputs: 1...1, others: .setting) { node in
        guard let value = try node.optionalConstant(0, "a value") else {
          throw node.problem(expected: "an input", got: "none")
        }
        return [node.constant(value.nonzeroPlaces)]
      }
    ],
    "Range": [
      OperatorImport(inputs: 3...3, others: .setting) { node in
        let limits = try (0..<3).compactMap { try node.optionalConstant($0, "limits") }
        guard limits.count == 3 else {
          throw node.problem(expected: "a start, a limit and a step", got: "fewer inputs")
        }
        return [try node.builder.range(from: limits[0], to: limits[1], by: limits[2])]
      }
    ],
    "Shape": [
      OperatorImport(inputs: 1...1, others: .choice) { node in
        [
          try node.input(0).shapeVector(
            start: node.integer("start", default: 0), end: node.optionalInteger("end"))
        ]
      }
    ],
    "Size": [
      OperatorImport(inputs: 1...1, others: .choice) { node in
        [try node.input(0).elementCountScalar()]
      }
    ],
  ]

  /// A window over a signal: a₀ - a₁ cos(2πk/n) + a₂ cos(4πk/n), and so on.
  private static func window(_ terms: [Double]) -> OperatorImport {
    OperatorImport(since: 17, inputs: 1...1, others: .setting) { node in
      guard let size = try node.optionalIntegers(0, "a size")?.first, (0...1 << 24).contains(size)
      else {
        throw node.problem(expected: "a size of at most \(1 << 24)", got: "none or another")
      }
      let type = try node.elementType("output_datatype") ?? .float32
      guard type.isFloat else {
        throw node.problem(expected: "an output_datatype of floats", got: "\(type)")
      }
      let period = try node.flag("periodic", default: true) ? size : size - 1
      let values = (0..<size).map { place in
        let angle = 2 * Double.pi * Double(place) / Double(max(period, 1))
        return terms.enumerated().reduce(0.0) { sum, term in
          let sign = term.offset % 2 == 0 ? 1.0 : -1.0
          return sum + sign * term.element * cos(Double(term.offset) * angle)
        }
      }
      return [node.constant(Tensor(rounding: values, to: type, shape: [size]))]
    }
  }
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
      throw problem(expected: "sizes of at least 0 whose product fits in 64 bits", got: "\(sizes)")
    }
    return shape
  }
}

extension Tensor {
  /// The index of each element that isn't 0, one a column, in row-major order (ONNX `NonZero`).
  fileprivate var nonzeroPlaces: Tensor {
    let elements = doubles
    let places = elements.indices.filter { elements[$0] != 0 }
    let strides = shape.strides
    let rows = shape.indices.flatMap { axis in
      places.map { Int64($0 / strides[axis] % shape[axis]) }
    }
    return Tensor(rows, shape: [shape.rank, places.count])
  }
}
