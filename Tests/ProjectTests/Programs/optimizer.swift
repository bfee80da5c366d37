// An optimiser of one's own, and the settings of those that ship.
import Crest
import Foundation

// signSGD (Bernstein et al. 2018).
struct SignSGD: Optimizer {
  let name = "sign-sgd"
  let defaults = Hyperparameters(learningRate: 1e-3, momentum: 0)
  let momentCount = 0

  func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    store.withBuffer(.gradients) { gradients in
      store.withBuffer(.parameters) { parameters in
        for group in groups {
          let rate = Float(group.hyperparameters.learningRate)
          for range in group.ranges {
            for place in range where gradients[place] != 0 {
              parameters[place] -= gradients[place] > 0 ? rate : -rate
            }
          }
        }
      }
    }
  }
}

let optimizers: [any Optimizer] = [
  SignSGD(), SGD(), AdamW(), try SGD(momentum: 0.95, nesterov: true), try AdamW(weightDecay: 0.05),
]
