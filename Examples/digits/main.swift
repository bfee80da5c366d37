import Crest

// 1,797 images of 8 × 8 pixels; a fifth is held out for validation.
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

let learner = try Learner(
  model, data: data, optimizer: SGD(weightDecay: 2e-3), metrics: [Accuracy()],
  callbacks: .standard)

// The learning-rate finder leaves the learner as it was.
print(try learner.findLearningRate().plot.terminal())

try learner.fitOneCycle(epochs: 12, maxLR: 0.3)
print("accuracy:", try learner.evaluate()["accuracy"] ?? .nan)
