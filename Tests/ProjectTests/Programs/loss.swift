// A loss of one's own.
import Crest
import Foundation

let logCosh = Loss("log-cosh", targets: .values) { prediction, target in
  let distance = try prediction - target
  return try distance + (distance * -2).softplus() - log(2)
}

func learner(_ model: Model, _ data: DataSplit) throws -> Learner {
  try Learner(model, data: data, loss: logCosh)
}
