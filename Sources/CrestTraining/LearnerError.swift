public import CrestData
public import CrestGraph
public import CrestLayers

/// Why a learner can't do what it was asked.
public enum LearnerError: Error, Equatable, Sendable {
  /// Fewer epochs than one.
  case epochs(Int)
  /// A learning rate that isn't finite and above 0.
  case learningRate(Double)
  /// A batch size below one.
  case batchSize(Int)
  /// A number of batches to prefetch that is negative or more than any run has a use for.
  case prefetch(Int)
  /// More transforms than have random numbers of their own.
  case transformCount(Int)
  /// Moments of the optimiser that take more memory than the process may take.
  case momentsTooLarge(optimizer: String, byteCount: Int, memory: Int)
  /// A data set without examples.
  case emptyData(name: String)
  /// Another number of inputs than the model takes.
  case inputCount(model: Int, data: Int, name: String)
  /// An input of the model that the data set doesn't have.
  case missingInput(String, known: [String], name: String)
  /// An input whose examples are of another type than the model takes.
  case inputType(input: String, model: ValueType, data: ValueType, name: String)
  /// More classes than the model has outputs.
  case classCount(model: Int, data: Int, name: String)
  /// A metric that can't judge the model on the data.
  case unsuitableMetric(name: String, reason: String)
  /// Two metrics of one name.
  case metricNamedTwice(String)
  /// Two that set the same part of a hyperparameter.
  case twoOwners(of: Hyperparameter.Part, first: String, second: String)
  /// Two that report a number under one name.
  case twoReporters(of: String, first: String, second: String)
  /// Two that accumulate gradients.
  case twoAccumulators
  /// A callback that was added twice.
  case callbackAddedTwice(String)
  /// A callback of a fit that is running.
  case callbackInUse(String)
  /// A cancel of a phase that isn't running where it was thrown.
  case cancelOutOfPlace(Phase, callback: String, reason: String)
  /// Examples to predict for that aren't what the model takes.
  case examples(expected: String, got: String)
  /// Targets of a data set that don't suit the loss.
  case loss(LossError, name: String)
  /// More than two classes for a binary loss.
  case binaryLabels(loss: String, data: Int, name: String)
  /// A target outside of what the loss takes; the place is that in the batch.
  case targetOutOfRange(loss: String, value: Double, example: Int, batch: Int, name: String)
  /// A target that is no number of the kind that the loss takes.
  case unsuitableTarget(
    loss: String, expected: String, value: Double, example: Int, batch: Int, name: String)
  /// Unusual numbers in the data that are refused.
  case unusualNumbers(DataError.UnusualNumbers)
  /// The ``Learner/InterruptionFlag`` was raised.
  case interrupted
  /// Weights that have changed since the validation by which they were to be judged.
  case measuredWeightsExchanged(epoch: Int)
  /// Batch norms that would see one value per channel in training.
  case oneValuePerChannel(layers: [String], batchSize: Int, examples: Int)
  /// A model that has no parameters.
  case noParameters
  /// A model whose examples depend on others in the batch, by its graph or in a trial.
  case rowsTogether(Graph.RowMixing, isTried: Bool)
  /// A number of examples that a model for one batch size can't be trained on.
  case leftover(batchSize: Int, name: String, count: Int)
  /// Two callbacks that exchange the model's weights for validation.
  case twoLenders(first: String, second: String)
  /// A test-time augmentation that can't be used with the model or its loss.
  case augmentation(name: String, reason: String)
  /// A mixing of examples that can't be used with the model or its loss.
  case mixing(name: String, reason: String)
  /// More batches in a fit than can be counted.
  case tooManyEpochs(Int, most: Int, batchesPerEpoch: Int)
}

extension LearnerError: CustomStringConvertible {
  /// What, expected, got and what to do.
  public var description: String {
    switch self {
    case .epochs(let epochs):
      "epochs: expected at least 1, got \(epochs)"
    case .learningRate(let rate):
      "learning rate: expected a finite number above 0, got \(rate)"
    case .batchSize(let size):
      "batch size: expected at least 1, got \(size)"
    case .prefetch(let count):
      "prefetch: expected 0 to \(DataLoader.prefetchLimit) batches, got \(count)"
    case .transformCount(let count):
      "transforms: expected at most \(DataLoader.transformLimit), got \(count); let one do the work of several"
    case .momentsTooLarge(let optimizer, let byteCount, let memory):
      "the moments of \(optimizer) take \(byteCount) bytes, expected at most the \(memory) that this process may "
        + "take; choose an optimiser with fewer moments or a smaller model, or raise its limit"
    case .emptyData(let name):
      "\(name) has no examples; expected at least one"
    case .inputCount(let model, let data, let name):
      "the model takes \(model) inputs, but \(name) has \(data); give each input of the model"
    case .missingInput(let input, let known, let name):
      "the model takes an input \"\(input)\", but the inputs of \(name) are "
        + "\(known.joined(separator: ", ")); give the data's inputs the model's names"
    case .inputType(let input, let model, let data, let name):
      "input \"\(input)\": the model takes examples of \(model), but those of \(name) are \(data); "
        + "choose a model for such examples, or other data"
    case .classCount(let model, let data, let name):
      "\(name) has \(data) classes, but the model has only \(model) \(model == 1 ? "output" : "outputs"); "
        + (model == 1 && data == 2
          ? "for one binary output choose the loss \(Loss.binaryCrossEntropy.name)"
          : "make the model with \(data) classes")
    case .unsuitableMetric(let name, let reason):
      "the metric \(name) can't be used: \(reason)"
    case .metricNamedTwice(let name):
      "the metric \(name) was added twice; remove one"
    case .twoOwners(let part, let first, let second):
      "\(first) and \(second) both set \(part); remove one of them"
    case .twoReporters(let name, let first, let second):
      "\(first) and \(second) both report \"\(name)\"; remove or rename one of them"
    case .twoAccumulators:
      "two callbacks accumulate gradients; remove one of them"
    case .callbackAddedTwice(let name):
      "the callback \(name) was added twice; add it once, or make a second one"
    case .callbackInUse(let name):
      "the callback \(name) is in a fit that is running; make one for each learner"
    case .cancelOutOfPlace(let phase, let callback, let reason):
      "\(callback) cancelled the phase \(phase) while it was not running (\"\(reason)\"); "
        + "cancel it from a hook that comes before its after hook"
    case .examples(let expected, let got):
      "examples: expected \(expected), got \(got)"
    case .loss(let error, let name):
      "\(name): \(error)"
    case .binaryLabels(let loss, let data, let name):
      "\(loss) takes labels 0 and 1, but \(name) has \(data) classes; choose the loss "
        + "\(Loss.crossEntropy().name), or other data"
    case .targetOutOfRange(let loss, let value, let example, let batch, let name):
      "\(name): \(loss) takes targets from 0 to 1, got \(value) (batch \(batch), example \(example)); "
        + "scale the targets, or choose another loss"
    case .unsuitableTarget(let loss, let expected, let value, let example, let batch, let name):
      "\(name): \(loss) takes \(expected), got \(value) (batch \(batch), example \(example)); "
        + "change the targets, or choose another loss"
    case .unusualNumbers(let numbers):
      switch numbers.kind {
      case .nan, .infinite: "\(numbers); clean the data"
      case .negativeIndex(let size):
        "\(numbers); number them from 0 to \(size - 1), with a separate number for padding"
      case .indexOutOfRange: "\(numbers); give data made for this model's table"
      }
    case .interrupted:
      "interrupted"
    case .measuredWeightsExchanged(let epoch):
      "the weights validated in epoch \(epoch + 1) can't be kept with their results: a callback has "
        + "changed them since; make it restore them when the next epoch begins (beforeEpoch)"
    case .oneValuePerChannel(let layers, let batchSize, let examples):
      "batch norm in \(layers.joined(separator: ", ")): expected more than one value per channel in training, "
        + "got batches of one example"
        + (batchSize == 1
          ? "; give a batch size of at least 2, or freeze these layers"
          : ", because the number of training examples is \(examples); give more, or freeze these layers")
    case .noParameters:
      "the model can't be trained: it has no parameters"
    case .rowsTogether(let mixing, let isTried):
      "the model can't be trained or evaluated in batches of examples: \(mixing), so an example's "
        + "prediction depends on the others in the batch"
        + (isTried ? ", as a trial on the data found" : "")
        + "; if the batch axis is not the first, name it (--batch-axis, or batchAxes in a "
        + "program)"
    case .leftover(let size, let name, let count):
      "the model is made for batches of \(size), which don't divide the \(count) examples of \(name): "
        + "\(count % size) would be left over; use \(count - count % size) of them, or export the model "
        + "with a dynamic batch"
    case .twoLenders(let first, let second):
      "\(first) and \(second) both swap in other weights during validation; remove one of them"
    case .augmentation(let name, let reason):
      "test-time augmentation \(name): \(reason); predict without it"
    case .mixing(let name, let reason):
      "mixing examples by \(name): \(reason); train without it"
    case .tooManyEpochs(let epochs, let most, let batches):
      "epochs: expected at most \(most), as an epoch has \(batches) \(batches == 1 ? "batch" : "batches") "
        + "and a fit can count \(UInt32.max) batches, got \(epochs)"
    }
  }
}
