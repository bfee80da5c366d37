import CrestGraph
import CrestRuntime

extension ParameterGroup {
  /// Calls `body` with each parameter, for rules that look at one as a whole.
  ///
  /// - Parameters:
  ///   - store: Where they are.
  ///   - targets: Which parameters decay.
  ///   - body: Gets the parameter, its values and gradients, and its weight decay.
  func forEachParameter(
    of store: ParameterStore, _ targets: WeightDecay.Targets,
    _ body: (
      _ entry: ParameterStore.Entry, _ values: UnsafeMutableBufferPointer<Float>,
      _ gradients: UnsafeMutableBufferPointer<Float>, _ decay: Double
    ) -> Void
  ) {
    store.withBuffer(.parameters) { values in
      store.withBuffer(.gradients) { gradients in
        for name in names {
          guard let entry = store.entry(named: name) else { continue }
          let decays = targets == .all || entry.role == .weight
          body(
            entry, UnsafeMutableBufferPointer(rebasing: values[entry.range]),
            UnsafeMutableBufferPointer(rebasing: gradients[entry.range]),
            decays ? hyperparameters.weightDecay : 0)
        }
      }
    }
  }
}

extension ParameterStore {
  /// Calls `body` with the part of a moment that belongs to a parameter.
  func withMoment(
    _ number: Int, of entry: Entry, _ body: (UnsafeMutableBufferPointer<Float>) -> Void
  ) {
    withBuffer(.moments(number)) { body(UnsafeMutableBufferPointer(rebasing: $0[entry.range])) }
  }
}

extension ParameterGroup {
  /// Runs a fused rule over the group, with its own weight decay.
  func apply(
    _ store: ParameterStore, _ targets: WeightDecay.Targets, engine: Engine, l2: Bool = false,
    rule: (_ decay: Double) -> UpdateRule
  ) {
    let rate = Float(hyperparameters.learningRate)
    func apply(_ ranges: [Range<Int>], _ decay: Double) {
      let fused = rule(decay)
      for range in ranges {
        store.update(
          range, learningRate: rate, decay: .l2(l2 ? Float(decay) : 0), by: fused, on: engine)
      }
    }
    apply(weightRanges, hyperparameters.weightDecay)
    apply(otherRanges, targets == .all ? hyperparameters.weightDecay : 0)
  }
}
