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
        + "\(Self.imageRate.short); for a table: \(ModelOptions.tableRate.short)).",
      valueName: Self.rateForm))
  private var givenMaxLR: MaxLROption?

  /// The forms of the rate.
  static let rateForm = "x|auto|range-test|a:b|:b|x,x…"
  /// The rate for photographs.
  static let imageRate = 0.05
  /// Whether the rate was given.
  var isRateGiven: Bool { givenMaxLR != nil }
  @Option(
    help: ArgumentHelp(
      "The learning-rate schedule: \(ScheduleOption.usages.joined(separator: ", ")) (default: one-cycle). Several in "
        + "a row are joined by +, with for=length for all but one, as in warm-up:for=500steps+cosine.",
      valueName: "name[:key=value,…][+…]"))
  var schedule: ScheduleOption?

  @Option(help: ArgumentHelp("An SVG file for a plot of the schedule.", valueName: "file"))
  var plotSchedule: String?

  @Option(
    help: ArgumentHelp(
      "The 1cycle convention (default: \(OneCycle.Convention.fastai.rawValue)).", valueName: "name")
  )
  var style: OneCycle.Convention?

  /// The rate, where only one number can be given.
  func oneRate(elseBy standard: Double) throws(CommandError) -> Double {
    guard let givenMaxLR else { return standard }
    guard case .rates(let option) = givenMaxLR, case .same(let rate) = option.values else {
      throw .rateOfFineTuning
    }
    guard rate > 0, Float(rate).isNormal else { throw .learningRate(rate) }
    return rate
  }

  /// The callback that schedules the learning rate.
  ///
  /// - Parameters:
  ///   - chosen: The rate that was found, if it was to be.
  ///   - standardRate: The rate if none was given.
  ///   - momentum: The momentum option of the optimiser.
  ///   - epochs: The epochs of the run.
  ///   - stepsPerEpoch: The optimiser steps of an epoch.
  /// - Returns: A scheduler of the learning rate and, with 1cycle, of the momentum.
  /// - Throws: What is wrong with the numbers, or with the combination of options.
  func makeScheduler(
    chosen: Double?, elseBy standardRate: Double, momentum: MomentumOption?, epochs: Int,
    stepsPerEpoch: Int
  ) throws -> any ScheduledCallback {
    let schedule = schedule ?? ScheduleOption(argument: ScheduleOption.oneCycle)
    if !schedule.isOneCycle {
      if style != nil { throw CommandError.styleWithout1cycle(schedule: schedule.name) }
      if momentum?.second != nil { throw CommandError.momentumPair(schedule: schedule.name) }
    }
    let rates: ParameterGroup.Values
    switch givenMaxLR ?? .rates(GroupValuesOption(same: standardRate)) {
    case .rates(let option):
      // Parameters are float32.
      for rate in option.numbers where !(rate > 0 && Float(rate).isNormal) {
        throw CommandError.learningRate(rate)
      }
      rates = option.values
    case .automatic(let method):
      guard schedule.isOneCycle else {
        throw CommandError.automaticRate(method, schedule: schedule.name)
      }
      rates = .same(chosen ?? 1)
    }
    func run(_ peak: Double) -> ScheduleOption.Run {
      ScheduleOption.Run(
        peak: peak, epochs: epochs, stepsPerEpoch: stepsPerEpoch, convention: style ?? .fastai)
    }
    guard schedule.isOneCycle else {
      return try ParameterScheduler(schedule.schedule(for: run(rates.last)), rates: rates)
    }
    return try oneCycle(rates, momentum) { rate, momentum in
      try schedule.policy(for: run(rate), momentum: momentum)
    }
  }

  private func oneCycle(
    _ rates: ParameterGroup.Values, _ momentum: MomentumOption?,
    policy: (Double, OneCycle.Momentum?) throws -> OneCycle
  ) throws -> OneCycleScheduler {
    let cycle = try momentum.flatMap { option in
      try option.second.map { try OneCycle.Momentum(high: option.first, low: $0) }
    }
    // A single momentum stays constant.
    return try OneCycleScheduler(
      maxLR: rates, cyclesMomentum: momentum == nil || cycle != nil
    ) { rate in try policy(rate, cycle) }
  }
}

extension ScheduleOptions {
  /// The highest rate, if it is to be found: that of the run to be resumed, or by short runs, which a note tells of.
  func chooseRate(
    for learner: Learner, epochs: Int, callbacks: [any Callback]
  ) throws -> Double? {
    guard case .automatic(let method) = givenMaxLR else { return nil }
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

/// A callback that sets the learning rate by a schedule.
protocol ScheduledCallback: Callback {
  /// The learning rates, of the last group of parameters, in a fit of so many epochs.
  func learningRates(epochCount: Int) -> Schedule
}

extension ParameterScheduler: ScheduledCallback {
  func learningRates(epochCount: Int) -> Schedule { schedule }
}

extension OneCycleScheduler: ScheduledCallback {
  func learningRates(epochCount: Int) -> Schedule { .learningRate(of: policy) }
}

extension ScheduleOptions {
  /// What draws the schedule, if that was asked for, once the number of steps is known.
  func plotting(_ scheduler: any ScheduledCallback) -> [any Callback] {
    guard let plotSchedule else { return [] }
    let draw = Hook.beforeFit { fit in
      let plot = scheduler.learningRates(epochCount: fit.epochCount).plot(steps: fit.stepCount)
      try writeFile(plot.svg(), to: plotSchedule)
    }
    return [CallbackOf(draw, name: "SchedulePlot", order: .max)]
  }
}

extension Learner {
  /// The optimiser steps of an epoch of a fit with `callbacks`.
  func stepsPerEpoch(with callbacks: [any Callback]) -> Int {
    let limits = callbacks.compactMap { ($0 as? LimitBatches)?.training }
    let batches = min(trainLoader.batchCount, limits.min() ?? .max)
    let batchesPerStep = callbacks.lazy.compactMap { ($0 as? GradientAccumulation)?.batches }.first
    return batches == 0 ? 0 : (batches - 1) / (batchesPerStep ?? 1) + 1
  }
}
