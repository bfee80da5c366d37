import CrestGraph
import CrestTensor

extension OperatorTable {
  /// What neurons do with their sums.
  static let activations: [String: [OperatorImport]] = [
    "Celu": [
      .unary(since: 12) { node, x in try x.celu(alpha: node.float("alpha", default: 1)) }
    ],
    "Clip": [
      OperatorImport(since: 11, inputs: 1...3) { node in
        [try node.input(0).clipped(minimum: node.optionalInput(1), maximum: node.optionalInput(2))]
      },
      .unary { node, x in
        try x.clipped(
          minimum: node.optionalFloat("min").map { try x.scalar($0) },
          maximum: node.optionalFloat("max").map { try x.scalar($0) })
      },
    ],
    "Elu": [.unary { node, x in try x.elu(alpha: node.float("alpha", default: 1)) }],
    "Gelu": [
      .unary(since: 20) { node, x in
        let approximation = try node.text("approximate", default: "none", of: ["none", "tanh"])
        return try x.gelu(approximation == "tanh" ? .tanh : .none)
      }
    ],
    "Hardmax": softmaxes(others: .choice) { try $0.hardmax(axis: $1) },
    "HardSigmoid": [
      .unary { node, x in
        try x.hardSigmoid(
          alpha: node.float("alpha", default: 0.2), beta: node.float("beta", default: 0.5))
      }
    ],
    "LeakyRelu": [.unary { node, x in try x.leakyRelu(slope: node.float("alpha", default: 0.01)) }],
    "LogSoftmax": softmaxes { try $0.logSoftmax(axis: $1) },
    "Mish": [.unary(since: 18) { _, x in try x.mish() }],
    "PRelu": [
      .binary(since: 7, slots: [1: .parameter(.bias)]) { try $0.parametricRelu(slope: $1) },
      // Then a vector of slopes was by channel.
      .binary(slots: [1: .parameter(.bias)]) { x, slope in
        let isByChannel = slope.shape.rank == 1 && slope.shape[0] > 1 && x.shape.rank > 2
        return try x.parametricRelu(
          slope: isByChannel ? slope.unsqueezed(axes: Array(1..<x.shape.rank - 1)) : slope)
      },
    ],
    "Selu": [
      .unary(since: 6) { node, x in
        try x.selu(
          alpha: node.float("alpha", default: 1.67326319217681884765625),
          gamma: node.float("gamma", default: 1.05070102214813232421875))
      }
    ],
    "Shrink": [
      .unary(since: 9) { node, x in
        try x.shrunk(
          threshold: node.float("lambd", default: 0.5), bias: node.float("bias", default: 0))
      }
    ],
    "Softmax": softmaxes { try $0.softmax(axis: $1) },
    "Softsign": [.unary { _, x in try x.softsign() }],
    "ThresholdedRelu": [
      .unary(since: 10) { node, x in
        try x.thresholdedRelu(alpha: node.float("alpha", default: 1))
      }
    ],
  ]

  /// Until opset 13 all axes from the attribute's on counted as one; since then it names a single one.
  private static func softmaxes(
    others: ParameterSlot = .arithmetic(.bias),
    _ apply: @escaping @Sendable (Symbol, Int) throws -> Symbol
  ) -> [OperatorImport] {
    [
      .unary(since: 13, others: others) { node, x in try apply(x, node.integer("axis", default: -1))
      },
      .unary(others: others) { node, x in
        let axis = try node.integer("axis", default: 1)
        let resolved = axis < 0 ? axis + x.shape.rank : axis
        if resolved == x.shape.rank - 1 { return try apply(x, resolved) }
        return try apply(x.flattened(axis: axis), 1).reshaped(exactlyTo: x.shape)
      },
    ]
  }
}
