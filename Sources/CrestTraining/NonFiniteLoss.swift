import CrestData
import CrestGraph
public import CrestRuntime
import CrestTensor

/// A loss, parameter or running statistic that is infinite or NaN, or a NaN prediction, and where it began.
public struct NonFiniteLoss: Error, Equatable, Sendable {
  /// An example of the data, by which the user can find it.
  public struct Example: Equatable, Sendable {
    /// The name of the set: the whole one, of a part that was split off.
    public let dataset: String
    /// Its index in the set, from 0.
    public let index: Int
  }

  /// The loss, which is finite when only a prediction, a parameter or a running statistic isn't.
  public let loss: Float
  /// What the batch was used for.
  public let purpose: PassContext.Purpose
  /// The optimiser step of the fit, from 0; nil outside of a fit.
  public let step: Int?
  /// The epoch of the fit, from 0; nil outside of a fit.
  public let epoch: Int?
  /// The batch of the pass, from 0.
  public let batch: Int
  /// The first number that isn't finite; nil if none is found when every operation runs separately.
  public let origin: Program.NonFinite?
  /// The example that holds that number, when it is in the data.
  public let example: Example?

  /// Whether the number came with the data, as an input or a target, and not from training.
  public var isOfData: Bool {
    switch origin?.source {
    case .input, .target: true
    case .parameter, .statistic, .moment, .operation, nil: false
    }
  }

  /// Whether training produced the number, as with too high a learning rate.
  public var isDivergence: Bool { step != nil && !isOfData }
}

extension NonFiniteLoss {
  /// The error for a batch whose loss or predictions aren't finite, found in an `afterLoss` hook.
  ///
  /// - Parameters:
  ///   - batch: The batch.
  ///   - found: What isn't finite where loss and predictions are; nil to search for where they aren't.
  /// - Throws: What ``BatchContext/firstNonFinite()`` throws.
  public init(in batch: BatchContext, found: Program.NonFinite? = nil) throws {
    let learner = batch.learner
    let origin = try found ?? batch.firstNonFinite()
    let loader = batch.isTraining ? learner.trainLoader : learner.validLoader
    self.init(
      loss: batch.loss, purpose: batch.pass.purpose, step: batch.step, epoch: batch.epoch,
      batch: batch.index, origin: origin, loader,
      order: batch.isTraining ? loader.order(epoch: batch.pass.order) : nil)
  }

  /// The error for a batch of `loader`, whose examples come in `order`; nil for the set's.
  init(
    loss: Float, purpose: PassContext.Purpose, step: Int?, epoch: Int?, batch: Int,
    origin: Program.NonFinite?, _ loader: DataLoader, order: [Int]?
  ) {
    self.loss = loss
    self.purpose = purpose
    self.step = step
    self.epoch = epoch
    self.batch = batch
    self.origin = origin
    switch origin?.source {
    case .input, .target:
      let place = batch * loader.batchSize + (origin?.row ?? 0)
      example =
        place < loader.exampleCount
        ? Example(order?[place] ?? place, of: loader.dataset) : nil
    case .parameter, .statistic, .moment, .operation, nil: example = nil
    }
  }
}

extension NonFiniteLoss.Example {
  /// Example `index` of `dataset`, looked up in the whole set when it is a part of one.
  fileprivate init(_ index: Int, of dataset: any Dataset) {
    var (index, dataset) = (index, dataset)
    while let part = dataset as? Subset {
      index = part.indices[index]
      dataset = part.base
    }
    self.dataset = dataset.name
    self.index = index
  }
}

extension NonFiniteLoss: CustomStringConvertible {
  /// What, where, and what to do.
  public var description: String {
    let what =
      switch origin?.source {
      case .parameter where loss.isFinite: "a parameter is not finite"
      case .statistic where loss.isFinite: "a running statistic is not finite"
      case .moment where loss.isFinite: "a moment of the optimiser is not finite"
      case _ where loss.isFinite: "a prediction in \(purpose) is nan"
      default: "the \(purpose) loss is \(text(loss))"
      }
    let place =
      if let step, let epoch {
        "in step \(step) (epoch \(epoch + 1), batch \(batch))"
      } else {
        "in batch \(batch)"
      }
    return "\(what) \(place): \(cause); \(advice)"
  }

  private var cause: String {
    guard let origin else { return "every operation on its own gives finite numbers" }
    let number = text(origin.value)
    let place = example.map { " in example \($0.index) (from 0) of \($0.dataset)" } ?? ""
    return switch origin.source {
    case .input(let name): "the input \"\(name)\" holds \(number)\(place)"
    case .target: "the target holds \(number)\(place)"
    case .parameter(let name): "the parameter \(name) \(verb) \(number)"
    case .statistic(let name): "the running statistic \(name) \(verb) \(number)"
    case .moment(let name): "the moment of the parameter \(name) \(verb) \(number)"
    case .operation(let operation, let path, let stage):
      "\(operation) in \(path.isEmpty ? "the \(stage) stage" : "layer \(path)") gives \(number)"
    }
  }

  private var verb: String { step == nil ? "is" : "has become" }

  /// A NaN's sign means nothing and is left out.
  private func text(_ value: Float) -> String { value.isNaN ? "nan" : "\(value)" }

  private var advice: String {
    if isOfData { return "clean the data" }
    return isDivergence ? "lower the learning rate" : "train it again at a lower learning rate"
  }
}

extension Program {
  /// Whether one of these values is not a number.
  static func holdsNaN(_ type: ValueType, _ bytes: UnsafeRawBufferPointer) -> Bool {
    type.elementType == .float32 && bytes.bindMemory(to: Float.self).contains { $0.isNaN }
  }
}
