import CrestData
import CrestGraph
import CrestLayers
import CrestTensor

extension Learner {
  /// The data with inputs in the element types that the model takes, where these have all numbers.
  static func converted(_ data: DataSplit, for model: Model) throws -> DataSplit {
    _ = try inputOrder(of: model, for: data.valid)
    return try data.converted(to: inputTypes(of: model, for: data.train))
  }

  /// A set with inputs in the element types that the model takes, where these have all numbers.
  static func converted(_ dataset: any Dataset, for model: Model) throws -> any Dataset {
    try dataset.converted(to: inputTypes(of: model, for: dataset))
  }

  private static func inputTypes(
    of model: Model, for dataset: any Dataset
  ) throws(LearnerError) -> [ElementType] {
    let order = try inputOrder(of: model, for: dataset)
    var types = dataset.inputs.map(\.elementType)
    for (place, input) in model.inputs.enumerated() {
      types[order?[place] ?? place] = input.elementType
    }
    return types
  }

  /// Refuses a model whose examples depend on those beside them: what isn't proved of its graph is tried on
  /// some of the data.
  ///
  /// - Throws: ``LearnerError/rowsTogether(_:isTried:)``; what the model throws.
  static func checkRows(of model: Model, on dataset: any Dataset) throws {
    guard let mixing = try model.rowMixing() else { return }
    guard mixing.kind == .unknown else {
      throw LearnerError.rowsTogether(mixing, isTried: false)
    }
    let order = try inputOrder(of: model, for: dataset)
    var known: [Int: Tensor] = [:]
    for examples in trials(exampleCount: dataset.count, batchSize: model.template.fixedBatchSize) {
      let batch = try dataset.batch(of: examples[...])
      let predictions = try model.predict(ordered(batch.inputs, by: order))
      for (row, example) in examples.enumerated() {
        let prediction = predictions.slice(row..<row + 1, along: 0)
        guard let before = known.updateValue(prediction, forKey: example) else { continue }
        guard prediction.isNear(before) else {
          throw LearnerError.rowsTogether(mixing, isTried: true)
        }
      }
    }
  }

  /// Batches in which some examples come at other places and beside others.
  private static func trials(exampleCount: Int, batchSize: Int?) -> [[Int]] {
    let count = min(exampleCount, 4)
    let sizes = batchSize.map { [$0, $0, $0] } ?? [3, 2, 4]
    return [
      (0..<sizes[0]).map { $0 % count }, (0..<sizes[1]).map { (sizes[1] - $0) % count },
      (0..<sizes[2]).map { $0 % 2 == 0 ? 0 : count - 1 },
    ]
  }
}

extension Tensor {
  /// Whether all elements are as near to those of another tensor as rounding in other orders leaves them.
  fileprivate func isNear(_ other: Tensor) -> Bool {
    zip(doubles, other.doubles).allSatisfy { own, other in
      own == other || own.isNaN && other.isNaN
        || abs(own - other) <= 1e-4 * (1 + max(abs(own), abs(other)))
    }
  }
}
