import CrestPlatform

extension ElementwiseFunction.Row {
  static let sine: Self = .one("Sin", .operator(), sin) { dy, x, _ in try dy * x.cos() }
  static let cosine: Self = .one("Cos", .operator(), cos) { dy, x, _ in try dy * -x.sin() }
  static let tangent: Self = .one("Tan", .operator(), tan) { dy, _, y in try dy * (y * y + 1) }
  static let arcSine: Self = .one("Asin", .operator(), asin) { dy, x, _ in
    try dy * (1 - x * x).squareRoot().reciprocal()
  }
  static let arcCosine: Self = .one("Acos", .operator(), acos) { dy, x, _ in
    try dy * -((1 - x * x).squareRoot().reciprocal())
  }
  static let arcTangent: Self = .one("Atan", .operator(), atan) { dy, x, _ in
    try dy * (x * x + 1).reciprocal()
  }
  static let hyperbolicSine: Self = .one("Sinh", .operator(), sinh) { dy, x, _ in
    try dy * x.cosh()
  }
  static let hyperbolicCosine: Self = .one("Cosh", .operator(), cosh) { dy, x, _ in
    try dy * x.sinh()
  }
  static let areaSine: Self = .one("Asinh", .operator(), asinh) { dy, x, _ in
    try dy * (x * x + 1).squareRoot().reciprocal()
  }
  static let areaCosine: Self = .one("Acosh", .operator(), acosh) { dy, x, _ in
    try dy * (x * x - 1).squareRoot().reciprocal()
  }
  static let areaTangent: Self = .one("Atanh", .operator(), atanh) { dy, x, _ in
    try dy * (1 - x * x).reciprocal()
  }
}
