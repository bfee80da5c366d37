import CrestPlatform

extension ElementwiseFunction.Row {
  // At 0 the gradient is 0, as in PyTorch.
  static let relu: Self = .one(
    "Relu", .operator(), { $0.isNaN ? .nan : Swift.max($0, 0) }, whole: { Swift.max($0, 0) }
  ) { dy, _, y in try dy.applying(Elementwise(.reluMask), y) }
  static let sigmoid: Self = .one(
    "Sigmoid", .operator(), { $0 >= 0 ? 1 / (1 + exp(-$0)) : exp($0) / (1 + exp($0)) }
  ) { dy, _, y in try dy * y * (1 - y) }
  static let tanh: Self = .one("Tanh", .operator(), hyperbolicTangent) { dy, _, y in
    try dy * (1 - y * y)
  }
  static let softplus: Self = .one(
    "Softplus", .operator(), { Swift.max($0, 0) + log1p(exp(-$0.magnitude)) }
  ) { dy, x, _ in
    try dy * x.sigmoid()
  }
  // At ±3 the gradient is that of PyTorch.
  static let hardSwish: Self = .one(
    "HardSwish", .operator(since: 14), { $0 * Swift.min(Swift.max($0 / 6 + 0.5, 0), 1) }
  ) { dy, x, _ in
    let (low, high) = (try x.lessMask(x.scalar(-3)), try x.greaterMask(x.scalar(3)))
    let slope = try x.scalar(1).selected(where: high, else: x * (1 / 3) + 0.5)
    return try dy * x.scalar(0).selected(where: low, else: slope)
  }
  static let erf: Self = .one("Erf", .operator(since: 9), errorFunction) { dy, x, _ in
    try dy * ((-(x * x)).exp() * (2 / Double.pi.squareRoot()))
  }
  static let reluMask = Self(
    name: "ReluMask", arity: 2, onnx: .none, types: .floats,
    real: { $0[1] > 0 ? $0[0] : 0 }, whole: nil,
    gradients: [{ dy, x, _ in try dy.applying(Elementwise(.reluMask), x[1]) }, nil])
}

// The C library's functions that cases of the same name hide.
private let hyperbolicTangent: @Sendable (Double) -> Double = { tanh($0) }
private let errorFunction: @Sendable (Double) -> Double = { erf($0) }
