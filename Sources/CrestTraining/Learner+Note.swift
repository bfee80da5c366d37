public import CrestData
public import CrestLayers
public import CrestOptimizers
public import CrestTensor

extension Learner {
  /// What the user should know about how a data set and a model were matched.
  public enum Note: Sendable, Equatable {
    /// Examples have the model's preprocessing, not the set's own.
    case preparedAsModel(Preprocessing, own: Preprocessing, data: String)
    /// Examples have another preprocessing than the model was trained with, as requested.
    case preparedUnlikeModel(Preprocessing, model: Preprocessing, data: String)
    /// Examples have another preprocessing than the set's own, as requested.
    case preparedUnlikeData(Preprocessing, own: Preprocessing, data: String)
    /// The model's file doesn't say how its inputs were preprocessed, and the set's own preprocessing
    /// is used.
    case modelSaysNothing(Preprocessing, data: String)
    /// Examples are normalised with statistics computed from the set.
    case preparedByStatistics(Preprocessing, data: String)
    /// The model's class names differ from the data's, or are in another order.
    case otherClasses(model: [String], data: [String], name: String)
    /// The model has another number of classes than the data.
    case otherClassCount(model: Int, data: Int, name: String)
    /// The class axis chosen where the shapes allow two; the shape is of one prediction.
    case classAxis(Loss.ClassAxis, predictions: Shape)
    /// The network ends in probabilities, which the loss mistakes for logits.
    case probabilitiesAsLogits(operation: String, loss: String)
    /// The network ends in log-probabilities, which the loss mistakes for logits.
    case logProbabilitiesAsLogits(operation: String, loss: String)
    /// The network's predictions always lie from 0 to 1, and the loss takes logits.
    case fractionsAsLogits(operation: String, loss: String)
    /// The classes are along another axis than the model was trained with; the shape is of one
    /// prediction.
    case otherClassAxis(Loss.ClassAxis, model: Int, predictions: Shape)
    /// Numbers of the data that the network may swallow without a trace.
    case unusualNumbers(DataError.UnusualNumbers)
    /// The running statistics of batch norm keep so much of themselves in a step that they can't follow a half cycle
    /// of so many steps (``FitContext/declareCycle(halfCycle:)``).
    case slowBatchNorm(kept: Double, halfCycle: Int)
    /// The highest learning rate of a 1cycle fit, which was found by short runs.
    case chosenMaxLR(AutomaticLR.Choice)
    /// Training had diverged and went back to an earlier state.
    case backedOff(Learner.BackOff)
    /// The learning rate stays more than twice an estimate of the optimal one, by gradients of the same batches.
    case rateAboveEstimate(learningRate: Double, estimate: Double, step: Int)
    /// Validation measures weights that the optimiser averages, with the running statistics of batch norm of others.
    case batchNormOfOtherWeights(optimizer: String)
    /// A schedule lowers the rate of an optimiser that averages weights in its place.
    case scheduledAverage(optimizer: String)

    /// Whether another `Preprocessing.Choice` would change it.
    public var isOfPreprocessing: Bool {
      switch self {
      case .preparedAsModel, .preparedUnlikeModel, .preparedUnlikeData, .modelSaysNothing,
        .preparedByStatistics:
        true
      case .otherClasses, .otherClassCount, .classAxis, .otherClassAxis, .probabilitiesAsLogits,
        .logProbabilitiesAsLogits, .fractionsAsLogits, .unusualNumbers, .slowBatchNorm,
        .chosenMaxLR, .backedOff, .rateAboveEstimate, .batchNormOfOtherWeights,
        .scheduledAverage:
        false
      }
    }
  }
}

extension Learner.Note: CustomStringConvertible {
  /// What was found, and what was done.
  public var description: String {
    switch self {
    case .preparedAsModel(let wanted, let own, let data):
      "the examples of \(data) are preprocessed as the model was trained, \(wanted.inWords), not with the set's "
        + "own statistics, \(own.inWords)"
    case .preparedUnlikeModel(let wanted, let model, let data):
      "the examples of \(data) are preprocessed with \(wanted.inWords), not as the model was trained, "
        + model.inWords
    case .preparedUnlikeData(let wanted, let own, let data):
      "the examples of \(data) are preprocessed with \(wanted.inWords), not with the set's own statistics, \(own.inWords)"
    case .modelSaysNothing(let wanted, let data):
      "the model doesn't say how its inputs were preprocessed: the examples of \(data) are preprocessed with the "
        + "set's own statistics, \(wanted.inWords)"
    case .preparedByStatistics(let wanted, let data):
      "the examples of \(data) are preprocessed with the set's own statistics, \(wanted.inWords)"
    case .otherClasses(let model, let data, let name):
      "the classes of \(name) are \(data.inWords), but those of the model \(model.inWords): they are matched "
        + "by index, the first to the first"
    case .otherClassCount(let model, let data, let name):
      "\(name) has \(data) classes, but the model \(model): they are matched by index"
    case .probabilitiesAsLogits(let operation, let loss):
      "the network ends in probabilities, from \(operation), but \(loss) takes "
        + "logits: losses and accuracies are wrong; choose another loss, or a network without \(operation)"
    case .fractionsAsLogits(let operation, let loss):
      "the network's predictions, results of \(operation), always lie from 0 to 1, as probabilities do, and \(loss) "
        + "takes logits: losses and accuracies are wrong; choose another loss, or a network that ends in logits"
    case .logProbabilitiesAsLogits(let operation, let loss):
      "the network ends in log-probabilities, from \(operation), but \(loss) takes "
        + "logits: losses and accuracies are wrong; choose another loss, or a network without \(operation)"
    case .classAxis(let found, let predictions):
      "the classes of predictions \(Self.batch(predictions)) are along axis \(found.axis), "
        + found.reason.inWords
    case .otherClassAxis(let found, let model, let predictions):
      "the classes of predictions \(Self.batch(predictions)) are along axis \(found.axis), "
        + "\(found.reason.inWords), not along axis \(model) as the model was trained"
    case .unusualNumbers(let numbers): "\(numbers)" + numbers.consequence
    case .chosenMaxLR(let choice): "\(choice)"
    case .slowBatchNorm(let kept, let steps):
      BatchNormMomentum(halfCycle: steps).sentence(keeping: kept)
    case .backedOff(let backOff): "\(backOff)"
    case .rateAboveEstimate(let rate, let estimate, let step):
      "the learning rate, \(rate) in step \(step), has been more than twice the estimate of the optimal one for a while, "
        + "which is \(estimate) there: plain descent would not be stable"
    case .batchNormOfOtherWeights(let optimizer):
      "\(optimizer) predicts with an average of its weights, but the running statistics of batch norm are of the weights "
        + "that train; estimate them anew before validation (RecomputeBatchNormStatistics)"
    case .scheduledAverage(let optimizer):
      "\(optimizer) averages its weights in place of a schedule, but the learning rate falls to less than half; let it "
        + "rise in the first steps at most"
    }
  }

  private static func batch(_ predictions: Shape) -> String {
    "[\((["N"] + predictions.map(String.init)).joined(separator: ", "))]"
  }
}

extension BatchNormMomentum {
  /// What comes of statistics that keep too much, and what to do.
  fileprivate func sentence(keeping kept: Double) -> String {
    let start = "the running statistics of batch norm keep \(kept) of themselves in each step, "
    let advice =
      "estimate them anew before validation (RecomputeBatchNormStatistics), or use "
    guard let most else {
      let percent = Int((100 * initialPart(keeping: kept)).rounded())
      return start
        + "so that after \(2 * halfCycle) steps they are still \(percent) % what they began with; "
        + advice + "a smaller momentum"
    }
    return start
      + "too much to follow a half cycle of \(halfCycle) steps: while the learning rate is high, validation "
      + "measures a worse network than there is; \(advice)a momentum of at most "
      + "\((100 * most).rounded(.down) / 100)"
  }
}

extension DataError.UnusualNumbers {
  /// What comes of them.
  fileprivate var consequence: String {
    switch kind {
    case .nan, .infinite: "; the network's results for them may look normal"
    case .negativeIndex(let size): ", which ONNX counts from the end: -1 means \(size - 1)"
    case .indexOutOfRange: ""
    }
  }
}

extension Loss.ClassAxis.Reason {
  /// Why the axis was taken.
  fileprivate var inWords: String {
    switch self {
    case .chosen: "as requested"
    case .model: "as the model was trained"
    case .shapes: "the only one that fits the shape of the targets"
    case .targetSums: "the only one along which all targets sum to 1"
    case .finalSoftmax: "as in the network's final softmax"
    case .convention: "by ONNX's convention"
    }
  }
}

extension Preprocessing {
  /// As in `(x / 255 - 0.5) / 0.5`, or `x as it is stored`.
  fileprivate var inWords: String { isIdentity ? "x as it is stored" : description }
}

extension [String] {
  /// The first ten, with commas.
  fileprivate var inWords: String {
    prefix(10).joined(separator: ", ") + (count > 10 ? " and \(count - 10) more" : "")
  }
}

extension Learner {
  /// Adds what the user should know.
  public func add(_ note: Note) { notes.append(note) }

  /// Adds a note that isn't there yet.
  func addOnce(_ note: Note) { if !notes.contains(note) { notes.append(note) } }

  /// What is to be said of how the loss takes the model's predictions.
  static func notes(
    _ loss: Loss, _ axis: Loss.ClassAxis?, of model: Model
  ) -> [Note] {
    var notes: [Note] = []
    if let axis {
      if let learned = model.classAxis, learned != axis.axis {
        notes.append(.otherClassAxis(axis, model: learned, predictions: model.outputShape))
      } else if axis.alternative != nil, axis.reason != .targetSums || axis.axis != 1 {
        notes.append(.classAxis(axis, predictions: model.outputShape))
      }
    }
    if let mistaken = model.probabilitiesTakenForLogits(by: loss, classAxis: axis) {
      let (operation, loss) = (mistaken.operation, loss.name)
      let note: Note =
        switch mistaken.kind {
        case .probabilities: .probabilitiesAsLogits(operation: operation, loss: loss)
        case .logarithms: .logProbabilitiesAsLogits(operation: operation, loss: loss)
        case .fractions: .fractionsAsLogits(operation: operation, loss: loss)
        }
      notes.append(note)
    }
    return notes
  }
}
