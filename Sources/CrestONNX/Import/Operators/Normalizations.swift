import CrestGraph
import CrestTensor

extension OperatorTable {
  /// Normalisations, and dropout.
  static let normalizations: [String: [OperatorImport]] = [
    "BatchNormalization": [
      OperatorImport(since: 14, inputs: 5...5, outputs: 1...3, slots: batchNormSlots) { node in
        // Whether it trains is up to the mode of the run.
        _ = try node.flag("training_mode")
        return try batchNormalization(node)
      },
      OperatorImport(since: 9, inputs: 5...5, outputs: 1...5, slots: batchNormSlots) { node in
        for place in 3...4 { try node.refuseOutput(place, "saved statistics") }
        return try batchNormalization(node)
      },
      OperatorImport(inputs: 5...5, outputs: 1...5, slots: batchNormSlots) { node in
        // Before opset 7 it said whether it trains, which is up to the mode of the run.
        if node.opset < 7 { _ = try node.flag("is_test") }
        for place in 3...4 { try node.refuseOutput(place, "saved statistics") }
        guard try node.flag("spatial", default: true) else {
          throw node.problem(
            expected: "statistics by channel (spatial 1)", got: "by element (spatial 0)",
            advice: "export the model with opset 9 or newer")
        }
        return try batchNormalization(node)
      },
    ],
    "Dropout": [
      OperatorImport(
        since: 12, inputs: 1...3, outputs: 1...2, slots: [1: .setting, 2: .setting]
      ) { node in
        node.ignore("seed")
        _ = try node.optionalConstant(2, "a training mode")
        return try dropout(node, rate: node.optionalNumber(1, "a ratio") ?? 0.5)
      },
      OperatorImport(inputs: 1...1, outputs: 1...2) { node in
        if node.opset < 7 { _ = try node.flag("is_test") }
        return try dropout(node, rate: node.float("ratio", default: 0.5))
      },
    ],
    "GroupNormalization": [
      // Before opset 21 scale and bias were by group.
      OperatorImport(since: 21, inputs: 3...3, slots: affineSlots) { node in
        node.ignore("stash_type")
        return try groupNormalization(node) { affine, _ in affine }
      },
      OperatorImport(since: 18, inputs: 3...3, slots: affineSlots) { node in
        try groupNormalization(node) { affine, channels in
          guard affine.shape.rank == 1, affine.shape[0] > 0, channels % affine.shape[0] == 0 else {
            return affine
          }
          let size = channels / affine.shape[0]
          return try affine.unsqueezed(axes: [1]).expanded(to: [affine.shape[0], size])
            .reshaped(exactlyTo: [channels])
        }
      },
    ],
    "InstanceNormalization": [
      OperatorImport(inputs: 3...3, slots: affineSlots) { node in
        [
          try node.input(0).instanceNormalized(
            scale: node.input(1), bias: node.input(2),
            epsilon: node.float("epsilon", default: 1e-5))
        ]
      }
    ],
    "LRN": [
      .unary { node, x in
        guard let size = try node.optionalInteger("size") else {
          throw node.problem(expected: "the attribute size", got: "none")
        }
        return try x.locallyNormalized(
          size: size, alpha: node.float("alpha", default: 1e-4),
          beta: node.float("beta", default: 0.75), bias: node.float("bias", default: 1))
      }
    ],
    "LayerNormalization": [
      OperatorImport(since: 17, inputs: 2...3, outputs: 1...3, slots: affineSlots) { node in
        node.ignore("stash_type")
        let (x, scale, bias) = (try node.input(0), try node.input(1), node.optionalInput(2))
        let axis = try node.integer("axis", default: -1)
        let epsilon = try node.float("epsilon", default: 1e-5)
        guard node.wantsOutput(1) || node.wantsOutput(2) else {
          return [try x.layerNormalized(scale: scale, bias: bias, axis: axis, epsilon: epsilon)]
        }
        let result = try x.layerNormalizedWithMoments(
          scale: scale, bias: bias, axis: axis, epsilon: epsilon)
        return [result.y, result.mean, result.inverseDeviation]
      }
    ],
    "RMSNormalization": [
      OperatorImport(since: 23, inputs: 2...2, slots: affineSlots) { node in
        node.ignore("stash_type")
        return [
          try node.input(0).rmsNormalized(
            scale: node.input(1), axis: node.integer("axis", default: -1),
            epsilon: node.float("epsilon", default: 1e-5))
        ]
      }
    ],
    "MeanVarianceNormalization": [
      .unary(since: 9) { node, x in
        try x.meanVarianceNormalized(axes: node.integers("axes") ?? [0, 2, 3])
      }
    ],
  ]

  private static let affineSlots: [Int: ParameterSlot] = [
    1: .parameter(.normalizationScale), 2: .parameter(.normalizationShift),
  ]

  private static let batchNormSlots: [Int: ParameterSlot] = [
    1: .parameter(.normalizationScale), 2: .parameter(.normalizationShift),
    3: .statistic(start: 0), 4: .statistic(start: 1),
  ]

  private static func groupNormalization(
    _ node: NodeImport, byChannel: (Symbol, _ channels: Int) throws -> Symbol
  ) throws -> [Symbol] {
    guard let groups = try node.optionalInteger("num_groups") else {
      throw node.problem(expected: "the attribute num_groups", got: "none")
    }
    let x = try node.input(0)
    let channels = x.shape.rank > 1 ? x.shape[1] : 0
    return [
      try x.groupNormalized(
        groups: groups, scale: byChannel(node.input(1), channels),
        bias: byChannel(node.input(2), channels), epsilon: node.float("epsilon", default: 1e-5))
    ]
  }

  private static func batchNormalization(_ node: NodeImport) throws -> [Symbol] {
    let operation = BatchNormalization(
      epsilon: try node.float("epsilon", default: 1e-5),
      momentum: try node.float("momentum", default: 0.9))
    let inputs = try node.allInputs()
    // A layer that is used twice in one pass goes on from what its first use made of its statistics.
    let current = inputs[3...4].map { node.builder.update(of: $0) ?? $0 }
    let outputs = try node.builder.apply(operation, inputs[..<3] + current)
    for (statistic, value) in zip(inputs[3...4], outputs[1...2]) {
      // What is given at each run is kept by whoever gives it.
      if node.builder.isInput(statistic) { continue }
      guard node.builder.isStatistic(statistic) else {
        throw node.problem(
          expected: "running statistics that are float32 initializers",
          got: "\(statistic.type), which is not")
      }
      node.builder.update(statistic, to: value)
    }
    return outputs
  }

  /// On in training, whatever the file says of the mode: it was exported for one of both.
  private static func dropout(_ node: NodeImport, rate: Double) throws -> [Symbol] {
    let x = try node.input(0)
    if node.node.outputs.count == 2 {
      let (y, mask) = try x.dropoutWithMask(rate)
      return [y, mask]
    }
    return [rate == 0 ? x : try x.dropout(rate)]
  }
}
