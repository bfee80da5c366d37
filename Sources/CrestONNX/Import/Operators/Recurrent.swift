import CrestGraph
import CrestTensor

extension OperatorTable {
  /// Layers that go step by step along a sequence.
  static let recurrent: [String: [OperatorImport]] = [
    "GRU": [
      OperatorImport(inputs: 3...6, outputs: 0...2, slots: weights) { node in
        let attributes = try node.recurrentAttributes()
        let isLinear = try node.flag("linear_before_reset")
        let result = try node.input(0).gru(
          node.recurrentInputs(), attributes, activations: node.activations(perDirection: 2),
          isLinearBeforeReset: isLinear)
        return [result.steps, result.hidden]
      }
    ],
    "LSTM": [
      OperatorImport(
        inputs: 3...8, outputs: 0...3, slots: weights.merging([7: .parameter(.bias)]) { $1 }
      ) { node in
        let attributes = try node.recurrentAttributes()
        let couples = try node.flag("input_forget")
        let result = try node.input(0).lstm(
          node.recurrentInputs(), initialCell: node.optionalInput(6),
          peepholes: node.optionalInput(7), attributes,
          activations: node.activations(perDirection: 3), couplesForget: couples)
        return [result.steps, result.hidden, result.cell]
      }
    ],
    "RNN": [
      OperatorImport(inputs: 3...6, outputs: 0...2, slots: weights) { node in
        let attributes = try node.recurrentAttributes()
        let result = try node.input(0).rnn(
          node.recurrentInputs(), attributes, activations: node.activations(perDirection: 1))
        return [result.steps, result.hidden]
      }
    ],
  ]

  private static let weights: [Int: ParameterSlot] = [
    1: .parameter(.weight), 2: .parameter(.weight), 3: .parameter(.bias), 4: .choice,
  ]
}

extension NodeImport {
  private static var stepLimit: Int { 1 << 12 }

  /// The inputs that all recurrent layers share.
  fileprivate func recurrentInputs() throws -> Symbol.RecurrentInputs {
    let recurrent = try input(2)
    if let size = try optionalInteger("hidden_size"), size != recurrent.shape.last {
      throw problem(
        expected: "the attribute hidden_size to be that of the weights \(recurrent.shape)",
        got: "\(size)")
    }
    let sequence = try input(0).shape
    let axis = try flag("layout") ? 1 : 0
    guard sequence.rank != 3 || sequence[axis] <= Self.stepLimit else {
      throw problem(
        expected: "at most \(Self.stepLimit) steps, for each of which the layer is unrolled",
        got: "\(sequence[axis])", advice: "give shorter sequences")
    }
    return Symbol.RecurrentInputs(
      weight: try input(1), recurrentWeight: recurrent, bias: optionalInput(3),
      sequenceLengths: optionalInput(4), initialState: optionalInput(5))
  }

  /// The attributes that all recurrent layers share.
  fileprivate func recurrentAttributes() throws -> Symbol.RecurrentAttributes {
    let name = try text(
      "direction", default: "forward", of: Symbol.RecurrentDirection.allCases.map(\.rawValue))
    guard let direction = Symbol.RecurrentDirection(rawValue: name) else {
      programmerError("\(name) passed for a direction")
    }
    return Symbol.RecurrentAttributes(
      direction: direction, clip: try optionalFloat("clip"), isBatchFirst: try flag("layout"))
  }

  /// The activations of all directions; nil for the usual ones.
  fileprivate func activations(perDirection count: Int) throws -> [Symbol.RecurrentActivation]? {
    let known = [
      "Affine", "Elu", "HardSigmoid", "LeakyRelu", "Relu", "ScaledTanh", "Sigmoid", "Softplus",
      "Softsign", "Tanh", "ThresholdedRelu",
    ]
    // Each activation that has a parameter takes the next one of the list.
    var alphas = try (floats("activation_alpha") ?? [])[...]
    var betas = try (floats("activation_beta") ?? [])[...]
    guard let names = try texts("activations", of: known) else { return nil }
    func alpha(_ usual: Double) -> Double { alphas.popFirst() ?? usual }
    func beta(_ usual: Double) -> Double { betas.popFirst() ?? usual }
    return names.map { name in
      switch name {
      case "Affine": .affine(alpha: alpha(1), beta: beta(0))
      case "Elu": .elu(alpha: alpha(1))
      case "HardSigmoid": .hardSigmoid(alpha: alpha(0.2), beta: beta(0.5))
      case "LeakyRelu": .leakyRelu(alpha: alpha(0.01))
      case "Relu": .relu
      case "ScaledTanh": .scaledTanh(alpha: alpha(1), beta: beta(1))
      case "Sigmoid": .sigmoid
      case "Softplus": .softplus
      case "Softsign": .softsign
      case "Tanh": .tanh
      default: .thresholdedRelu(alpha: alpha(1))
      }
    }
  }
}
