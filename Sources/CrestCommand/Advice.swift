import Crest

extension Failure {
  /// The error's message, with the command's options in place of the advice for a program.
  static func message(of error: any Error) -> String {
    switch error {
    case CheckpointError.unsuitable(let path, .differs(let place, let saved, let now))
    where option(setting: place) != nil:
      let option = option(setting: place) ?? ""
      return
        "\(path): the value set by \(option) has changed: \(saved) when the run was saved, \(now) now; give \(option) as "
        + "before, or --partial \(place) to resume anyway"
    case CheckpointError.unsuitable(let path, let error),
      CheckpointError.weights(let path, let error):
      return "\(path): "
        + error.description { place in
          (option(setting: place).map { "give \($0) as before, or " } ?? "")
            + "give --partial \(place)"
        }
    case CheckpointError.otherEpochs(let path, let saved, let asked):
      return
        "\(path) belongs to a fit of \(saved) epochs, but \(asked) were requested, which changes its "
        + "schedule; give --epochs \(saved), or --reschedule"
    case CheckpointError.occupied(let folder, let newest):
      return
        "\(folder) already holds checkpoints of a run, the newest \(newest); give --resume to resume "
        + "it, or choose another folder"
    case CallbackError.logTooShort(_, _, _, let callback),
      CallbackError.otherLog(_, _, _, let callback), CallbackError.logChanged(_, _, let callback):
      return "\(error)".replacing(
        "skip callbacks.\(callback)", with: "give --partial callbacks.\(callback)")
    case CheckpointError.tooManyFailures(_, _, _?):
      return "\(error); resume from there with --resume"
    case LossError.unknownName(let name):
      return named(error) + suggestion(for: name, among: Loss.all.map(\.name))
    case OptimizerError.unknownName(let name):
      return named(error)
        + suggestion(for: name, among: BuiltInOptimizer.all.map(\.name))
    case OptimizerError.outOfRange(let optimizer, let parameter, let value, let expected):
      let name = parameter.replacing(" ", with: "-")
      return
        "\(option(setting: parameter) ?? "--optimizer \(optimizer):\(name)"): expected \(expected), got \(value)"
    case OptimizerError.decoupledOnly:
      return
        "--weight-decay-kind: expected decoupled for adamw, got l2; use --optimizer adam for l2"
    case ScheduleError.momentumReversed(let high, let low):
      return "--momentum: expected the higher value first, got \(high),\(low); swap the two"
    case ScheduleError.outOfRange(_, let parameter, let value, let expected)
    where parameter.contains("momentum"):
      return "--momentum: expected \(expected), got \(value)"
    case RangeTest.Refusal.outOfRange(let parameter, let value, let expected):
      let option =
        ["maximum": "--to", "trialEpochs": "--trial-epochs"][parameter] ?? "--\(parameter)"
      return "\(option): expected \(expected), got \(value)"
    case ScheduleError.outOfRange(
      "learning-rate range test", let parameter, let value, let expected):
      return "--\(parameter)-lr: expected \(expected), got \(value)"
    case ScheduleError.countOutOfRange("learning-rate range test", _, let value, let expected):
      return "--steps: expected \(expected), got \(value)"
    case ParameterError.noSuchGroup(let group, let groups):
      return
        "--freeze-to: expected a number from \(-groups) to \(groups - 1), because there are \(groups) groups, "
        + "negative numbers counting from the last, got \(group)"
    case LearnerError.loss(let error, let name):
      return "\(name): \(named(error))"
    case LearnerError.twoOwners(let part, let first, let second):
      return
        "\(LearnerError.twoOwners(of: part, first: option(named: first), second: option(named: second)))"
    case LearnerError.twoReporters(let name, let first, let second):
      return
        "\(LearnerError.twoReporters(of: name, first: option(named: first), second: option(named: second)))"
    case LearnerError.twoLenders(let first, let second):
      return
        "\(LearnerError.twoLenders(first: option(named: first), second: option(named: second)))"
    case let error as GraphError:
      return "\(error)".replacing(#/^(squaredError|binaryCrossEntropy):/#) { match in
        "--loss \(match.1 == "squaredError" ? "mse" : "bce"):"
      }
    case DataError.unknownSource(let name, let known):
      return "\(error)" + suggestion(for: name, among: known)
    case CallbackError.unknownMetric(let name, let callback, let known):
      return "\(option(named: callback)): there is no metric \"\(name)\" to monitor; choose one of "
        + "\(known.joined(separator: ", "))" + suggestion(for: name, among: known)
    case CallbackError.outOfRange("findBatchSize", let parameter, let value, let expected):
      return
        "--\(parameter == "noiseSteps" ? "noise-steps" : parameter): expected \(expected), got \(value)"
    case CallbackError.outOfRange("BackupAndRestore", "every", let value, let expected):
      return "--checkpoint-every: expected \(expected), got \(value)"
    case CallbackError.outOfRange(let callback, let parameter, let value, let expected):
      return
        "\(option(named: callback)): \(setting(parameter, of: callback)) is \(value), expected "
        + expected
    case CallbackError.nonFiniteGradient(let norm, let step):
      return
        "the norm of the gradients is \(norm.isNaN ? "nan" : "\(norm)") in step \(step); lower the "
        + "learning rate"
    case is ONNXError:
      return "\(error)".replacing(
        "give the shape of one example",
        with:
          "give the shape of one example (crest inspect --shape 3,224,224; otherwise the data's shape is used)"
      )
    case is LearnerError, is EngineError, is ParameterError, is LossError, is OptimizerError:
      return named(error)
    default:
      return "\(error)"
    }
  }

  /// The error's message, beginning with the option if it begins with what that option sets.
  private static func named(_ error: any Error) -> String {
    let text = "\(error)"
    for (parameter, option) in parameters where text.hasPrefix(parameter) {
      let rest = text.dropFirst(parameter.count)
      if rest.hasPrefix(": ") || rest.hasPrefix(" of ") || error is LossError && rest.hasPrefix(" ")
      {
        return option + rest
      }
    }
    return text
  }

  private static func option(setting parameter: String) -> String? {
    parameters.first { $0.parameter == parameter }?.option
  }

  /// The library's name for what an option sets.
  private static let parameters: [(parameter: String, option: String)] = [
    ("epochs", "--epochs"), ("batch size", "--batch-size"), ("threads", "--threads"),
    ("learning rates", "--max-lr"), ("learning rate", "--max-lr"),
    ("weight decays", "--weight-decay"), ("weight decay", "--weight-decay"),
    ("momentum", "--momentum"), ("beta1", "--momentum"), ("groups", "--groups"),
    ("optimizer", "--optimizer"), ("loss", "--loss"), ("class axis", "--class-axis"),
  ]

  /// The option that adds a callback.
  private static func option(named callback: String) -> String {
    NamedCallback.of(callback).map { "--callback \($0.name)" } ?? callback
  }

  /// The name of a callback's parameter on the command line.
  private static func setting(_ parameter: String, of callback: String) -> String {
    NamedCallback.of(callback)?.settings.first { plain($0.name) == plain(parameter) }?.name
      ?? parameter
  }

  /// A name without separators.
  private static func plain(_ name: String) -> String {
    name.lowercased().filter { $0 != "-" }
  }

  /// The option that sets what a field of a checkpoint holds.
  private static func option(setting place: StateValue.Path) -> String? {
    let name = place.description
    return options.first { name == $0.field || name.hasPrefix($0.field + ".") }?.option
  }

  private static let options: [(field: String, option: String)] = [
    ("run.seed", "--seed"), ("loader.batchSize", "--batch-size"),
    ("loader.shuffle", "--no-shuffle"),
    ("loader.transforms", "--augment"), ("loss", "--loss"), ("model", "--model"),
    ("data", "--data"),
    ("optimizer.name", "--optimizer"),
    ("optimizer.settings", "--optimizer, --momentum and --weight-decay"),
    ("training", "--groups and --freeze"),
    ("callbacks.OneCycleScheduler", "--max-lr, --schedule and --style"),
    ("callbacks.ParameterScheduler", "--max-lr and --schedule"),
  ]
}
