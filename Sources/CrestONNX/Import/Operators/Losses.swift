import CrestGraph

extension OperatorTable {
  /// Losses of labels, which a graph may have at its end.
  static let losses: [String: [OperatorImport]] = [
    "NegativeLogLikelihoodLoss": [
      OperatorImport(since: 12, inputs: 2...3, slots: [1: .choice, 2: .choice]) { node in
        [
          try node.input(0).negativeLogLikelihood(
            of: node.input(1), weights: node.optionalInput(2),
            ignoredLabel: node.optionalInteger("ignore_index"), reduction: node.lossReduction())
        ]
      }
    ],
    "SoftmaxCrossEntropyLoss": [
      OperatorImport(
        since: 12, inputs: 2...3, outputs: 1...2, slots: [1: .choice, 2: .choice]
      ) { node in
        let result = try node.input(0).softmaxCrossEntropy(
          of: node.input(1), weights: node.optionalInput(2),
          ignoredLabel: node.optionalInteger("ignore_index"), reduction: node.lossReduction())
        return [result.loss, result.logProbabilities]
      }
    ],
  ]
}

extension NodeImport {
  /// How losses become one.
  fileprivate func lossReduction() throws -> Symbol.LossReduction {
    let name = try text(
      "reduction", default: "mean", of: Symbol.LossReduction.allCases.map(\.rawValue))
    return Symbol.LossReduction(rawValue: name) ?? .mean
  }
}
