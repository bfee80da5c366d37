// A schedule of one's own, as a callback that owns the learning rate, and those that ship, joined.
import Crest
import Foundation

// The learning rate over the root of the step (Vaswani et al. 2017).
final class InverseSquareRoot: Callback {
  let warmUpSteps: Double
  let peak: Double

  init(peak: Double, warmUpSteps: Int) {
    self.peak = peak
    self.warmUpSteps = Double(warmUpSteps)
  }

  var hooks: [Hook] { [.beforeBatch(set)] }
  var owns: Set<Ownership> { [.base(.learningRate)] }

  private func set(_ batch: BatchContext) {
    guard batch.isTraining else { return }
    let step = Double(batch.step + 1)
    batch.learner[.base(.learningRate)] =
      peak * min(step / warmUpSteps, (warmUpSteps / step).squareRoot())
  }
}

let joined = try Schedule.combined([
  .init(0.1, .linear(from: 0, to: 0.3)), .init(0.9, .cosine(from: 0.3, to: 0)),
])
let callbacks: [any Callback] = [
  InverseSquareRoot(peak: 1e-3, warmUpSteps: 100), ParameterScheduler(joined),
]
