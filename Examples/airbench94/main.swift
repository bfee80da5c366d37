import Crest

// 94 % on CIFAR-10 in 10 epochs: K. Jordan's recipe (arXiv:2404.00498).
guard CommandLine.arguments.count == 2 else {
  fatalError("airbench94-example: expected the folder of CIFAR-10's binary version")
}
let data = try DataSource(CommandLine.arguments[1]).load()
let model = try Model(Airbench94(classes: 10), input: [3, 32, 32])

// Offsets of batch norms learn at 64 times the rate, and decay at a 64th of the strength.
let learner = try Learner(
  model, data: data, loss: .crossEntropy(labelSmoothing: 0.2),
  optimizer: SGD(momentum: 0.85, nesterov: true, weightDecay: 1.33e-3, decayTargets: .all),
  metrics: [Accuracy()], callbacks: .standard, batchSize: 1024,
  transforms: [HorizontalFlip(alternating: true), PadAndCrop(padding: 2)],
  groups: .patterns([["*.norm*.bias"]]), weightDecays: .each([1.0 / 64, 1]))

// The first filters whiten patches of the images and stay; their offsets train for 3 epochs.
try learner.whitenPatches(by: "whiten.weight")
try learner.freeze(.matching("whiten.weight"))

try learner.fit(
  epochs: 10,
  callbacks: [
    OneCycleScheduler(maxLR: .each([96, 1.5])) { try OneCycle(maxLR: $0, convention: .airbench) },
    FreezeParameters(.matching("whiten.bias"), from: 3),
    Lookahead.cubic(),
  ])
print("accuracy:", try learner.evaluate()["accuracy"] ?? .nan)
print(
  "accuracy with test-time augmentation:",
  try learner.evaluate(augmentations: .mirrorAndShift)["accuracy"] ?? .nan)
