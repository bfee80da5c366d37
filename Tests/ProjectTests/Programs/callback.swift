// Your own callback, which runs before the one that stops.
import Crest
import Foundation

final class StopWhenWorse: Callback {
  private var best = Double.infinity
  var hooks: [Hook] { [.afterEpoch(check)] }
  var order: Int { CallbackOrder.stopper - 1 }

  private func check(_ epoch: EpochContext) throws {
    guard let loss = epoch.validation?.loss else { return }
    if loss > best { throw Cancel(.fit, reason: "the validation loss rose to \(loss)") }
    best = loss
  }
}

func train(_ learner: Learner) throws {
  try learner.fitOneCycle(epochs: 3, maxLR: 0.1, callbacks: [StopWhenWorse()])
}
