import Crest

/// A few batches of training, on one thread: others have to be waited for on a busy machine.
struct ShortRun {
  /// How many batches are trained.
  static let batchCount = 7

  private let data: DataSplit

  init() throws { data = try DataSource.digits.load() }

  /// Trains with a callback.
  func train(with callback: any Callback) throws {
    let model = try BuiltInModel.make(
      "mlp", input: [1, 8, 8], classes: 10, engine: Engine(threadCount: 1))
    let end = CallbackOf(
      .afterBatch { batch in
        if batch.index + 1 == Self.batchCount { throw Cancel(.fit, reason: "seen enough") }
      }, order: 1000)
    let learner = try Learner(model, data: data, callbacks: [callback, end], prefetch: 0)
    try learner.fit(epochs: 1, learningRate: 0.01)
  }
}
