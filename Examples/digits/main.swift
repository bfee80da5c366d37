import Crest

// 1,797 images of 8 × 8 pixels; a fifth of them measures what was learned.
let data = try DataSource.digits.load()
let model = try Model(input: [1, 8, 8]) {
  Conv2D(32, kernel: 3, padding: .same, bias: false)
  BatchNorm()
  ReLU()
  Conv2D(64, kernel: 3, padding: .same, bias: false)
  BatchNorm()
  ReLU()
  MaxPool(2)
  Conv2D(128, kernel: 3, padding: .same, bias: false)
  BatchNorm()
  ReLU()
  GlobalAveragePool()
  Dense(10)
}
print(try model.summary())

let learner = try Learner(model, data: data, metrics: [Accuracy()], callbacks: .standard)

// Which learning rate? Nothing of the learner changes by asking.
let findings = try learner.findLearningRate()
print(findings.plot.terminal())

try learner.fitOneCycle(epochs: 8, maxLR: 0.1)
let result = try learner.evaluate()
print("accuracy on images it has not seen: \(result["accuracy"] ?? .nan)")
