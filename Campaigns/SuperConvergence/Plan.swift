/// What is to be trained: some of it follows from the results of the rest.
struct Plan {
  let results: Results

  // CIFAR-10

  /// 1cycle to the rate that the range test suggests as a tenth of the loss's minimum.
  static let cycle = Recipe(
    model: "resnet20", data: .thousandOfEachClass, epochs: 20, batchSize: 128,
    augmentations: "crop,flip", weightDecay: "5e-4", policy: .oneCycle, maxRate: "0.33")

  /// Step decay, at rates of which the best one is compared with 1cycle.
  static let steps = ["0.1", "0.3", "0.03", "1"].map {
    cycle.with(\.policy, .step).with(\.maxRate, $0)
  }

  /// 1cycle on all of CIFAR-10.
  static let wholeSet = cycle.with(\.data, .cifar10)

  /// The step decay that ended best with seed 0, once all have ended.
  var bestStep: Recipe? { results.best(of: Plan.steps, seed: 0) }

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

  // All

  static let seeds = [0, 1, 2]
  /// Of seeds that no choice was made with.
  static let freshSeeds = [10, 11, 12]

  static let rangeTests =
    seeds.map { RangeTest(recipe: cycle, seed: $0) }
    + [heldOut, cropped, heldOut.with(\.batchSize, 128), cropped.with(\.batchSize, 128)].map {
      RangeTest(recipe: $0, seed: 0)
    }

  /// All that is wanted as far as is known by now, in order.
  var runs: [Run] {
    runs([Plan.cycle], Plan.seeds)
      + runs(Plan.steps, [0]) + runs([bestStep], Plan.seeds)
      + runs([Plan.smith], Plan.seeds)
      + runs(Plan.firstCandidates, [0]) + runs(secondCandidates, [0])
      + runs([found], Plan.freshSeeds)
      + runs(Plan.constants + Plan.decays, [0]) + runs([constant, decay], Plan.seeds)
      + runs([Plan.wholeSet], [0])
  }

  private func runs(_ recipes: [Recipe?], _ seeds: [Int]) -> [Run] {
    recipes.compactMap(\.self).flatMap { recipe in
      seeds.map { Run(recipe: recipe, seed: $0) }
    }
  }
}
