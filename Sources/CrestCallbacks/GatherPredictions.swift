import CrestLayers
public import CrestRuntime
public import CrestTensor
public import CrestTraining

/// Keeps the predictions, targets and losses of each validation, in the order of the examples.
///
/// They are those of the last validation that was begun, in ``predictions``, ``targets`` and ``losses``. They are part of
/// checkpoints, so that a validation that is resumed half-way gathers all examples.
///
/// fastai's `GatherPredsCallback`, Lightning's `BasePredictionWriter`.
public final class GatherPredictions: StatefulCallback {
  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The predictions, row after row.
    fileprivate var predictions: [Float] = []
    /// The targets, element after element: an integer is exact up to 2⁵³.
    fileprivate var targets: [Double] = []
    /// The losses, one an example.
    fileprivate var losses: [Float] = []
    /// The sizes of a prediction.
    fileprivate var predictionShape: [Int] = []
    /// The sizes of a target.
    fileprivate var targetShape: [Int] = []

    fileprivate var byteCount: Int {
      4 * (predictions.count + losses.count) + 8 * targets.count
    }
  }

  /// The most bytes that it keeps.
  public let limit: Int
  /// All it remembers.
  public var state = State()

  /// Nothing gathered yet.
  ///
  /// - Parameter limit: The most bytes to keep: four for each number of a prediction and each loss, eight for each number
  ///   of a target.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless `limit` is at least 1.
  public init(limit: Int = 1 << 30) throws(CallbackError) {
    try CallbackError.require(
      limit >= 1, "limit", limit, "at least 1 byte", of: "GatherPredictions")
    self.limit = limit
  }

  /// The predictions, [N, …]; logits unless the model ends in an activation.
  public var predictions: Tensor {
    Tensor(state.predictions, shape: Shape([count] + state.predictionShape))
  }
  /// The targets, [N, …], as `float64`.
  public var targets: Tensor { Tensor(state.targets, shape: Shape([count] + state.targetShape)) }
  /// The losses, [N]: of an example with several predictions, their mean.
  public var losses: Tensor { Tensor(state.losses) }
  /// The number of examples.
  public var count: Int { state.losses.count }

  /// Begins with each validation, and gathers its batches.
  public var hooks: [Hook] {
    [
      .beforeFit { [self] _ in state = State() }, .beforeValidate { [self] _ in state = State() },
      .afterLoss(gather),
    ]
  }
  /// After what looks for numbers that aren't finite.
  public var order: Int { CallbackOrder.recorder }
  /// Predictions and losses.
  public var reads: Set<Capture> { [.predictions, .losses] }

  /// Numbers of predictions, targets or losses that don't belong together.
  public func objection(to state: State, in learner: Learner) -> String? {
    func fits(_ values: Int, _ shape: [Int]) -> Bool {
      var size = 1
      for length in shape {
        let (product, overflows) = size.multipliedReportingOverflow(by: length)
        guard length >= 1, !overflows else { return false }
        size = product
      }
      let (expected, overflows) = size.multipliedReportingOverflow(by: state.losses.count)
      return !overflows && values == expected
    }
    return fits(state.predictions.count, state.predictionShape)
      && fits(state.targets.count, state.targetShape) && state.byteCount <= limit
      ? nil : "predictions, targets and losses of the same examples, in at most \(limit) bytes"
  }

  private func gather(_ batch: BatchContext) throws {
    guard !batch.isTraining else { return }
    // Validation begins again.
    if batch.index == 0 { state = State() }
    let count = batch.count
    let predictions = batch.read(.predictions)
    let losses = try Self.means(batch.read(.losses), count: count, callback: name)
    state.predictionShape = Array(predictions.shape.dropFirst())
    state.targetShape = Array(batch.targets.shape.dropFirst())
    state.predictions += predictions.array(as: Float.self)
    state.targets += batch.targets.doubles
    state.losses += losses
    guard state.byteCount <= limit else {
      let gathered = self.count
      let bytes = state.byteCount
      state = State()
      throw CallbackError.outOfRange(
        callback: name, parameter: "limit", value: "\(limit)",
        expected: "at least \(bytes) bytes for the first \(gathered) examples of validation, "
          + "or fewer batches (LimitBatches)")
    }
  }

  /// The mean loss of each example.
  private static func means(
    _ losses: Tensor, count: Int, callback: String
  ) throws(CallbackError) -> [Float] {
    let values = losses.array(as: Float.self)
    guard count > 0, values.count % count == 0, !values.isEmpty else {
      throw .noExampleLosses(callback: callback)
    }
    let size = values.count / count
    return (0..<count).map { row in
      Float(
        values[row * size..<(row + 1) * size].reduce(0) { $0 + Double($1) } / Double(size))
    }
  }
}
