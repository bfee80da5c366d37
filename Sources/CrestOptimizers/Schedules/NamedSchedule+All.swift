extension NamedSchedule {
  private static let to = Setting("to", .multiple, "0")
  private static let from = Setting("from", .multiple, "1")

  /// All that have a name.
  package static let all: [NamedSchedule] =
    [
      NamedSchedule(
        "one-cycle",
        [
          Setting("pct", .number, isOptional: true), Setting("div", .number, isOptional: true),
          Setting("final-div", .number, isOptional: true),
          Setting(
            "annealing", .choice(Schedule.Annealing.allCases.map(\.rawValue)), isOptional: true),
        ], pytorch: "OneCycleLR", fastai: "fit_one_cycle"
      ) { (values) throws(ScheduleError) in .learningRate(of: try values.oneCycle(momentum: nil)) },
      NamedSchedule(
        "constant", [Setting("rate", .multiple, "1")], pytorch: "ConstantLR", fastai: "SchedNo"
      ) { (values) throws(ScheduleError) in try .constant(values.rate("rate")) },
      NamedSchedule(
        "flat-cosine", [Setting("flat", .number, "0.75"), Setting("final-div", .number, "100000")],
        fastai: "fit_flat_cos"
      ) { (values) throws(ScheduleError) in
        try .flatCosine(
          from: values.peak, finalDiv: values.number("final-div"),
          flatFraction: values.number("flat"))
      },
      NamedSchedule(
        "cosine", [from, to], pytorch: "CosineAnnealingLR", keras: "CosineDecay", fastai: "SchedCos"
      ) { (values) throws(ScheduleError) in
        try .cosine(from: values.rate("from"), to: values.rate("to"))
      },
      NamedSchedule("linear", [from, to], pytorch: "LinearLR", fastai: "SchedLin") {
        (values) throws(ScheduleError) in
        try .linear(from: values.rate("from"), to: values.rate("to"))
      },
      NamedSchedule(
        "triangular",
        [
          Setting("from", .multiple, "0.25"), Setting("cycle", .length, "4epochs"),
          Setting("scale", .choice(["constant", "halving"]), "constant"),
        ], pytorch: "CyclicLR"
      ) { (values) throws(ScheduleError) in
        try .triangular(
          from: values.rate("from"), to: values.peak, stepsUp: values.halfCycle,
          scale: values.text("scale") == "halving" ? .halving : .constant)
      },
      NamedSchedule(
        "step", [Setting("factor", .number, "0.1"), Setting("at", .parts, "0.5|0.75")],
        pytorch: "MultiStepLR"
      ) { (values) throws(ScheduleError) in try values.stepDecay() },
      NamedSchedule(
        "piecewise", [Setting("values", .multiples), Setting("at", .parts)],
        keras: "PiecewiseConstantDecay"
      ) { (values) throws(ScheduleError) in
        try .piecewiseConstant(
          values.numbers("values").map { $0 * values.peak },
          at: values.lengths("at").map(values.steps))
      },
      NamedSchedule("exponential", [from, Setting("to", .multiple)], fastai: "SchedExp") {
        (values) throws(ScheduleError) in
        try .exponential(from: values.rate("from"), to: values.rate("to"))
      },
    ] + decays + joined

  private static let decays: [NamedSchedule] = [
    NamedSchedule(
      "exponential-decay",
      [
        Setting("factor", .number), Setting("every", .length, "1epochs"),
        Setting("staircase", .flag, "false"),
      ], pytorch: "ExponentialLR, StepLR", keras: "ExponentialDecay"
    ) { (values) throws(ScheduleError) in
      let (factor, every) = (values.number("factor"), values.steps("every"))
      return values.text("staircase") == "true"
        ? try .stepDecay(from: values.peak, factor: factor, every: every)
        : try .exponentialDecay(from: values.peak, factor: factor, every: every)
    },
    NamedSchedule(
      "polynomial", [from, to, Setting("power", .number)], pytorch: "PolynomialLR",
      keras: "PolynomialDecay"
    ) { (values) throws(ScheduleError) in
      try .polynomialDecay(
        from: values.rate("from"), to: values.rate("to"), power: values.number("power"))
    },
    NamedSchedule(
      "inverse-square-root", [Setting("steps", .length)],
      pytorch: "get_inverse_sqrt_schedule"
    ) { (values) throws(ScheduleError) in
      try .inverseSquareRoot(from: values.peak, steps: values.steps("steps"))
    },
    NamedSchedule(
      "inverse-time",
      [
        Setting("rate", .number), Setting("every", .length, "1epochs"),
        Setting("staircase", .flag, "false"),
      ], keras: "InverseTimeDecay"
    ) { (values) throws(ScheduleError) in
      try .inverseTime(
        from: values.peak, rate: values.number("rate"), every: values.steps("every"),
        isStaircase: values.text("staircase") == "true")
    },
    NamedSchedule(
      "tanh", [to, Setting("lower", .number, "-7"), Setting("upper", .number, "3")],
      pytorch: "TanhLRScheduler"
    ) { (values) throws(ScheduleError) in
      try .tanh(
        from: values.peak, to: values.rate("to"), lower: values.number("lower"),
        upper: values.number("upper"))
    },
  ]

  private static let joined: [NamedSchedule] = [
    NamedSchedule(
      "cosine-restarts",
      [
        Setting("cycle", .length), Setting("length-factor", .number, "1"),
        Setting("height-factor", .number, "1"), to,
      ], pytorch: "CosineAnnealingWarmRestarts", keras: "CosineDecayRestarts", fastai: "fit_sgdr"
    ) { (values) throws(ScheduleError) in
      try .cosineRestarts(
        from: values.peak, to: values.rate("to"), cycle: values.steps("cycle"),
        lengthFactor: values.number("length-factor"),
        heightFactor: values.number("height-factor"))
    },
    NamedSchedule("noam", [Setting("warm-up", .length)], pytorch: "NoamLR") {
      (values) throws(ScheduleError) in
      try .noam(peak: values.peak, warmUpSteps: values.steps("warm-up"))
    },
    NamedSchedule(
      "warm-up-stable-decay",
      [
        Setting("warm-up", .part, "0.05"), Setting("decay", .part, "0.2"), to,
        Setting("shape", .choice(Schedule.DecayShape.allCases.map(\.rawValue)), "linear"),
      ], pytorch: "get_wsd_schedule"
    ) { (values) throws(ScheduleError) in
      try .warmUpStableDecay(
        peak: values.peak, warmUp: values.lengths("warm-up")[0],
        decay: values.lengths("decay")[0], to: values.rate("to"),
        shape: values.text("shape").flatMap(Schedule.DecayShape.init) ?? .linear)
    },
    NamedSchedule(
      warmUp,
      [
        Setting("from", .multiple, "0"),
        Setting("shape", .choice(Schedule.Annealing.allCases.map(\.rawValue)), "linear"),
      ], pytorch: "LinearLR in SequentialLR", keras: "CosineDecay(warmup_steps=…)"
    ) { (values) throws(ScheduleError) in
      let peak = values.next?.firstValue ?? values.peak
      return values.text("shape") == Schedule.Annealing.cosine.rawValue
        ? try .cosine(from: values.rate("from"), to: peak)
        : try .linear(from: values.rate("from"), to: peak)
    },
  ]

  /// The name of the one that rises to where the next begins.
  package static let warmUp = "warm-up"
}

extension NamedSchedule.Values {
  /// The policy of a 1cycle schedule.
  package func oneCycle(momentum: OneCycle.Momentum?) throws(ScheduleError) -> OneCycle {
    try OneCycle(
      maxLR: peak, convention: convention, riseFraction: optionalNumber("pct"),
      div: optionalNumber("div"),
      finalDiv: optionalNumber("final-div"),
      annealing: text("annealing").flatMap(Schedule.Annealing.init),
      momentum: momentum)
  }

  /// The steps from the beginning of a cycle to its peak.
  fileprivate var halfCycle: Int { steps("cycle") / 2 }

  fileprivate func stepDecay() throws(ScheduleError) -> Schedule {
    let (factor, points) = (number("factor"), lengths("at"))
    let fractions = points.compactMap { if case .fraction(let part) = $0 { part } else { nil } }
    if fractions.count == points.count {
      return try .stepDecay(from: peak, factor: factor, at: fractions)
    }
    try ScheduleCheck(schedule: "step decay").factor(factor, "factor")
    var rate = peak
    let rates = points.map { _ in
      rate *= factor
      return rate
    }
    return try .piecewiseConstant([peak] + rates, at: points.map(steps))
  }
}
