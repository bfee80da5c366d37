/// What is to be trained: some of it follows from the results of the rest.
struct Plan {
  let results: Results

  // CIFAR-10

  /// 1cycle to the rate that the range test suggests as a tenth of the loss's minimum.
  static let cycle = Recipe(
    model: "resnet20", data: .thousandOfEachClass, epochs: 20, batchSize: 128,
    augmentations: "crop,flip", weightDecay: "5e-4", policy: .oneCycle, maxRate: "0.33")

  /// Step decay, at rates of which the best one on held-out training images is compared with 1cycle.
  static let steps = ["0.1", "0.3", "0.03", "1"].map {
    cycle.with(\.data, .thousandHeldOut).with(\.policy, .step).with(\.maxRate, $0)
  }

  /// 1cycle on all of CIFAR-10.
  static let wholeSet = cycle.with(\.data, .cifar10)

  /// The step decay that ended best with seed 0, once all have ended, on all of the 10,000 images.
  var bestStep: Recipe? {
    results.best(of: Plan.steps, seed: 0)?.with(\.data, .thousandOfEachClass)
  }

  /// Step decay on all of the 10,000 images, measured by the test set, for the drawing.
  static let testedSteps = steps.map { $0.with(\.data, .thousandOfEachClass) }

  // MNIST

  /// The row of Smith's table: LeNet in 12 epochs (arXiv:1803.09820, table 1).
  static let smith = Recipe(
    model: "lenet", data: .mnist, epochs: 12, batchSize: 512, weightDecay: "5e-4",
    policy: .smith, maxRate: "0.1")

  private static let heldOut = smith.with(\.data, .mnistHeldOut)
  private static let cropped = heldOut.with(\.augmentations, "crop")

  /// What the search begins with.
  static let firstCandidates = [
    heldOut,
    heldOut.with(\.policy, .oneCycle),
    heldOut.with(\.maxRate, "0.03"),
    cropped,
    cropped.with(\.batchSize, 128),
    cropped.with(\.batchSize, 128).with(\.maxRate, "0.05"),
    cropped.with(\.batchSize, 128).with(\.policy, .oneCycle),
    cropped.with(\.batchSize, 128).with(\.policy, .oneCycle).with(\.maxRate, "0.05"),
  ]

  /// The best of the first ones with other weight decays.
  var secondCandidates: [Recipe] {
    guard let best = results.best(of: Plan.firstCandidates, seed: 0) else { return [] }
    return ["1e-4", "1e-3"].map { best.with(\.weightDecay, $0) }
  }

  /// The best candidate, on the whole training set.
  var found: Recipe? {
    let second = secondCandidates
    return second.isEmpty
      ? nil
      : results.best(of: Plan.firstCandidates + second, seed: 0)?.with(\.data, .mnist)
  }

  /// Schedules that don't rise, at rates of which the best one on held-out images is trained on all.
  static let constants = ["0.01", "0.03", "0.1"].map {
    heldOut.with(\.policy, .constant).with(\.maxRate, $0)
  }
  static let decays = ["0.03", "0.1"].map { heldOut.with(\.policy, .step).with(\.maxRate, $0) }

  var constant: Recipe? { results.best(of: Plan.constants, seed: 0)?.with(\.data, .mnist) }
  var decay: Recipe? { results.best(of: Plan.decays, seed: 0)?.with(\.data, .mnist) }

  // Fashion-MNIST

  /// Rates 3 apart around the peak of the range test, each schedule with as many of them; none looks at the test set.
  private static let fashion = smith.with(\.data, .fashionHeldOut)
  static let fashionCandidates = [Policy.smith, .cosine, .constant, .step].map { policy in
    ["0.015", "0.05", "0.15"].map { fashion.with(\.policy, policy).with(\.maxRate, $0) }
  }

  /// The best of each schedule, on the whole training set; nil before its candidates are done, or when all diverged.
  var fashionBest: [Recipe?] {
    Plan.fashionCandidates.map { results.best(of: $0, seed: 0)?.with(\.data, .fashionMNIST) }
  }

  // Verdicts

  /// Networks and sets with what was expected of them before the runs: a plateau of residuals with batch norm, a peak of
  /// all others.
  static let verdicts = [
    VerdictTest(
      model: "lenet", data: .mnist, weightDecay: "5e-4", expected: .peak, isOfLimits: true),
    VerdictTest(
      model: "lenet", data: .fashionMNIST, weightDecay: "5e-4", expected: .peak, isOfLimits: true),
    VerdictTest(
      model: "resnet20", data: .thousandOfEachClass, expected: .plateau, isOfLimits: true),
    VerdictTest(model: "mlp", data: .mnist, weightDecay: "5e-4", expected: .peak),
    VerdictTest(model: "mlp", data: .fashionMNIST, weightDecay: "5e-4", expected: .peak),
    VerdictTest(
      model: "lenet", data: .thousandOfEachClass, weightDecay: "5e-4", expected: .peak),
    VerdictTest(model: "small-cnn", data: .fashionMNIST, expected: .peak),
    VerdictTest(model: "small-cnn", data: .thousandOfEachClass, expected: .peak),
    VerdictTest(model: "resnet20", data: .fashionMNIST, expected: .plateau),
    VerdictTest(model: "resnet56", data: .thousandOfEachClass, expected: .plateau),
    VerdictTest(model: "resnet110", data: .thousandOfEachClass, expected: .plateau),
  ]

  // All

  static let seeds = [0, 1, 2]
  /// Of seeds that no choice was made with.
  static let freshSeeds = [10, 11, 12]

  static let rangeTests =
    seeds.map { FinderTest(recipe: cycle, seed: $0) }
    + [heldOut, cropped, heldOut.with(\.batchSize, 128), cropped.with(\.batchSize, 128)].map {
      FinderTest(recipe: $0, seed: 0)
    }

  /// All that is wanted as far as is known by now, in order.
  var runs: [Run] {
    runs([Plan.cycle], Plan.seeds)
      + runs(Plan.steps, [0]) + runs(Plan.testedSteps, [0]) + runs([bestStep], Plan.seeds)
      + runs([Plan.smith], Plan.seeds)
      + runs(Plan.firstCandidates, [0]) + runs(secondCandidates, [0])
      + runs([found], Plan.freshSeeds)
      + runs(Plan.constants + Plan.decays, [0]) + runs([constant, decay], Plan.seeds)
      + runs([Plan.wholeSet], [0])
      + runs(Plan.fashionCandidates.flatMap(\.self), [0]) + runs(fashionBest, Plan.freshSeeds)
  }

  private func runs(_ recipes: [Recipe?], _ seeds: [Int]) -> [Run] {
    recipes.compactMap(\.self).flatMap { recipe in
      seeds.map { Run(recipe: recipe, seed: $0) }
    }
  }
}
