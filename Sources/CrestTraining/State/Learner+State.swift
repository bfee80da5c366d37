import CrestData
import CrestGraph
import CrestLayers
import CrestOptimizers
import CrestRuntime
public import CrestState
import CrestTensor

extension Learner {
  /// What of the state can be asked for.
  public enum Contents: String, Sendable, Hashable, CaseIterable {
    /// Everything, to resume the run.
    case everything
    /// Parameters and running statistics, and what predicting needs.
    case weights
  }

  /// Copies the learner's state, and during a fit that of the fit and its callbacks.
  ///
  /// - Throws: `CheckpointError.notAtSavePoint` from a hook at which a fit can't be resumed, and
  ///   `CheckpointError.nonFiniteStatistic(name:value:)`; what a callback's or metric's own `encode(to:)` throws.
  public func runState(_ contents: Contents = .everything) throws -> RunState {
    if let found = model.store.nonFiniteStatistics.first, case .statistic(let name) = found.source {
      throw CheckpointError.nonFiniteStatistic(name: name, value: found.value)
    }
    if contents == .weights { return RunState(try weightFields()) }
    guard let loop, !loop.isOver else { return RunState(try fields(of: nil, callbacks)) }
    guard loop.isAtSavePoint else { throw CheckpointError.notAtSavePoint }
    return RunState(try fields(of: loop, loop.callbacks))
  }

  // MARK: Gathering

  private func weightFields() throws -> StateValue {
    .fields(["model": modelFields(), "data": .fields(try descriptionFields())])
  }

  private func fields(of loop: TrainingLoop?, _ callbacks: [any Callback]) throws -> StateValue {
    .fields([
      "model": modelFields(),
      "optimizer": .fields(optimizerFields()),
      "run": try StateValue(encoding: counters),
      "training": trained.saved,
      "loader": .fields([
        "batchSize": .integer(trainLoader.batchSize), "shuffle": .bool(trainLoader.shuffle),
        "transforms": .list(
          (trainLoader.transforms.map(\.name) + trainLoader.mixing.map(\.name)).map { .text($0) }),
      ]),
      "data": try dataFields(),
      "engine": .fields(["instructionSet": .text(model.engine.instructionSet.rawValue)]),
      "loss": .text(lossText),
      "fit": try loop?.savedState() ?? .null,
      "callbacks": .fields(
        Dictionary(
          uniqueKeysWithValues: try Self.keyed(callbacks).map { key, callback in
            (key, try Self.fields(of: callback))
          })),
    ])
  }

  private func optimizerFields() -> [String: StateValue] {
    var fields: [String: StateValue] = [
      "name": .text(optimizer.name), "settings": .text(settingText(optimizer)),
    ]
    model.store.with(moments) {
      fields["moments"] = model.store.savedMoments()
      if optimizer.numberCount > 0 { fields["numbers"] = model.store.savedNumbers() }
    }
    return fields
  }

  private func modelFields() -> StateValue {
    let store = model.store
    return .fields([
      "graph": .text(model.graph.fingerprint),
      "source": model.template.sourceFingerprint.map { .text($0) } ?? .null,
      "parameters": store.saved(store.parameters), "statistics": store.saved(store.statistics),
    ])
  }

  private func dataFields() throws -> StateValue {
    var fields = try descriptionFields()
    fields["train"] = .text(dataFingerprints.train)
    fields["valid"] = .text(dataFingerprints.valid)
    return .fields(fields)
  }

  /// What predicting and measuring need to know of the data.
  private func descriptionFields() throws -> [String: StateValue] {
    var fields: [String: StateValue] = [
      "preprocessing": try StateValue(encoding: data.train.preprocessing),
      "classNames": data.train.target.classNames.map { .list($0.map { .text($0) }) } ?? .null,
    ]
    // What goes without saying isn't said.
    if let axis = learnedClassAxis { fields["classAxis"] = .integer(axis) }
    return fields
  }

  /// How far the learner is, in all fits.
  private struct Counters: Codable {
    let seed: UInt64
    let stepsTaken: Int
    let stepsSinceReset: Int
    let batchesTrained: Int
    let epochsBegun: Int
  }

  private func counters(in saved: StateValue) throws -> Counters {
    try saved.field("run").decode(Counters.self, at: StateValue.Path(["run"]))
  }

  private var counters: Counters {
    Counters(
      seed: seed, stepsTaken: stepsTaken, stepsSinceReset: stepsSinceReset,
      batchesTrained: batchesTrained, epochsBegun: epochsBegun)
  }

  /// The callbacks that have something to save or to compare, each under a key of its own: its name, and for
  /// others of that name a number, from 2, by their order.
  private static func keyed(_ callbacks: [any Callback]) -> [(key: String, any Callback)] {
    var counts: [String: Int] = [:]
    return callbacks.filter { $0 is any StatefulCallback || !$0.settings.isEmpty }.map { callback in
      counts[callback.name, default: 0] += 1
      let count = counts[callback.name, default: 1]
      return (count == 1 ? callback.name : "\(callback.name)#\(count)", callback)
    }
  }

  private static func fields(of callback: any Callback) throws -> StateValue {
    .fields([
      "settings": .fields(callback.settings.mapValues { .text($0) }),
      "state": try (callback as? any StatefulCallback).map { try savedState(of: $0) } ?? .null,
    ])
  }

  private static func savedState(of callback: some StatefulCallback) throws -> StateValue {
    try StateValue(encoding: callback.state)
  }

  // MARK: Putting back

  /// Puts all of a saved run back, once all is checked: the learner, the fit of `loop`, and its callbacks.
  func restore(_ resumption: Resumption, into loop: TrainingLoop) throws {
    try restore(resumption.state, from: resumption.path, skipping: resumption.skipping) { saved in
      if let count = resumption.epochCount, count != loop.fit.epochCount {
        guard resumption.reschedules else {
          throw CheckpointError.otherEpochs(
            path: resumption.path, saved: count, asked: loop.fit.epochCount)
        }
        saved[StateValue.Path(["fit", "epochCount"])] = .integer(loop.fit.epochCount)
      }
      return try self.fields(of: loop, loop.callbacks)
    } others: { saved in
      var steps = [
        try loop.restoration(
          of: try saved.field("fit"), epochsBegun: try self.counters(in: saved).epochsBegun,
          at: StateValue.Path(["fit"]))
      ]
      let place = StateValue.Path(["callbacks"])
      let callbacks = Self.keyed(loop.callbacks)
      let fields = try saved.field("callbacks")
      try fields.checkNames(callbacks.map(\.key), at: place)
      for (key, callback) in callbacks {
        let path = place.appending(key)
        let field = fields[key] ?? .null
        try field.checkNames(["settings", "state"], at: path)
        try (field["settings"] ?? .null).check(
          equals: .fields(callback.settings.mapValues { .text($0) }),
          at: path.appending("settings"))
        let state = field["state"] ?? .null
        if let callback = callback as? any StatefulCallback {
          steps.append(
            try restoration(of: callback, from: state, at: path.appending("state")))
        } else {
          try state.check(equals: .null, at: path.appending("state"))
        }
      }
      return steps
    }
  }

  /// Puts back what the learner itself remembers.
  func restore(_ state: RunState, from path: String, skipping: [String]) throws {
    try restore(state, from: path, skipping: skipping) { saved in
      saved["fit"] = .null
      saved["callbacks"] = .fields([:])
      return try self.fields(of: nil, [])
    } others: { _ in
      []
    }
    if let optimizer = optimizer as? any AveragingOptimizer,
      AveragedWeights.areTrained(in: state.fields, by: optimizer)
    {
      model.store.with(moments) { optimizer.toAverage(model.store) }
    }
  }

  private func restore(
    _ state: RunState, from path: String, skipping: [String],
    current: (inout StateValue) throws -> StateValue,
    others: (StateValue) throws -> [() -> Void]
  ) throws {
    do {
      guard case .fields = state.fields, state.isComplete else {
        throw StateError.missing(StateValue.Path(["run"]))
      }
      var saved = state.fields
      let now = try current(&saved)
      for place in skipping { try saved.skip(place, for: now) }
      let steps = try ownSteps(from: saved, now: now) + others(saved)
      for step in steps { step() }
    } catch let error as StateError {
      throw CheckpointError.unsuitable(path: path, error)
    }
  }

  /// What puts back the learner's own fields, once all that must be the same is.
  private func ownSteps(from saved: StateValue, now: StateValue) throws -> [() -> Void] {
    try saved.checkNames(now.names, at: StateValue.Path([]))
    func check(_ path: StateValue.Path) throws(StateError) {
      try (saved[path] ?? .null).check(equals: now[path] ?? .null, at: path)
    }
    let (model, optimizer) = (try saved.field("model"), try saved.field("optimizer"))
    try model.checkNames(
      ["graph", "source", "parameters", "statistics"], at: StateValue.Path(["model"]))
    let hasNumbers = self.optimizer.numberCount > 0
    // The model first: of another one much else differs too.
    try check(StateValue.Path(["model", "graph"]))
    try check(StateValue.Path(["model", "source"]))
    for name in ["data", "loader", "training", "engine", "loss"] {
      try saved.field(name).check(equals: try now.field(name), at: StateValue.Path([name]))
    }
    try check(StateValue.Path(["optimizer", "name"]))
    try check(StateValue.Path(["optimizer", "settings"]))
    try optimizer.checkNames(
      ["name", "settings", "moments"] + (hasNumbers ? ["numbers"] : []),
      at: StateValue.Path(["optimizer"]))
    let counters = try counters(in: saved)
    for (name, count) in [
      ("stepsTaken", counters.stepsTaken), ("stepsSinceReset", counters.stepsSinceReset),
      ("batchesTrained", counters.batchesTrained),
      ("epochsBegun", counters.epochsBegun),
    ] where !(0...Int(UInt32.max)).contains(count) {
      throw StateError.mistyped(
        StateValue.Path(["run", name]), expected: "a count from 0 to \(UInt32.max)", got: "\(count)"
      )
    }
    try StateValue.text("\(counters.seed)").check(
      equals: .text("\(seed)"), at: StateValue.Path(["run", "seed"]))
    let store = self.model.store
    return [
      try store.restoration(
        store.parameters, from: model.field("parameters"),
        at: StateValue.Path(["model", "parameters"])),
      try store.restoration(
        store.statistics, from: model.field("statistics"),
        at: StateValue.Path(["model", "statistics"])),
      try store.with(moments) {
        try store.momentRestoration(
          from: optimizer.field("moments"), at: StateValue.Path(["optimizer", "moments"]))
      },
      try store.with(moments) {
        guard hasNumbers else { return {} }
        return try store.numberRestoration(
          from: optimizer.field("numbers"), at: StateValue.Path(["optimizer", "numbers"]))
      },
      {
        self.stepsTaken = counters.stepsTaken
        self.stepsSinceReset = counters.stepsSinceReset
        self.batchesTrained = counters.batchesTrained
        self.epochsBegun = counters.epochsBegun
        if counters.stepsTaken > 0 { self.describeModel() }
      },
    ]
  }

  private func restoration<C: StatefulCallback>(
    of callback: C, from saved: StateValue, at path: StateValue.Path
  ) throws -> () -> Void {
    let state = try saved.decode(C.State.self, at: path)
    if let objection = callback.objection(to: state, in: self) {
      throw StateError.mistyped(path, expected: objection, got: "another state")
    }
    try callback.prepare(for: state)
    return { callback.state = state }
  }
}
