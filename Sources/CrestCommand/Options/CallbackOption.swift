import ArgumentParser
import Crest

/// A callback as given in an option: `name` or `name:key=value,…`.
struct CallbackOption: ExpressibleByArgument {
  private let named: NamedSettings

  init(argument: String) { named = NamedSettings(argument) }

  private func kind() throws(CommandError) -> NamedCallback {
    guard let kind = NamedCallback.all.first(where: { $0.name == named.name }) else {
      throw .unknownName(
        what: "--callback", name: named.name, known: NamedCallback.all.map(\.name))
    }
    return kind
  }

  func make() throws -> any Callback {
    let kind = try kind()
    return try kind.make(CallbackSettings(of: kind, named))
  }

  /// The files and folders that it writes.
  func outputs() throws(CommandError) -> [NamedOutput] {
    let kind = try kind()
    let settings = try CallbackSettings(of: kind, named)
    var outputs: [NamedOutput] = []
    for setting in kind.settings {
      guard let output = setting.kind.output, let path = try settings.text(setting.name) else {
        continue
      }
      outputs.append(NamedOutput("--callback \(kind.name):\(setting.name)", path, output))
    }
    return outputs
  }
}

/// A shipped callback that has a name on the command line.
struct NamedCallback: Sendable {
  let name: String
  let settings: [CallbackSetting]
  /// Makes it; what isn't given is as in the type's own initialiser.
  let make: @Sendable (CallbackSettings) throws -> any Callback

  /// As in `csv-logger:path=file`.
  var usage: String { CallbackSetting.usage(of: name, settings) }

  /// The command's name for a callback of the library; the callback's own name if it has none, as
  /// with a plugin.
  static func name(of callback: String) -> String { of(callback)?.name ?? callback }

  /// The table row of a callback of the library.
  static func of(_ callback: String) -> NamedCallback? {
    all.first { $0.name.filter { $0 != "-" } == callback.lowercased() }
  }

  static let all = [
    NamedCallback(
      name: "activation-stats",
      settings: [.init("layers", .texts), .init("every", .wholeNumber), .init("path", .log)]
    ) {
      let layers = try $0.required("layers", $0.texts)
      let own = try ActivationStats(layers)
      return try ActivationStats(
        layers, every: $0.wholeNumber("every") ?? own.every, path: $0.text("path"))
    },
    NamedCallback(
      name: "adaptive-gradient-clip",
      settings: [.init("factor", .number), .init("epsilon", .number), .init("clips-head", .flag)]
    ) {
      let own = try AdaptiveGradientClip()
      return try AdaptiveGradientClip(
        factor: $0.number("factor") ?? own.factor, epsilon: $0.number("epsilon") ?? own.epsilon,
        clipsHead: $0.flag("clips-head") ?? own.clipsHead)
    },
    NamedCallback(name: "csv-logger", settings: [.init("path", .log)]) {
      CSVLogger(path: try $0.required("path", $0.text))
    },
    NamedCallback(
      name: "divergence-guard",
      settings: [.init("factor", .number), .init("max-back-offs", .wholeNumber)]
    ) {
      let own = try DivergenceGuard()
      return try DivergenceGuard(
        factor: $0.number("factor") ?? own.factor,
        maxBackOffs: $0.wholeNumber("max-back-offs") ?? own.maxBackOffs)
    },
    NamedCallback(
      name: "early-stopping",
      settings: [
        .init("monitor", .metric), .init("patience", .wholeNumber), .init("min-delta", .number),
        .mode, .init("restore-best", .flag), .init("baseline", .number),
        .init("start-epoch", .wholeNumber), .init("threshold", .number),
      ]
    ) {
      let own = try EarlyStopping()
      return try EarlyStopping(
        monitor: $0.monitor() ?? own.monitor, patience: $0.wholeNumber("patience") ?? own.patience,
        minDelta: $0.number("min-delta") ?? own.minDelta, mode: $0.mode() ?? own.mode,
        restoresBest: $0.flag("restore-best") ?? own.restoresBest,
        baseline: $0.number("baseline"),
        startEpoch: $0.wholeNumber("start-epoch") ?? own.startEpoch,
        threshold: $0.number("threshold"))
    },
    NamedCallback(
      name: "ema", settings: [.init("decay", .number), .init("validates", .flag)]
    ) {
      let own = try EMA()
      return try EMA(
        decay: $0.number("decay") ?? own.decay, validates: $0.flag("validates") ?? own.validates)
    },
    NamedCallback(
      name: "freeze-parameters",
      settings: [
        .init("parameters", .patterns), .init("from", .wholeNumber), .init("until", .wholeNumber),
      ]
    ) {
      let choice = try $0.required("parameters", $0.patterns)
      let own = try FreezeParameters(choice)
      return try FreezeParameters(
        choice, from: $0.wholeNumber("from") ?? own.from,
        until: $0.wholeNumber("until") ?? own.until)
    },
    NamedCallback(name: "gradient-accumulation", settings: [.init("batches", .wholeNumber)]) {
      try GradientAccumulation(batches: $0.required("batches", $0.wholeNumber))
    },
    NamedCallback(name: "gradient-centralization", settings: []) { _ in
      GradientCentralization()
    },
    NamedCallback(
      name: "gradient-clip",
      settings: [
        .init("by", .choice(GradientClip.Kind.allCases.map(\.rawValue))), .init("max", .number),
      ]
    ) {
      let own = try GradientClip()
      return try GradientClip(
        $0.value("by", GradientClip.Kind.init) ?? own.kind,
        maximum: $0.number("max") ?? own.maximum)
    },
    NamedCallback(
      name: "gradient-noise-scale",
      settings: [.init("window", .wholeNumber), .init("decay", .number)]
    ) {
      let own = try GradientNoiseScale()
      return try GradientNoiseScale(
        window: $0.wholeNumber("window") ?? own.window, decay: $0.number("decay") ?? own.decay)
    },
    NamedCallback(
      name: "gradient-statistics",
      settings: [.init("every", .wholeNumber), .init("path", .log)]
    ) {
      let own = try GradientStatistics()
      return try GradientStatistics(
        every: $0.wholeNumber("every") ?? own.every, path: $0.text("path"))
    },
    NamedCallback(
      name: "limit-batches",
      settings: [.init("training", .wholeNumber), .init("validation", .wholeNumber)]
    ) {
      try LimitBatches(
        training: $0.wholeNumber("training"), validation: $0.wholeNumber("validation"))
    },
    NamedCallback(
      name: "lookahead",
      settings: [
        .init("every", .wholeNumber), .init("decay", .number), .init("cubic", .flag),
      ]
    ) {
      let own = try Lookahead()
      let every = try $0.wholeNumber("every") ?? own.every
      let decay = try $0.number("decay")
      guard try $0.flag("cubic") == true else {
        return try decay.map { try Lookahead(every: every, decay: $0) } ?? Lookahead(every: every)
      }
      if decay != nil { throw CommandError.cubicDecay }
      return try Lookahead.cubic(every: every)
    },
    NamedCallback(
      name: "model-checkpoint",
      settings: [
        .init("folder", .folder), .init("every", .interval), .init("keep-last", .wholeNumber),
        .init("monitor", .metric), .init("keep-best", .wholeNumber), .mode,
        .init("contents", .choice(Learner.Contents.allCases.map(\.rawValue))),
        .init("name", .text), .init("reloads-best", .flag),
      ]
    ) {
      let own = try ModelCheckpoint(folder: $0.required("folder", $0.text))
      return try ModelCheckpoint(
        folder: own.folder, every: $0.value("every") { ModelCheckpoint.Interval($0) } ?? own.every,
        keepLast: $0.wholeNumber("keep-last") ?? own.keepLast,
        monitor: $0.monitor() ?? own.monitor,
        keepBest: $0.wholeNumber("keep-best") ?? own.keepBest, mode: $0.mode() ?? own.mode,
        contents: $0.value("contents", Learner.Contents.init) ?? own.contents,
        name: $0.text("name") ?? own.nameTemplate,
        reloadsBest: $0.flag("reloads-best") ?? own.reloadsBest,
        warnings: .warnings(of: "ModelCheckpoint", as: "--callback model-checkpoint"))
    },
    NamedCallback(name: "pass-timer", settings: []) { _ in PassTimer() },
    NamedCallback(
      name: "recompute-batch-norm-statistics",
      settings: [
        .init("at", .choice(RecomputeBatchNormStatistics.Moment.allCases.map(\.rawValue))),
        .init("batches", .wholeNumber), .init("augmented", .flag),
      ]
    ) {
      let own = try RecomputeBatchNormStatistics()
      return try RecomputeBatchNormStatistics(
        at: $0.value("at", RecomputeBatchNormStatistics.Moment.init) ?? own.moment,
        batches: $0.wholeNumber("batches"), augmented: $0.flag("augmented") ?? own.augmented)
    },
    NamedCallback(
      name: "reduce-lr-on-plateau",
      settings: [
        .init("monitor", .metric), .init("factor", .number), .init("patience", .wholeNumber),
        .init("min-delta", .number), .init("cooldown", .wholeNumber), .init("min-lr", .number),
        .mode,
      ]
    ) {
      let own = try ReduceLROnPlateau()
      return try ReduceLROnPlateau(
        monitor: $0.monitor() ?? own.monitor, factor: $0.number("factor") ?? own.factor,
        patience: $0.wholeNumber("patience") ?? own.patience,
        minDelta: $0.number("min-delta") ?? own.minDelta,
        cooldown: $0.wholeNumber("cooldown") ?? own.cooldown,
        minLR: $0.number("min-lr") ?? own.minLR, mode: $0.mode() ?? own.mode, notes: .notes)
    },
    NamedCallback(
      name: "sam", settings: [.init("radius", .number), .init("adaptive", .flag)]
    ) {
      let own = try SAM()
      return try SAM(
        radius: $0.number("radius") ?? own.radius, adaptive: $0.flag("adaptive") ?? own.adaptive)
    },
    NamedCallback(name: "step-logger", settings: [.init("path", .log)]) {
      StepLogger(path: try $0.required("path", $0.text))
    },
    NamedCallback(
      name: "swa",
      settings: [
        .init("from", .start), .init("every", .choice(SWA.Frequency.allCases.map(\.rawValue))),
        .init("batches", .wholeNumber),
      ]
    ) {
      let own = try SWA()
      return try SWA(
        from: $0.value("from") { SWA.Start($0) } ?? own.start,
        every: $0.value("every", SWA.Frequency.init) ?? own.every,
        batches: $0.wholeNumber("batches") ?? own.batches)
    },
    NamedCallback(
      name: "tensor-board", settings: [.init("folder", .folder), .init("every", .wholeNumber)]
    ) {
      let own = try TensorBoardLogger(folder: $0.required("folder", $0.text))
      return try TensorBoardLogger(
        folder: own.folder, every: $0.wholeNumber("every") ?? own.every)
    },
    NamedCallback(name: "terminate-on-nan", settings: []) { _ in TerminateOnNaN() },
    NamedCallback(name: "time-limit", settings: [.init("seconds", .number)]) {
      try TimeLimit(seconds: $0.required("seconds", $0.number))
    },
    NamedCallback(name: "validate-every", settings: [.init("interval", .interval)]) { settings in
      try ValidateEvery(
        settings.required("interval") { (key) throws(CommandError) in
          try settings.value(key) { ModelCheckpoint.Interval($0) }
        })
    },
  ]
}
