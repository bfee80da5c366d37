import CrestGraph

extension OperatorTable {
  /// Products of matrices.
  static let matrices: [String: [OperatorImport]] = [
    "Einsum": [
      OperatorImport(since: 12, inputs: 1...Int.max, others: .parameter(.weight)) { node in
        [try node.builder.einsum(node.text("equation"), node.allInputs())]
      }
    ],
    "Gemm": [
      OperatorImport(
        inputs: 2...3,
        slots: [0: .parameter(.weight), 1: .parameter(.weight), 2: .parameter(.bias)]
      ) { node in
        // Before opset 7 it had to be said that C is repeated.
        if node.opset < 7 { _ = try node.flag("broadcast") }
        let operation = Gemm(
          alpha: try node.float("alpha", default: 1), beta: try node.float("beta", default: 1),
          transposesA: try node.flag("transA"), transposesB: try node.flag("transB"))
        let third = [node.optionalInput(2)].compactMap(\.self)
        let inputs = try [node.input(0), node.input(1)] + third
        return try node.builder.apply(operation, inputs)
      }
    ],
    "MatMul": [
      .binary(slots: [0: .parameter(.weight), 1: .parameter(.weight)]) { try $0.matMul($1) }
    ],
  ]
}
