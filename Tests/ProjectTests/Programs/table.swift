// A table in a file, and the network for it.
import Crest

let data = try TableFile("people.csv", target: "income").split()
guard let table = data.train.preprocessing.table else { fatalError("no table") }
let model = try Tabular(for: table).model()
let learner = try Learner(
  model, data: data, loss: Tabular.loss(for: table), optimizer: AdamW(), metrics: [Accuracy()])
try learner.fitOneCycle(epochs: 10, maxLR: 0.01)
try model.exportONNX(to: "income.onnx")
