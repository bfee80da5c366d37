import CrestGraph
import CrestRuntime

extension ParameterGroup {
  /// Its weights, or its other parameters.
  struct Part {
    /// The ranges in the flat buffers, with adjacent ones merged.
    let ranges: [Range<Int>]
    /// Their weight decay.
    let decay: Double
    fileprivate let areWeights: Bool
    fileprivate let names: [String]

    /// How many numbers the ranges have, padding between parameters included.
    var count: Int { ranges.reduce(0) { $0 + $1.count } }

    /// The parameters, for rules that look at one as a whole.
    func entries(of store: ParameterStore) -> [ParameterStore.Entry] {
      names.compactMap(store.entry(named:)).filter { ($0.role == .weight) == areWeights }
    }
  }

  /// Its weights and its other parameters, as weight decay tells them apart.
  func parts(_ targets: WeightDecay.Targets) -> [Part] {
    let decay = hyperparameters.weightDecay
    return [
      Part(ranges: weightRanges, decay: decay, areWeights: true, names: names),
      Part(
        ranges: otherRanges, decay: targets == .all ? decay : 0, areWeights: false, names: names),
    ]
  }

  /// Runs a fused rule over the group, with its own weight decay.
  func apply(
    _ store: ParameterStore, _ targets: WeightDecay.Targets, engine: Engine, l2: Bool = false,
    rule: (_ decay: Double) -> UpdateRule
  ) {
    let rate = Float(hyperparameters.learningRate)
    for part in parts(targets) {
      let fused = rule(part.decay)
      for range in part.ranges {
        store.update(
          range, learningRate: rate, decay: .l2(l2 ? Float(part.decay) : 0), by: fused, on: engine)
      }
    }
  }
}
