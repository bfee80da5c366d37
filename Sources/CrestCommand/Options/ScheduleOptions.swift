public import ArgumentParser
public import Crest

/// The learning-rate schedule.
struct ScheduleOptions: ParsableArguments {
  @Option(
    name: .customLong("max-lr"), parsing: .unconditional,
    help: ArgumentHelp(
      "The highest learning rate; crest find-lr suggests one. auto: short 1cycle runs find it; range-test: "
        + "a range test does. For parameter groups, from the first "
        + "to the last: a:b, at a constant ratio; :b, b for the last and a tenth of it for all "
        + "others; or one rate each, separated by commas (default for a folder of photographs: "
        + "\(Self.imageRate.short)).",
      valueName: Self.rateForm))
  private var givenMaxLR: MaxLROption?

  /// The forms of the rate.
  static let rateForm = "x|auto|range-test|a:b|:b|x,x…"
  /// The rate for photographs.
  static let imageRate = 0.05
  /// Whether the rate was given.
  var isRateGiven: Bool { givenMaxLR != nil }
  private var maxLR: MaxLROption {
    givenMaxLR ?? .rates(GroupValuesOption(same: Self.imageRate))
  }

  @Option(help: ArgumentHelp("The learning-rate schedule.", valueName: "name"))
  var schedule = ScheduleName.oneCycle

  @Option(
    help: ArgumentHelp(
      "The 1cycle convention (default: \(OneCycle.Convention.fastai.rawValue)).", valueName: "name")
  )
  var style: OneCycle.Convention?

  /// The callback that schedules the learning rate.
  ///
  /// - Parameters:
  ///   - chosen: The rate that was found, if it was to be.
  ///   - momentum: The momentum option of the optimiser.
  ///   - batchesPerEpoch: The steps of an epoch, in which triangular cycles are measured.
  /// - Returns: A scheduler of the learning rate and, with 1cycle, of the momentum.
  /// - Throws: What is wrong with the numbers, or with the combination of options.
  func makeScheduler(
    chosen: Double?, momentum: MomentumOption?, batchesPerEpoch: Int
  ) throws -> any Callback {
    if schedule != .oneCycle {
      if style != nil { throw CommandError.styleWithout1cycle(schedule: schedule.rawValue) }
      if momentum?.second != nil {
        throw CommandError.momentumPair(schedule: schedule.rawValue)
      }
    }
    let rates: ParameterGroup.Values
    switch maxLR {
    case .rates(let option):
      // Parameters are float32.
      for rate in option.numbers where !(rate > 0 && Float(rate).isNormal) {
        throw CommandError.learningRate(rate)
      }
      rates = option.values
    case .automatic(let method):
      guard schedule == .oneCycle else {
        throw CommandError.automaticRate(method, schedule: schedule.rawValue)
      }
      rates = .same(chosen ?? 1)
    }
    let maxLR = rates.last
    func scheduler(_ schedule: Schedule) throws -> ParameterScheduler {
      try ParameterScheduler(schedule, rates: rates)
    }
    return switch schedule {
    case .oneCycle: try oneCycle(rates, momentum)
    case .constant: try scheduler(.constant(maxLR))
    case .flatCosine: try scheduler(.flatCosine(from: maxLR))
    case .cosine: try scheduler(.cosine(from: maxLR, to: 0))
    case .linear: try scheduler(.linear(from: maxLR, to: 0))
    case .triangular:
      try scheduler(.triangular(from: maxLR / 4, to: maxLR, stepsUp: 2 * batchesPerEpoch))
    case .step: try scheduler(.stepDecay(from: maxLR, factor: 0.1, at: [0.5, 0.75]))
    }
  }

  private func oneCycle(
    _ rates: ParameterGroup.Values, _ momentum: MomentumOption?
  ) throws -> OneCycleScheduler {
    let cycle = try momentum.flatMap { option in
      try option.second.map { try OneCycle.Momentum(high: option.first, low: $0) }
    }
    // A single momentum stays constant.
    return try OneCycleScheduler(
      maxLR: rates, cyclesMomentum: momentum == nil || cycle != nil
    ) { rate in try OneCycle(maxLR: rate, convention: style ?? .fastai, momentum: cycle) }
  }
}

extension ScheduleOptions {
  /// The highest rate, if it is to be found: that of the run to be resumed, or by short runs, which a note tells of.
  func chooseRate(
    for learner: Learner, epochs: Int, callbacks: [any Callback]
  ) throws -> Double? {
    guard case .automatic(let method) = maxLR else { return nil }
    if let saved = try FoundRate.saved(among: callbacks) {
      Notes.write("--max-lr \(method.rawValue): the learning rate of the saved run, \(saved.short)")
      return saved
    }
    let choice = try Interruption.around(learner, meanwhile: "the search is ending") {
      try learner.chooseMaxLR(
        by: method, epochs: epochs, callbacks: [ProgressBar(.liveLineOnly)])
    }
    Notes.write("--max-lr \(method.rawValue): \(choice)")
    return choice.maxLR
  }
}

/// The highest learning rate: given, or how it is found.
enum MaxLROption: ExpressibleByArgument {
  case rates(GroupValuesOption)
  case automatic(AutomaticLR)

  init?(argument: String) {
    if let method = AutomaticLR(rawValue: argument) {
      self = .automatic(method)
    } else if let rates = GroupValuesOption(argument: argument) {
      self = .rates(rates)
    } else {
      return nil
    }
  }
}

extension OneCycle.Convention: ExpressibleByArgument {}

/// The schedules that have a name on the command line.
enum ScheduleName: String, CaseIterable, ExpressibleByArgument {
  /// Up and down once, with the momentum moving in the opposite direction.
  case oneCycle = "one-cycle"
  /// Constant.
  case constant
  /// Constant for three quarters of the run, then a cosine down.
  case flatCosine = "flat-cosine"
  /// Half a cosine down to 0.
  case cosine
  /// A straight line down to 0.
  case linear
  /// Up from a quarter and back, in cycles of four epochs (L. N. Smith, arXiv:1506.01186).
  case triangular
  /// A tenth after half of the run, a hundredth after three quarters (He et al., arXiv:1512.03385).
  case step
}
