import CrestGraph
import CrestTensor

extension OperatorTable {
  /// Sums, means and extremes over axes.
  static let reductions: [String: [OperatorImport]] = [
    "ArgMax": [
      .unary(others: .choice) { node, x in
        try x.argMax(
          axis: node.integer("axis", default: 0),
          keepingDimension: node.flag("keepdims", default: true),
          takingLast: node.flag("select_last_index"))
      }
    ],
    "ArgMin": [
      .unary(others: .choice) { node, x in
        try x.argMin(
          axis: node.integer("axis", default: 0),
          keepingDimension: node.flag("keepdims", default: true),
          takingLast: node.flag("select_last_index"))
      }
    ],
    "CumSum": [
      OperatorImport(since: 11, inputs: 2...2, slots: [1: .setting]) { node in
        guard let axis = try node.integers(1, "an axis").first else {
          throw node.problem(expected: "an axis", got: "none")
        }
        return [
          try node.input(0).cumulativeSum(
            axis: axis, isExclusive: node.flag("exclusive"), isReversed: node.flag("reverse"))
        ]
      }
    ],
    "ReduceL1": reduction(axesInputSince: 18) {
      try $0.l1Norm(axes: $1, keepingDimensions: $2)
    },
    "ReduceL2": reduction(axesInputSince: 18) {
      try $0.l2Norm(axes: $1, keepingDimensions: $2)
    },
    "ReduceLogSum": reduction(axesInputSince: 18) {
      try $0.logSum(axes: $1, keepingDimensions: $2)
    },
    "ReduceLogSumExp": reduction(axesInputSince: 18) {
      try $0.logSumExp(axes: $1, keepingDimensions: $2)
    },
    "ReduceMax": reduction(axesInputSince: 18) { try $0.max(axes: $1, keepingDimensions: $2) },
    "ReduceMean": reduction(axesInputSince: 18) { try $0.mean(axes: $1, keepingDimensions: $2) },
    "ReduceMin": reduction(axesInputSince: 18) { try $0.min(axes: $1, keepingDimensions: $2) },
    "ReduceProd": reduction(axesInputSince: 18) {
      try $0.product(axes: $1, keepingDimensions: $2)
    },
    "ReduceSumSquare": reduction(axesInputSince: 18) {
      try $0.sumOfSquares(axes: $1, keepingDimensions: $2)
    },
    "ReduceSum": reduction(axesInputSince: 13) { try $0.sum(axes: $1, keepingDimensions: $2) },
    "TopK": [
      OperatorImport(since: 10, inputs: 2...2, outputs: 2...2, slots: [1: .setting]) { node in
        guard let count = try node.integers(1, "a count").first else {
          throw node.problem(expected: "a count", got: "none")
        }
        // Sorted is one of the orders that an unsorted result may have.
        _ = try node.flag("sorted", default: true)
        let result = try node.input(0).topK(
          count, axis: node.integer("axis", default: -1),
          takingLargest: node.flag("largest", default: true))
        return [result.values, result.indices]
      },
      OperatorImport(inputs: 1...1, outputs: 2...2) { node in
        guard let count = try node.optionalInteger("k") else {
          throw node.problem(expected: "the attribute k", got: "none")
        }
        let result = try node.input(0).topK(count, axis: node.integer("axis", default: -1))
        return [result.values, result.indices]
      },
    ],
  ]

  /// A reduction whose axes were an attribute before they became an input.
  private static func reduction(
    axesInputSince version: Int64,
    _ reduce: @escaping @Sendable (Symbol, [Int]?, Bool) throws -> Symbol
  ) -> [OperatorImport] {
    [
      OperatorImport(since: version, inputs: 1...2, slots: [1: .setting]) { node in
        let x = try node.input(0)
        let keeps = try node.flag("keepdims", default: true)
        let keepsAll = try node.flag("noop_with_empty_axes")
        let axes = try node.optionalIntegers(1, "axes")
        if axes?.isEmpty ?? true { return [keepsAll ? x : try reduce(x, nil, keeps)] }
        return [try reduce(x, axes, keeps)]
      },
      OperatorImport(inputs: 1...1) { node in
        [
          try reduce(
            node.input(0), node.integers("axes"), node.flag("keepdims", default: true))
        ]
      },
    ]
  }
}
