import CrestPlatform
import CrestTensor

extension ElementwiseFunction.Row {
  static let gelu = Self(
    name: "Gelu", arity: 1, onnx: .composed { try $0[0].composedGelu() }, types: .floats,
    real: { x in x[0] * upperTail(-x[0]) }, whole: nil,
    gradients: [{ dy, x, _ in try dy * x[0](.geluSlope) }])
  static let geluTanh = Self(
    name: "GeluTanh", arity: 1, onnx: .composed { try $0[0].composedGeluTanh() }, types: .floats,
    real: { x in x[0] / 2 * (1 + hyperbolicTangent(bend(x[0]))) }, whole: nil,
    gradients: [{ dy, x, _ in try dy * x[0](.geluTanhSlope) }])
  // Φ(x) + x · φ(x); its derivative is φ(x) · (2 - x²).
  static let geluSlope: Self = .one(
    "GeluSlope", .none, { upperTail(-$0) + $0 * exp(-$0 * $0 / 2) / (2 * Double.pi).squareRoot() }
  ) { dy, x, _ in
    try dy * (x * x * -0.5).exp() * (2 - x * x) * (1 / (2 * Double.pi).squareRoot())
  }
  // With T = tanh(u), u = √(2/π) · (x + 0.044715 · x³): (1 + T)/2 + x/2 · (1 - T²) · u′; its derivative is
  // (1 - T²) · (u′ + x/2 · (u″ - 2 · T · u′²)).
  static let geluTanhSlope: Self = .one(
    "GeluTanhSlope", .none,
    { x in
      let tail = 1 / (1 + exp(2 * bend(x.magnitude)))
      return (x < 0 ? tail : 1 - tail)
        + x * 2 * tail * (1 - tail) * root * (1 + 3 * cubic * x * x)
    }
  ) { dy, x, _ in
    let curve = try ((x + cubic * (x * x * x)) * root).tanh()
    let slope = try (x * x * (3 * cubic) + 1) * root
    let bending = try x * (6 * cubic * root)
    return try dy * (1 - curve * curve)
      * (slope + x * 0.5 * (bending - 2 * curve * slope * slope))
  }

}

private let root = (2 / Double.pi).squareRoot()
private let cubic = 0.044715

private func bend(_ x: Double) -> Double { root * (x + cubic * x * x * x) }
/// The part of the normal distribution above x.
private func upperTail(_ x: Double) -> Double { erfc(x / 2.squareRoot()) / 2 }
/// A row of the same name hides the C library's function.
private func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }

extension Symbol {
  /// x · Φ(x) by operations of ONNX's opset 17, as PyTorch exports it.
  func composedGelu() throws -> Symbol { try self * 0.5 * (1 + (self / 2.squareRoot()).erf()) }

  fileprivate func composedGeluTanh() throws -> Symbol {
    let curve = try ((self + 0.044715 * (self * self * self)) * (2 / Double.pi).squareRoot()).tanh()
    return try self * 0.5 * (1 + curve)
  }
}

extension Elementwise {
  /// Gelu in place of a product of x, ½ and 1 + erf(x/√2), in any order, as PyTorch and Keras export it.
  ///
  /// One pass instead of five, and a gradient that keeps x alone.
  package func expanded(_ inputs: [Symbol], mode: Graph.ExecutionMode) throws -> [Symbol]? {
    guard function == .multiply, inputs[0].elementType == .float32 else { return nil }
    let product = Product(of: inputs)
    for factor in product.factors {
      guard let x = factor.argumentOfOneMoreThanErf,
        product.isHalf(of: [x.id, factor.id], shape: x.shape),
        try outputTypes(for: inputs.map(\.type)) == [x.type]
      else { continue }
      return [try x(.gelu)]
    }
    return nil
  }
}

/// Factors of a product of products, at most three deep.
private struct Product {
  /// Each factor, also those that are products of others.
  var factors: [Symbol] = []
  private let operands: [Symbol]

  init(of operands: [Symbol]) {
    self.operands = operands
    func visit(_ symbol: Symbol, depth: Int) {
      factors.append(symbol)
      guard depth > 0, let node = symbol.producer, node.function == .multiply else { return }
      for input in node.inputs { visit(symbol.builder.symbol(input), depth: depth - 1) }
    }
    for operand in operands { visit(operand, depth: 2) }
  }

  /// Whether the product is ½ · those values, each once, and has their shape.
  func isHalf(of values: [Graph.ValueID], shape: Shape) -> Bool {
    var (rest, scale) = (values, 1.0)
    func takes(_ symbol: Symbol, depth: Int) -> Bool {
      if let place = rest.firstIndex(of: symbol.id) {
        rest.remove(at: place)
        return symbol.shape == shape
      }
      if let number = symbol.number {
        scale *= number
        return true
      }
      guard depth > 0, let node = symbol.producer else { return false }
      let inputs = node.inputs.map(symbol.builder.symbol)
      switch node.function {
      case .multiply: return inputs.allSatisfy { takes($0, depth: depth - 1) }
      case .divide:
        guard let divisor = inputs[1].number else { return false }
        scale /= divisor
        return takes(inputs[0], depth: depth - 1)
      default: return false
      }
    }
    return operands.allSatisfy { takes($0, depth: 2) } && rest.isEmpty && scale == 0.5
  }
}

extension Symbol {
  /// The number that this is wherever it is read; nil when it isn't a constant of one element.
  fileprivate var number: Double? {
    guard shape.elementCount == 1, shape.rank <= 1 else { return nil }
    return builder.constantTensor(self)?.doubles.first
  }

  /// x, where this is 1 + erf(x/√2).
  fileprivate var argumentOfOneMoreThanErf: Symbol? {
    guard let sum = producer, sum.function == .add else { return nil }
    let terms = sum.inputs.map(builder.symbol)
    guard let one = terms.firstIndex(where: { $0.number == 1 }),
      let curve = terms[1 - one].producer, curve.function == .erf,
      let scaled = builder.symbol(curve.inputs[0]).producer
    else { return nil }
    let operands = scaled.inputs.map(builder.symbol)
    func isNear(_ number: Double?, _ wanted: Double) -> Bool {
      number.map { ($0 / wanted - 1).magnitude < 1e-6 } ?? false
    }
    switch scaled.function {
    case .divide where isNear(operands[1].number, 2.squareRoot()): return operands[0]
    case .multiply:
      let factor = operands.firstIndex { isNear($0.number, 0.5.squareRoot()) }
      return factor.map { operands[1 - $0] }
    default: return nil
    }
  }
}
