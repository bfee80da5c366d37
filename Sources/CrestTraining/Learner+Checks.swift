import CrestData
import CrestGraph
import CrestLayers
import CrestTensor

extension Learner {
  /// For each input of `model`, its place among those of `dataset`; nil when they are the same.
  static func inputOrder(
    of model: Model, for dataset: any Dataset
  ) throws(LearnerError) -> [Int]? {
    guard model.inputs.count == dataset.inputs.count else {
      throw .inputCount(
        model: model.inputs.count, data: dataset.inputs.count, name: dataset.name)
    }
    // A single input needs no name to be recognised by.
    guard model.inputs.count > 1 else { return nil }
    let names = dataset.inputs.map(\.name)
    var order: [Int] = []
    for input in model.inputs {
      guard let place = names.firstIndex(of: input.name) else {
        throw .missingInput(input.name, known: names, name: dataset.name)
      }
      order.append(place)
    }
    return order == Array(names.indices) ? nil : order
  }

  /// The inputs of a batch in the model's order, as ``inputOrder(of:for:)`` gave it.
  static func ordered(_ inputs: [Tensor], by order: [Int]?) -> [Tensor] {
    order.map { order in order.map { inputs[$0] } } ?? inputs
  }

  /// Checks that `dataset` has examples, and that the model takes them.
  static func check(_ dataset: any Dataset, suits model: Model) throws(LearnerError) {
    guard dataset.count > 0 else { throw .emptyData(name: dataset.name) }
    let order = try inputOrder(of: model, for: dataset)
    for (place, input) in model.inputs.enumerated() {
      let field = dataset.inputs[order?[place] ?? place]
      let expected = ValueType(input.shape, input.elementType)
      let got = ValueType(field.shape, field.elementType)
      guard expected == got else {
        throw .inputType(
          input: input.name, model: expected, data: ValueType(field.shape, field.storedType),
          name: dataset.name)
      }
    }
  }

  /// Checks that the model takes the examples of `dataset`, and has an output for each class.
  static func check(
    _ dataset: any Dataset, suits model: Model, loss: Loss
  ) throws(LearnerError) {
    try check(dataset, suits: model)
    let axis = try classAxis(of: loss, in: model, for: dataset)?.axis
    let outputs = axis.map { model.outputShape[$0 - 1] }
    do throws(LossError) {
      try loss.check(classCount: outputs)
    } catch {
      throw .loss(error, name: dataset.name)
    }
    guard let names = dataset.target.classNames else { return }
    switch loss.targets {
    case .classes:
      guard let outputs else { return }
      // Where the last label is the ignored one, as 255 of masks, none need come between: each is checked in training.
      let isOfMasks = loss.traits.ignoredLabel == names.count - 1 && names.count > outputs
      guard names.count <= outputs || isOfMasks else {
        throw .classCount(model: outputs, data: names.count, name: dataset.name)
      }
    case .binary, .signs:
      guard names.count <= 2 else {
        throw .binaryLabels(loss: loss.name, data: names.count, name: dataset.name)
      }
    // Other losses may interpret labels in their own way.
    case .values, .any: break
    }
  }

  /// The class axis of `loss` in the predictions for `dataset`, from the shapes.
  static func classAxis(
    of loss: Loss, in model: Model, for dataset: any Dataset, summingAxes: Set<Int>? = nil
  ) throws(LearnerError) -> Loss.ClassAxis? {
    do throws(LossError) {
      return try model.classAxis(
        of: loss, target: ValueType(dataset.target.shape, dataset.target.elementType),
        summingAxes: summingAxes)
    } catch {
      throw .loss(error, name: dataset.name)
    }
  }

  /// Where the classes of `loss` lie in the predictions for `data`; where shapes leave two axes, target
  /// probabilities are summed up.
  static func classAxis(
    of loss: Loss, in model: Model, for data: DataSplit
  ) throws -> Loss.ClassAxis? {
    let found = try classAxis(of: loss, in: model, for: data.train)
    guard let found, let other = found.alternative, found.reason != .model,
      data.train.target.classNames == nil
    else { return found }
    let sums = try TargetSums(of: data, among: [found.axis, other])
    return try classAxis(of: loss, in: model, for: data.train, summingAxes: sums.axes)
  }

  /// The data with whole targets of 0 and 1 as probabilities, where they have the shape of the predictions and
  /// are one-hot.
  static func withProbabilities(
    _ data: DataSplit, for loss: Loss, of model: Model
  ) throws -> DataSplit {
    guard case .classes = loss.targets, data.train.target.shape == model.outputShape else {
      return data
    }
    return try data.withOneHotTargets(
      along: Loss.ClassAxis.candidates(ofRank: model.outputShape.rank + 1)) ?? data
  }

  /// Checks that every metric can judge predictions of the type given.
  func checkMetrics(predictions: ValueType) throws(LearnerError) {
    guard let count = predictions.shape.first else { return }
    let target = data.valid.target
    let targets = ValueType(Shape([count] + target.shape.dimensions), target.elementType)
    for metric in metrics {
      guard predictions.elementType == .float32 else {
        throw .unsuitableMetric(
          name: metric.name, reason: "it needs float32 predictions, got \(predictions)")
      }
      if let reason = metric.objection(
        predictions: predictions, targets: targets, classAxis: metricAxis)
      {
        throw .unsuitableMetric(name: metric.name, reason: reason)
      }
    }
  }
}
