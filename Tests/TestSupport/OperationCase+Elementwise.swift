import CrestGraph
import CrestTensor

extension OperationCase {
  /// Elementwise operations: each on vectors, and those of several inputs with every broadcast.
  static let elementwise: [OperationCase] = unary + binary + ternary

  private static let unary: [OperationCase] =
    [
      one(Elementwise(.negate), .uniform(-2...2), roundedOnce),
      one(Elementwise(.exponential), .uniform(-3...3), 1e-6),
      one(Elementwise(.logarithm), .uniform(0.3...4), 1e-6),
      one(Elementwise(.squareRoot), .uniform(0.3...4), 1e-6),
      one(Elementwise(.reciprocal), .awayFromZero, 1e-6),
      one(Elementwise(.absolute), .awayFromZero, roundedOnce),
      one(Elementwise(.sign), .awayFromZero, roundedOnce),
      one(Elementwise(.relu), .awayFromZero, roundedOnce),
      one(Elementwise(.sigmoid), .uniform(-5...5), 1e-6),
      one(Elementwise(.tanh), .uniform(-3...3), 1e-6),
      one(Elementwise(.softplus), .uniform(-5...5), 1e-6),
      one(Elementwise(.hardSwish), .uniform(-2.9...2.9), 1e-6),
      one(Elementwise(.erf), .uniform(-3...3), 1e-6),
      one(Elementwise(.gelu), .uniform(-4...4), 1e-6),
      one(Elementwise(.geluTanh), .uniform(-4...4), 1e-6),
      one(Elementwise(.geluSlope), .uniform(-4...4), 1e-6),
      one(Elementwise(.geluTanhSlope), .uniform(-4...4), 1e-6),
    ].flatMap { $0 } + trigonometric + roundings

  private static let trigonometricFunctions: [ElementwiseFunction] = [
    .sine, .cosine, .tangent, .arcSine, .arcCosine, .arcTangent, .hyperbolicSine,
    .hyperbolicCosine, .areaSine, .areaCosine, .areaTangent,
  ]

  private static let trigonometric: [OperationCase] = trigonometricFunctions.map {
    function in
    let domain: CaseInput.Domain =
      switch function {
      case .areaCosine: .uniform(1.2...4)
      case .arcCosine, .arcSine, .areaTangent: .uniform(-0.8...0.8)
      case .tangent: .uniform(-1.2...1.2)
      default: .uniform(-3...3)
      }
    return OperationCase(
      Elementwise(function), "matrix", [CaseInput([5, 7], domain)], tolerance: 1e-6)
  }

  // Multiples of ¼ plus ⅛ lie on no step.
  private static let roundings: [OperationCase] =
    ([.floor, .ceiling, .round] as [ElementwiseFunction]).map {
      OperationCase(
        Elementwise($0), "vector", [CaseInput([37], .spaced(offset: 0.125))],
        tolerance: roundedOnce)
    }

  private static func one(
    _ operation: some GraphOperation, _ domain: CaseInput.Domain, _ tolerance: Double
  ) -> [OperationCase] {
    [("vector", [37]), ("3-D", [2, 3, 5]), ("scalar", []), ("empty", [0, 3])].map {
      OperationCase(operation, $0, [CaseInput(Shape($1), domain)], tolerance: tolerance)
    }
  }

  private static let binary: [OperationCase] =
    [
      two(Elementwise(.add), .uniform(-2...2), .uniform(-2...2), roundedOnce),
      two(Elementwise(.subtract), .uniform(-2...2), .uniform(-2...2), roundedOnce),
      two(Elementwise(.multiply), .uniform(-2...2), .uniform(-2...2), 1e-6),
      two(Elementwise(.divide), .uniform(-2...2), .awayFromZero, 1e-6),
      two(Elementwise(.power), .uniform(0.4...2), .uniform(-2...2), 2e-6),
      two(Elementwise(.maximum), .spaced(offset: 0), .spaced(offset: 0.125), 1e-6),
      two(Elementwise(.minimum), .spaced(offset: 0), .spaced(offset: 0.125), 1e-6),
      two(Elementwise(.equal), .spaced(offset: 0), .spaced(offset: 0.125), roundedOnce),
      two(Elementwise(.less), .spaced(offset: 0), .spaced(offset: 0.125), roundedOnce),
      two(Elementwise(.greater), .spaced(offset: 0), .spaced(offset: 0.125), roundedOnce),
      two(Elementwise(.reluMask), .uniform(-2...2), .awayFromZero, 1e-6),
    ].flatMap { $0 } + [
      OperationCase(
        Elementwise(.equal), "some equal", [CaseInput([64], .mask), CaseInput([64], .mask)],
        tolerance: roundedOnce, differentiation: .outputs([]))
    ]

  private static func two(
    _ operation: Elementwise, _ a: CaseInput.Domain, _ b: CaseInput.Domain,
    _ tolerance: Double
  ) -> [OperationCase] {
    let shapes: [(String, Shape, Shape)] = [
      ("same shapes", [2, 3, 4], [2, 3, 4]), ("row", [3, 5], [5]), ("column", [3, 5], [3, 1]),
      ("scalar left", [], [2, 3]), ("outer", [4, 1], [1, 3]),
      ("channels", [2, 3, 2, 2], [3, 1, 1]),
      ("both ways", [2, 1, 3], [4, 1]), ("empty", [0, 3], [3]),
    ]
    return shapes.map {
      OperationCase(
        operation, $0, [CaseInput($1, a), CaseInput($2, b)], tolerance: tolerance)
    }
  }

  private static let ternary: [OperationCase] = [
    OperationCase(
      Elementwise(.select), "same shapes",
      [CaseInput([3, 4]), CaseInput([3, 4]), CaseInput([3, 4], .mask)],
      tolerance: 1e-6),
    OperationCase(
      Elementwise(.select), "broadcast",
      [CaseInput([]), CaseInput([3, 1]), CaseInput([2, 1, 4], .mask)],
      tolerance: 1e-6),
  ]
}
