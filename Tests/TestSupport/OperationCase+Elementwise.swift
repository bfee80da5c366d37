import CrestGraph
import CrestTensor

extension OperationCase {
  /// Elementwise operations: each on vectors, and those of several inputs with every broadcast.
  static let elementwise: [OperationCase] = unary + binary + ternary

  private static let unary: [OperationCase] =
    [
      one(Neg(), .uniform(-2...2), roundedOnce),
      one(Exp(), .uniform(-3...3), 1e-6),
      one(Log(), .uniform(0.3...4), 1e-6),
      one(Sqrt(), .uniform(0.3...4), 1e-6),
      one(Reciprocal(), .awayFromZero, 1e-6),
      one(Abs(), .awayFromZero, roundedOnce),
      one(Sign(), .awayFromZero, roundedOnce),
      one(Relu(), .awayFromZero, roundedOnce),
      one(Sigmoid(), .uniform(-5...5), 1e-6),
      one(Tanh(), .uniform(-3...3), 1e-6),
      one(Softplus(), .uniform(-5...5), 1e-6),
      one(Erf(), .uniform(-3...3), 1e-6),
    ].flatMap { $0 } + trigonometric + roundings

  private static let trigonometric: [OperationCase] = Trigonometric.Function.allCases.map {
    function in
    let domain: CaseInput.Domain =
      switch function {
      case .areaCosine: .uniform(1.2...4)
      case .arcCosine, .arcSine, .areaTangent: .uniform(-0.8...0.8)
      case .tangent: .uniform(-1.2...1.2)
      default: .uniform(-3...3)
      }
    return OperationCase(
      Trigonometric(function), function.rawValue, [CaseInput([5, 7], domain)], tolerance: 1e-6)
  }

  // Multiples of ¼ plus ⅛ lie on no step.
  private static let roundings: [OperationCase] = Rounding.Mode.allCases.map {
    OperationCase(
      Rounding($0), $0.rawValue, [CaseInput([37], .spaced(offset: 0.125))],
      tolerance: roundedOnce)
  }

  private static func one(
    _ operation: some CrestGraph.Operation, _ domain: CaseInput.Domain, _ tolerance: Double
  ) -> [OperationCase] {
    [("vector", [37]), ("3-D", [2, 3, 5]), ("scalar", []), ("empty", [0, 3])].map {
      OperationCase(operation, $0, [CaseInput(Shape($1), domain)], tolerance: tolerance)
    }
  }

  private static let binary: [OperationCase] =
    [
      two(Add(), .uniform(-2...2), .uniform(-2...2), roundedOnce),
      two(Sub(), .uniform(-2...2), .uniform(-2...2), roundedOnce),
      two(Mul(), .uniform(-2...2), .uniform(-2...2), 1e-6),
      two(Div(), .uniform(-2...2), .awayFromZero, 1e-6),
      two(Pow(), .uniform(0.4...2), .uniform(-2...2), 2e-6),
      two(Max(), .spaced(offset: 0), .spaced(offset: 0.125), 1e-6),
      two(Min(), .spaced(offset: 0), .spaced(offset: 0.125), 1e-6),
      two(EqualMask(), .spaced(offset: 0), .spaced(offset: 0.125), roundedOnce),
      two(LessMask(), .spaced(offset: 0), .spaced(offset: 0.125), roundedOnce),
      two(GreaterMask(), .spaced(offset: 0), .spaced(offset: 0.125), roundedOnce),
      two(ReluMask(), .uniform(-2...2), .awayFromZero, 1e-6),
    ].flatMap { $0 } + [
      OperationCase(
        EqualMask(), "some equal", [CaseInput([64], .mask), CaseInput([64], .mask)],
        tolerance: roundedOnce, differentiation: .outputs([]))
    ]

  private static func two(
    _ operation: some ElementwiseOperation, _ a: CaseInput.Domain, _ b: CaseInput.Domain,
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
      Select(), "same shapes", [CaseInput([3, 4]), CaseInput([3, 4]), CaseInput([3, 4], .mask)],
      tolerance: 1e-6),
    OperationCase(
      Select(), "broadcast", [CaseInput([]), CaseInput([3, 1]), CaseInput([2, 1, 4], .mask)],
      tolerance: 1e-6),
  ]
}
