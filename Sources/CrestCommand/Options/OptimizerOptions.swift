public import ArgumentParser
public import Crest

/// The optimiser and its settings, apart from the learning rate.
struct OptimizerOptions: ParsableArguments {
  @Option(
    name: .customLong("optimizer"),
    help: ArgumentHelp(
      "The optimiser, with its settings: \(OptimizerOption.usage) (default: \(SGD().name); for a table: "
        + "\(ModelOptions.tableOptimizer)).",
      valueName: "name[:key=value,…]"))
  private var givenOptimizer: String?

  /// Whether the optimiser was given.
  var isOptimizerGiven: Bool { givenOptimizer != nil }

  @Option(
    help: ArgumentHelp(
      "Train parameters that match a pattern by an optimiser of their own, at `rate` times the learning rate (default: 1), "
        + "as in 'head.*=adamw:beta2=0.99,rate=0.1'. May be repeated.",
      valueName: "pattern|pattern…=name[:key=value,…]"))
  var optimizerFor: [MemberOption] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Momentum (β₁ of Adam). Two values are the bounds of a 1cycle schedule, the higher first "
        + "(default: 0.9; with 1cycle 0.95,0.85).",
      valueName: "a[,b]"))
  var momentum: MomentumOption?

  @Flag(help: "Nesterov momentum, with sgd, lars or muon.")
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
      "Augmentations of training images; whatever the list's order, images are cut out, changed in bytes, moved, coloured, "
        + "normalised, and then the rest is done: "
        + "\(NamedAugmentation.all.map(\.usage).joined(separator: ", ")).",
      valueName: "name[:key=value,…],…"))
  var augment: AugmentOption?

  /// The optimiser, or a standard one if none is given; its momentum is the option's first value.
  func makeOptimizer(elseBy standard: String) throws -> any Optimizer {
    var values: [String: OptimizerSetting.Value] = [:]
    if let momentum { values["momentum"] = .number(momentum.first) }
    if nesterov { values["nesterov"] = .flag(true) }
    if let weightDecay { values["weight-decay"] = .number(weightDecay.largest) }
    let first = try OptimizerOption(argument: givenOptimizer ?? standard).make(
      beside: values, decayKind: weightDecayKind, decayTargets: weightDecayOn)
    guard !optimizerFor.isEmpty else { return first }
    return try MultiOptimizer(
      first, optimizerFor.map { try $0.member(decayTargets: weightDecayOn) })
  }

  /// The momentum as an option gives it, or a setting of the optimiser.
  func chosenMomentum() throws(CommandError) -> MomentumOption? {
    if let momentum { return momentum }
    guard let givenOptimizer else { return nil }
    return try OptimizerOption(argument: givenOptimizer).momentum()
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

  init(_ momentum: Double) { (first, second) = (momentum, nil) }

  init?(argument: String) {
    let values = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    guard (1...2).contains(values.count), let first = values[0] else { return nil }
    if values.count == 2, values[1] == nil { return nil }
    self.first = first
    second = values.count == 2 ? values[1] : nil
  }
}
