// Your own schedule, and those that ship, joined.
import Crest
import Foundation

// The learning rate over the root of the step (Vaswani et al. 2017).
let inverseRoot = Schedule("inverse root", settings: ["peak": 1e-3, "warm-up": 100]) { step, _ in
  let position = Double(step + 1) / 100
  return 1e-3 * min(position, 1 / position.squareRoot())
}

let joined = try Schedule.combined([
  .init(0.1, .linear(from: 0, to: 0.3)), .init(0.9, .cosine(from: 0.3, to: 0)),
])
let callbacks: [any Callback] = [
  ParameterScheduler(inverseRoot), ParameterScheduler(joined, of: .momentum),
]
