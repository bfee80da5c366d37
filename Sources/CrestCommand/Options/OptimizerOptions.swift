public import ArgumentParser
public import Crest

/// The optimiser and its settings, apart from the learning rate.
struct OptimizerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The optimiser: "
        + "\(BuiltInOptimizer.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "name"))
  var optimizer = BuiltInOptimizer.sgd.rawValue

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Momentum (β₁ of Adam). Two values are the bounds of a 1cycle schedule, the higher first "
        + "(default: 0.9; with 1cycle 0.95,0.85).",
      valueName: "a[,b]"))
  var momentum: MomentumOption?

  @Flag(help: "Nesterov momentum, with sgd.")
  var nesterov = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Weight decay (default: the optimiser's own); for parameter groups as with --max-lr.",
      valueName: "x|x,x…"))
  var weightDecay: GroupValuesOption?

  @Option(
    help: ArgumentHelp(
      "The kind of weight decay (default: the optimiser's own).", valueName: "kind"))
  var weightDecayKind: WeightDecay.Kind?

  @Option(help: ArgumentHelp("Which parameters decay.", valueName: "what"))
  var weightDecayOn = WeightDecay.Targets.weights

  @Flag(
    help: ArgumentHelp(
      "Keep the order of the examples. A set without a validation part is then used whole for training "
        + "and for evaluation."))
  var noShuffle = false

  @Option(
    help: ArgumentHelp(
      "Augmentations of training images, in this order: "
        + "\(Augmentation.all.map(\.usage).joined(separator: ", ")).",
      valueName: "name[:key=value,…],…"))
  var augment: AugmentOption?

  /// The optimiser; its momentum is the option's first value.
  func makeOptimizer() throws -> any Optimizer {
    try BuiltInOptimizer.named(optimizer).make(
      momentum: momentum?.first, nesterov: nesterov, weightDecay: weightDecay?.largest,
      decayKind: weightDecayKind,
      decayTargets: weightDecayOn)
  }

  /// The factor of each group for the optimiser's weight decay, which is the largest.
  var weightDecays: ParameterGroup.Values { weightDecay?.scaledToLargest ?? .same(1) }
}

extension WeightDecay.Kind: ExpressibleByArgument {}
extension WeightDecay.Targets: ExpressibleByArgument {}

/// One momentum, or the two ends that a cycle moves between.
struct MomentumOption: ExpressibleByArgument {
  let first: Double
  let second: Double?

  init?(argument: String) {
    let values = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    guard (1...2).contains(values.count), let first = values[0] else { return nil }
    if values.count == 2, values[1] == nil { return nil }
    self.first = first
    second = values.count == 2 ? values[1] : nil
  }
}
