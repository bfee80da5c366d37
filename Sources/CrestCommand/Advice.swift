import Crest

extension Failure {
  /// The error's own words, with the options that help in place of what a program would do.
  static func message(of error: any Error) -> String {
    switch error {
    case CheckpointError.unsuitable(let path, let error),
      CheckpointError.weights(let path, let error):
      return "\(path): "
        + error.description { place in
          (option(setting: place).map { "give \($0) as it was, or " } ?? "")
            + "give --partial \(place)"
        }
    case CheckpointError.otherEpochs(let path, let saved, let asked):
      return
        "\(path) is of a fit of \(saved) epochs, but \(asked) are asked for, which changes its "
        + "schedule; give --epochs \(saved), or --reschedule"
    case CheckpointError.occupied(let folder, let newest):
      return
        "\(folder) holds checkpoints of a run already, the newest \(newest); give --resume to go on "
        + "with it, or choose another folder"
    case CallbackError.logTooShort(_, _, _, let callback):
      return "\(error)".replacing(
        "skip callbacks.\(callback)", with: "give --partial callbacks.\(callback)")
    case LossError.unknownName(let name):
      return "\(error)" + suggestion(for: name, among: Loss.all.map(\.name))
    case OptimizerError.unknownName(let name):
      return "\(error)" + suggestion(for: name, among: BuiltInOptimizer.allCases.map(\.rawValue))
    case DataError.unknownSource(let name, let known):
      return "\(error)" + suggestion(for: name, among: known)
    case CallbackError.unknownMetric(let name, let callback, let known):
      return "\(option(named: callback)): there is no metric \"\(name)\" to watch; known are "
        + "\(known.joined(separator: ", ")); choose one" + suggestion(for: name, among: known)
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
          "give the shape of one example (crest inspect --shape 3,224,224; else that of the data is taken)"
      )
    default:
      return "\(error)"
    }
  }

  /// The option by which a callback is given.
  private static func option(named callback: String) -> String {
    kind(of: callback).map { "--callback \($0.name)" } ?? callback
  }

  /// What a callback's parameter is called on the command line.
  private static func setting(_ parameter: String, of callback: String) -> String {
    kind(of: callback)?.settings.first { plain($0.name) == plain(parameter) }?.name ?? parameter
  }

  private static func kind(of callback: String) -> NamedCallback? {
    NamedCallback.all.first { plain($0.name) == plain(callback) }
  }

  /// A name without what it is joined by.
  private static func plain(_ name: String) -> String {
    name.lowercased().filter { $0 != "-" }
  }

  /// The option that sets what a field of a checkpoint holds.
  private static func option(setting place: StatePath) -> String? {
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
