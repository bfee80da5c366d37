import Crest

/// What a callback mustn't do in any hook: `misuse-program in-hook HOOK ACTION`.
func misuse(inHook name: String, _ action: String) throws {
  guard let hook = hooks[name] else { complain("no hook is called \(name)") }
  let model = try model()
  let learner = try Learner(model, data: data(), batchSize: 4, prefetch: 0)
  let own = CallbackOf()
  learner.add(own)
  let misbehave = hook { context in
    switch action {
    case "add": context.learner.add(CallbackOf())
    case "remove": context.learner.remove(own)
    case "fit": try context.learner.fit(epochs: 1)
    case "fit-another":
      try Learner(model, data: data(), batchSize: 4, prefetch: 0).fit(epochs: 1)
    case "restore-another":
      let other = try Learner(model, data: data(), batchSize: 4, prefetch: 0)
      other.restore(other.snapshot())
    default: complain("no action is called \(action)")
    }
  }
  // Only an interruption gets to the hook before it.
  let interrupt = Hook.afterBatch { batch in
    if name == "beforeInterruption" { batch.learner.interruption.raise() }
  }
  try learner.fit(
    epochs: 1, callbacks: [CallbackOf(interrupt), CallbackOf(misbehave, name: "Careless")])
}

/// Sets a part of a hyperparameter to a value: `misuse-program set HYPERPARAMETER base|factor VALUE`, or by
/// `schedule`.
func misuse(setting name: String, _ part: String, to text: String) throws {
  guard let hyperparameter = Hyperparameter(rawValue: name), let value = Double(text) else {
    complain("expected a hyperparameter and a number, got \(name) and \(text)")
  }
  if part == "schedule" {
    let schedule = Schedule("own") { step, _ in step == 1 ? value : 0.1 }
    return try fit(beside: [ParameterScheduler(schedule, of: hyperparameter)])
  }
  let own: Hyperparameter.Part = part == "base" ? .base(hyperparameter) : .factor(hyperparameter)
  try fit(.beforeBatch { $0.learner[own] = value }, owns: [own])
}

private typealias Action = (PhaseContext) throws -> Void

private var hooks: [String: (@escaping Action) -> Hook] {
  [
    "beforeFit": { .beforeFit($0) }, "beforeEpoch": { .beforeEpoch($0) },
    "beforeTrain": { .beforeTrain($0) }, "beforeBatch": { .beforeBatch($0) },
    "afterPrediction": { .afterPrediction($0) }, "afterLoss": { .afterLoss($0) },
    "beforeBackward": { .beforeBackward($0) }, "afterBackward": { .afterBackward($0) },
    "beforeStep": { .beforeStep($0) }, "afterStep": { .afterStep($0) },
    "afterBatch": { .afterBatch($0) }, "afterTrain": { .afterTrain($0) },
    "beforeValidate": { .beforeValidate($0) }, "afterValidate": { .afterValidate($0) },
    "afterEpoch": { .afterEpoch($0) }, "beforeInterruption": { .beforeInterruption($0) },
    "afterFit": { .afterFit($0) },
  ]
}
