import ArgumentParser
import Crest

/// What predictions are evaluated by, besides the loss.
struct MetricOptions: ParsableArguments {
  @Option(
    name: .customLong("metric"),
    help: ArgumentHelp(
      "Also compute this metric: \(NamedMetric.all.map(\.name).joined(separator: ", ")) (default: "
        + "the one that suits the loss). May be repeated.",
      valueName: "name"))
  var names: [String] = []
}

/// What training is measured by.
struct TrainMetricOptions: ParsableArguments {
  @Flag(
    name: .customLong("train-metrics"),
    help: "Measure training by the metrics, too, as in train_accuracy, while the parameters change."
  )
  var isAsked = false
}

/// The part for testing, if it is measured.
struct TestPartOption: ParsableArguments {
  @Option(
    defaultAsFlag: TestPart.own,
    help: ArgumentHelp(
      "Measure the test part of a folder of photographs, or another table of the same columns: of a run once, at its end.",
      valueName: "file.csv"))
  var test: TestPart?
}

/// What is measured at the end.
enum TestPart: ExpressibleByArgument, CustomStringConvertible {
  /// The data's own part.
  case own
  /// A file.
  case file(String)

  init(argument: String) { self = .file(argument) }

  var description: String { if case .file(let path) = self { path } else { "the data's own" } }

  /// The file, by the option that names it.
  var input: [(option: String, path: String)] {
    if case .file(let path) = self { [("--test", path)] } else { [] }
  }
}

/// The metrics that suit the loss, and those of some names.
func namedMetrics(
  _ names: [String], _ loss: Loss?, _ model: Model, _ data: DataSplit
) throws(CommandError) -> [any Metric] {
  let target = data.train.target
  let loss = loss ?? .standard(for: target.elementType)
  var metrics = loss.standardMetrics(for: model, target: target)
  for name in names {
    guard let named = NamedMetric.all.first(where: { $0.name == name }) else {
      throw .unknownName(what: "--metric", name: name, known: NamedMetric.all.map(\.name))
    }
    let metric = named.make(loss, model)
    if !metrics.contains(where: { $0.name == metric.name }) { metrics.append(metric) }
  }
  return metrics
}
