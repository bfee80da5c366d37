import CrestData
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor

extension TrainingLoop {
  /// All that the fit remembers.
  func savedState() throws -> StateValue {
    var fields = try StateValue(
      encoding: SavedFit(
        loop: fit.state.saved, hyperparameters: learner.table,
        rateFactors: learner.trained.rateFactors, tally: tally?.sums))
    fields[SavedFit.metricsField] = try tally?.savedMetrics() ?? .null
    return fields
  }

  /// Reads what was saved.
  ///
  /// - Returns: What puts it back; it can't fail.
  func restoration(
    of saved: StateValue, epochsBegun: Int, at path: StateValue.Path
  ) throws -> () -> Void {
    var fields = saved
    guard case .fields(let all) = saved, let metricState = all[SavedFit.metricsField] else {
      throw StateError.missing(path.appending(SavedFit.metricsField))
    }
    fields[SavedFit.metricsField] = nil
    let state = try fields.decode(SavedFit.self, at: path)
    try state.loop.check(
      batchCount: { [fit, learner] in
        let loader = $0 == .training ? learner.trainLoader : learner.validLoader
        return fit.limited(loader.batchCount, of: $0)
      }, batchesPerStep: fit.batchesPerStep, epochsBegun: epochsBegun,
      hasSums: state.tally != nil, at: path)
    for name in state.loop.reports.keys.sorted() where !roles.isReported(name) {
      throw StateError.unexpected(path.appending("reports").appending(name))
    }
    var trained = learner.trained
    do throws(ParameterError) {
      try trained.setRates(.each(state.rateFactors))
    } catch {
      throw StateError.mistyped(
        path.appending("rateFactors"), expected: "\(learner.parameterGroups.count) rates above 0",
        got: "\(state.rateFactors)")
    }
    let position = state.loop.position
    let metrics = try metrics(
      metricState, expected: position.pass.map(learner.metrics) ?? [],
      at: path.appending(SavedFit.metricsField))
    return { [self, trained] in
      fit.state = state.loop
      entry = position.pass == nil ? nil : position
      learner.table = state.hyperparameters
      learner.trained = trained
      tally = state.tally.map {
        PassTally($0, metrics: metrics, classAxis: learner.metricAxis, now: learner.now)
      }
    }
  }

  private func metrics(
    _ saved: StateValue, expected: [any Metric], at path: StateValue.Path
  ) throws -> [any Metric] {
    switch saved {
    case .null where expected.isEmpty: return []
    case .fields(let fields):
      for name in fields.keys.sorted() where !expected.contains(where: { $0.name == name }) {
        throw StateError.unexpected(path.appending(name))
      }
      return try expected.map { metric in
        guard let field = fields[metric.name] else {
          throw StateError.missing(path.appending(metric.name))
        }
        return try field.decoded(like: metric, at: path.appending(metric.name))
      }
    default:
      throw StateError.mistyped(path, expected: "metrics by name", got: saved.kind)
    }
  }
}

/// What a checkpoint holds of a running fit, but for its metrics, which are of many types.
private struct SavedFit: Codable {
  let loop: LoopState
  let hyperparameters: HyperparameterTable
  /// The learning rate of each group of parameters over that of the last.
  let rateFactors: [Double]
  /// What the running pass has summed up.
  let tally: PassTally.Sums?

  /// The field beside those above.
  static let metricsField = "metrics"

  private enum CodingKeys: CodingKey {
    case hyperparameters, rateFactors, tally
  }

  init(
    loop: LoopState, hyperparameters: HyperparameterTable, rateFactors: [Double],
    tally: PassTally.Sums?
  ) {
    self.loop = loop
    self.hyperparameters = hyperparameters
    self.rateFactors = rateFactors
    self.tally = tally
  }

  init(from decoder: any Decoder) throws {
    loop = try LoopState(from: decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    hyperparameters = try container.decode(HyperparameterTable.self, forKey: .hyperparameters)
    rateFactors = try container.decode([Double].self, forKey: .rateFactors)
    tally = try container.decodeIfPresent(PassTally.Sums.self, forKey: .tally)
  }

  func encode(to encoder: any Encoder) throws {
    try loop.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(hyperparameters, forKey: .hyperparameters)
    try container.encode(rateFactors, forKey: .rateFactors)
    try container.encodeIfPresent(tally, forKey: .tally)
  }
}

extension StateValue {
  /// A metric of the type of `metric`.
  fileprivate func decoded<M: Metric>(like metric: M, at path: Path) throws -> any Metric {
    let saved = try decode(M.self, at: path)
    guard saved.name == metric.name else {
      throw StateError.mistyped(path, expected: metric.name, got: saved.name)
    }
    return saved
  }
}
