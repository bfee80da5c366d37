/// How the learning rate moves, with the momentum that goes with it.
enum Policy: String {
  /// 1cycle with Smith's straight lines, and momentum as in his table on MNIST.
  case smith
  /// 1cycle as `crest train` has it without options, which is fastai's.
  case oneCycle = "one-cycle"
  case constant
  case cosine
  case step

  var arguments: [String] {
    switch self {
    case .smith: ["--momentum", "0.95,0.8", "--style", "smith"]
    case .oneCycle, .constant, .cosine, .step: ["--schedule", rawValue]
    }
  }
}

/// A way to train, without its seed.
struct Recipe: Hashable {
  var model: String
  var data: DataSet
  var epochs: Int
  var batchSize: Int
  var augmentations: String?
  var weightDecay: String
  var policy: Policy
  var maxRate: String

  /// The arguments of `crest`, with the data set as a path in the folder of all of them.
  func arguments(seed: Int) -> [String] {
    ["train", "--model", model, "--data", data.rawValue, "--epochs", "\(epochs)"]
      + ["--batch-size", "\(batchSize)"]
      + (augmentations.map { ["--augment", $0] } ?? [])
      + ["--weight-decay", weightDecay]
      + policy.arguments + ["--max-lr", maxRate, "--seed", "\(seed)"]
  }

  /// The same with something else.
  func with<Value>(_ field: WritableKeyPath<Recipe, Value>, _ value: Value) -> Recipe {
    var copy = self
    copy[keyPath: field] = value
    return copy
  }
}

/// A recipe with a seed: the same one ends with the same bits on the same instruction set.
struct Run: Hashable {
  let recipe: Recipe
  let seed: Int

  /// The command line, by which results are found.
  var command: String { (["crest"] + recipe.arguments(seed: seed)).joined(separator: " ") }
}

/// A run of the learning-rate finder.
struct FinderTest: Hashable {
  let recipe: Recipe
  let seed: Int

  /// The arguments of `crest`: those of the recipe without what the finder doesn't have.
  var arguments: [String] {
    ["find-lr", "--model", recipe.model, "--data", recipe.data.rawValue]
      + ["--batch-size", "\(recipe.batchSize)"]
      + (recipe.augmentations.map { ["--augment", $0] } ?? [])
      + ["--weight-decay", recipe.weightDecay, "--seed", "\(seed)"]
  }

  var command: String { (["crest"] + arguments).joined(separator: " ") }
}

/// A range test whose verdict was foretold.
struct VerdictTest: Hashable {
  /// What was expected before the run, and why.
  enum Expectation: String {
    /// Residuals and batch norm.
    case plateau
    /// No residuals.
    case peak
    /// Nothing speaks for either.
    case open
  }

  let model: String
  let data: DataSet
  var weightDecay = "1e-4"
  let expected: Expectation
  /// Whether the limits of the verdict were read off a curve of this network and data.
  var isOfLimits = false

  /// The arguments of `crest`.
  var arguments: [String] {
    [
      "range-test", "--model", model, "--data", data.rawValue, "--batch-size", "128", "--momentum",
      "0.9", "--weight-decay", weightDecay, "--seed", "0",
    ]
  }

  var command: String { (["crest"] + arguments).joined(separator: " ") }
}
