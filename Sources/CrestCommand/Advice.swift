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
    case CallbackError.unknownMetric(let name, _, let known):
      return "\(error)" + suggestion(for: name, among: known)
    default:
      return "\(error)"
    }
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
