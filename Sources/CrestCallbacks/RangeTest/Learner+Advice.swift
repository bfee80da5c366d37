import CrestData
import CrestGraph
import CrestLayers
public import CrestOptimizers
public import CrestTraining

extension Learner {
  /// Advice on training with the rates of a range test, each with its source.
  public func advice(for test: RangeTest) -> [RangeTest.Advice] { test.advice(for: setup) }

  /// Advice on training with a rate that the finder recommends.
  public func advice(maxLR: Double) -> [RangeTest.Advice] { setup.advice(maxLR: maxLR) }

  /// How it trains, as advice asks.
  private var setup: RangeTest.Setup {
    let operations = model.graph.nodes.map(\.operation)
    let classes: Int? =
      if case .classes(let names, _) = data.train.target { names.count } else { nil }
    return RangeTest.Setup(
      exampleCount: data.train.count, classCount: classes, batchSize: trainLoader.batchSize,
      momentum: optimizer.defaults.momentum == 0 ? nil : optimizer.defaults.momentum,
      layerCount: model.graph.variables.count { $0.role == .weight },
      batchNormMomentum: model.graph.batchNormStatistics.map(\.kept).max(),
      dropout: operations.compactMap { ($0 as? CrestGraph.Dropout)?.rate }.max())
  }
}
