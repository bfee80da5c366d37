import CrestGraph
import CrestTensor

extension OperatorTable {
  private static let bias: [Int: ParameterSlot] = [0: .arithmetic(.bias), 1: .arithmetic(.bias)]
  private static let scale: [Int: ParameterSlot] = [
    0: .arithmetic(.normalizationScale), 1: .arithmetic(.normalizationScale),
  ]

  /// Arithmetic, comparisons and choices, element by element.
  static let elementwise: [String: [OperatorImport]] = [
    "Add": arithmetic(slots: bias) { try $0 + $1 },
    "And": arithmetic(others: .choice) { try $0.and($1) },
    "Div": arithmetic { try $0 / $1 },
    "Equal": arithmetic(others: .choice) { try $0.equal(to: $1) },
    "Greater": arithmetic(others: .choice) { try $0.greater(than: $1) },
    "GreaterOrEqual": [.binary(since: 12, others: .choice) { try $0.greaterOrEqual(to: $1) }],
    "IsInf": [
      .unary(since: 10, others: .choice) { node, x in
        try x.isInfinite(
          positive: node.flag("detect_positive", default: true),
          negative: node.flag("detect_negative", default: true))
      }
    ],
    "IsNaN": [.unary(since: 9, others: .choice) { _, x in try x.isNaN() }],
    "Less": arithmetic(others: .choice) { try $0.less(than: $1) },
    "LessOrEqual": [.binary(since: 12, others: .choice) { try $0.lessOrEqual(to: $1) }],
    "Max": [folding { try $0.maximum($1) }],
    "Mean": [
      OperatorImport(inputs: 1...Int.max) { node in
        let inputs = try node.allInputs()
        return [try inputs.dropFirst().reduce(inputs[0]) { try $0 + $1 } / Double(inputs.count)]
      }
    ],
    "Min": [folding { try $0.minimum($1) }],
    "Mod": [
      OperatorImport(since: 10, inputs: 2...2, others: .choice) { node in
        [try node.input(0).remainder(node.input(1), followsDividend: node.flag("fmod"))]
      }
    ],
    "Mul": arithmetic(slots: scale) { try $0 * $1 },
    "Or": arithmetic(others: .choice) { try $0.or($1) },
    // The exponent's type may differ since opset 12; the result has the base's.
    "Pow": arithmetic { try $0.power($1.cast(to: $0.elementType)) },
    "Sub": arithmetic(slots: bias) { try $0 - $1 },
    "Sum": [folding { try $0 + $1 }],
    "Where": [
      OperatorImport(since: 9, inputs: 3...3, slots: [0: .choice]) { node in
        let condition = try node.input(0)
        guard condition.elementType == .bool else {
          throw node.problem(expected: "a boolean condition", got: "\(condition.type)")
        }
        return [try node.input(1).selected(where: condition, else: node.input(2))]
      }
    ],
    "Xor": arithmetic(others: .choice) { try $0.xor($1) },
  ].merging(functions, uniquingKeysWith: { special, _ in special })

  /// The operators of one input that are elementwise functions under the same name.
  private static let functions: [String: [OperatorImport]] = Dictionary(
    uniqueKeysWithValues: ElementwiseFunction.allCases.compactMap {
      function -> (String, [OperatorImport])? in
      let row = function.row
      guard row.arity == 1, case .operator(let opset) = row.onnx else { return nil }
      return (
        row.name,
        [
          .unary(since: opset, others: row.isFlat ? .choice : .arithmetic(.bias)) { _, x in
            try x(function)
          }
        ]
      )
    })

  /// An operation of two inputs; before opset 7 the second was repeated only when an attribute asked for
  /// it, from one of the first's axes on.
  private static func arithmetic(
    slots: [Int: ParameterSlot] = [:], others: ParameterSlot = .arithmetic(.bias),
    _ combine: @escaping @Sendable (Symbol, Symbol) throws -> Symbol
  ) -> [OperatorImport] {
    [
      .binary(since: 7, slots: slots, others: others, combine),
      OperatorImport(inputs: 2...2, slots: slots, others: others) { node in
        let (a, b) = try (node.input(0), node.input(1))
        let repeats = try node.flag("broadcast")
        guard let axis = try node.optionalInteger("axis"), repeats, a.shape != b.shape else {
          guard repeats || a.shape == b.shape else {
            throw node.problem(
              expected: "inputs of one shape, or the attribute broadcast",
              got: "\(a.shape) and \(b.shape)")
          }
          return [try combine(a, b)]
        }
        let rest = a.shape.rank - (axis < 0 ? axis + a.shape.rank : axis) - b.shape.rank
        guard rest >= 0 else {
          throw node.problem(
            expected: "an axis of \(a.shape) from which \(b.shape) fits", got: "\(axis)")
        }
        let ones = [Int](repeating: 1, count: rest)
        return [try combine(a, b.reshaped(exactlyTo: Shape(b.shape.dimensions + ones)))]
      },
    ]
  }

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
