import CrestGraph
import CrestTensor

extension OperatorTable {
  private static let bias: [Int: ParameterSlot] = [0: .arithmetic(.bias), 1: .arithmetic(.bias)]
  private static let scale: [Int: ParameterSlot] = [
    0: .arithmetic(.normalizationScale), 1: .arithmetic(.normalizationScale),
  ]

  /// Arithmetic, comparisons and choices, element by element.
  static let elementwise: [String: [OperatorImport]] = [
    "Abs": [.unary { _, x in try x.absolute() }],
    "Add": [.binary(slots: bias) { try $0 + $1 }],
    "And": [.binary { try $0.and($1) }],
    "Div": [.binary { try $0 / $1 }],
    "Equal": [.binary { try $0.equal(to: $1) }],
    "Erf": [.unary(since: 9) { _, x in try x.erf() }],
    "Exp": [.unary { _, x in try x.exp() }],
    "Greater": [.binary { try $0.greater(than: $1) }],
    "GreaterOrEqual": [.binary(since: 12) { try $0.greaterOrEqual(to: $1) }],
    "IsNaN": [.unary(since: 9) { _, x in try x.isNaN() }],
    "Less": [.binary { try $0.less(than: $1) }],
    "LessOrEqual": [.binary(since: 12) { try $0.lessOrEqual(to: $1) }],
    "Log": [.unary { _, x in try x.log() }],
    "Max": [folding { try $0.maximum($1) }],
    "Min": [folding { try $0.minimum($1) }],
    "Mod": [
      OperatorImport(since: 10, inputs: 2...2) { node in
        [try node.input(0).remainder(node.input(1), followsDividend: node.flag("fmod"))]
      }
    ],
    "Mul": [.binary(slots: scale) { try $0 * $1 }],
    "Neg": [.unary { _, x in try -x }],
    "Not": [.unary { _, x in try x.not() }],
    "Or": [.binary { try $0.or($1) }],
    "Pow": [
      .binary { x, exponent in
        // The exponent's type may differ since opset 12; the result has the base's.
        try x.power(exponent.cast(to: x.elementType))
      }
    ],
    "Reciprocal": [.unary { _, x in try x.reciprocal() }],
    "Sign": [.unary { _, x in try x.sign() }],
    "Sqrt": [.unary { _, x in try x.squareRoot() }],
    "Sub": [.binary(slots: bias) { try $0 - $1 }],
    "Sum": [folding { try $0 + $1 }],
    "Where": [
      OperatorImport(since: 9, inputs: 3...3) { node in
        let condition = try node.input(0)
        guard condition.elementType == .bool else {
          throw node.problem(expected: "a boolean condition", got: "\(condition.type)")
        }
        return [try node.input(1).selected(where: condition, else: node.input(2))]
      }
    ],
    "Xor": [.binary { try $0.xor($1) }],
  ]

  /// An operation of any number of inputs that is taken two at a time.
  private static func folding(
    _ combine: @escaping @Sendable (Symbol, Symbol) throws -> Symbol
  ) -> OperatorImport {
    OperatorImport(inputs: 1...Int.max) { node in
      let inputs = try node.allInputs()
      return [try inputs.dropFirst().reduce(inputs[0], combine)]
    }
  }
}
