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

/// Whether the part for testing is measured.
struct TestPartOption: ParsableArguments {
  @Flag(
    name: .customLong("test"),
    help: "Measure the test part of a folder of photographs: of a run once, at its end.")
  var isAsked = false
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
