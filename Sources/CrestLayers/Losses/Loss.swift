public import CrestGraph
public import CrestRuntime
public import CrestTensor

/// The loss to minimise: a number for each element or example, whose mean is the loss.
///
/// Where examples have weights (classes do, or a label is ignored), the mean is Σ weight · loss / Σ weight, and 0 with
/// no gradient where no weight is left, as in a batch of ignored labels; over a pass, both sums run over all batches.
public struct Loss: Sendable {
  /// The targets that a loss expects, which decides how they are checked and which metrics suit it.
  public enum Targets: Sendable, Hashable {
    /// A label for each position, or a probability for each class along an axis; nil finds the axis
    /// from the shapes, see ``Loss/ClassAxis``.
    case classes(axis: Int?)
    /// A probability, or a label of 0 or 1, for each prediction.
    case binary
    /// A label for each score: 1 for yes, 0 or -1 for no.
    case signs
    /// A number for each prediction.
    case values
    /// Anything; nothing is checked.
    case any
  }

  /// The activation that turns logits into probabilities at the end of a network.
  public enum Activation: Sendable, Hashable {
    /// Probabilities of mutually exclusive classes along an axis (softmax).
    case softmax(axis: Int)
    /// Independent probabilities (sigmoid).
    case sigmoid
  }

  /// How the losses of a batch become one number.
  public enum Reduction: String, Sendable, Hashable, CaseIterable {
    /// Their mean, by their weights if they have any.
    case mean
    /// Their sum, by which a larger batch has larger gradients; a pass reports it by example.
    case sum
  }

  /// The name, as in the command's `--loss`.
  public let name: String
  /// The targets it expects.
  public let targets: Targets
  /// Further settings that decide its values, by name; a resumed run must have the same.
  public let settings: [String: String]
  /// How losses become one.
  public let reduction: Reduction
  package let traits: Traits
  private let body: Body

  /// Traces losses, and weights if they have any, from predictions and targets whose classes lie along an axis.
  typealias Body = @Sendable (Symbol, Symbol, ClassAxis?) throws -> Program.LossTerms

  /// Your own loss.
  ///
  /// - Parameters:
  ///   - name: Its name in logs and errors.
  ///   - targets: The targets it expects. A loss of ``Targets/classes(axis:)`` includes a softmax,
  ///     one of ``Targets/binary`` a sigmoid: if a network ends in that activation, the loss uses
  ///     the activation's input.
  ///   - settings: Further settings that decide its values.
  ///   - trace: Traces the losses, of any shape, from predictions and targets; their mean is
  ///     minimised.
  public init(
    _ name: String, targets: Targets = .any, settings: [String: String] = [:],
    trace: @escaping Program.LossTrace
  ) {
    self.init(name, targets, settings) { prediction, target, _ in
      Program.LossTerms(try trace(prediction, target))
    }
  }

  /// Your own loss of examples or positions that have weights.
  ///
  /// - Parameters:
  ///   - name: Its name in logs and errors.
  ///   - targets: The targets it expects, as of a loss without weights.
  ///   - settings: Further settings that decide its values.
  ///   - weightedTrace: Traces the losses, each times its weight, and the weights: the sum of the one
  ///     over the sum of the other is minimised.
  public init(
    _ name: String, targets: Targets = .any, settings: [String: String] = [:],
    weightedTrace:
      @escaping @Sendable (_ prediction: Symbol, _ target: Symbol) throws -> (
        losses: Symbol, weights: Symbol
      )
  ) {
    self.init(name, targets, settings) { prediction, target, _ in
      let (losses, weights) = try weightedTrace(prediction, target)
      return Program.LossTerms(losses, weights: weights)
    }
  }

  init(
    _ name: String, _ targets: Targets, _ settings: [String: String] = [:],
    reduction: Reduction = .mean, traits: Traits? = nil, _ body: @escaping Body
  ) {
    self.name = name
    self.targets = targets
    self.settings = settings
    self.reduction = reduction
    self.traits = traits ?? Traits(of: targets)
    self.body = body
  }

  /// The losses before they become one.
  public var trace: Program.LossTrace {
    { prediction, target in
      try body(prediction, target, classAxis(for: prediction, target)).losses
    }
  }

  /// The default loss for targets of a type: cross-entropy for integers, otherwise mean squared
  /// error.
  public static func standard(for targets: ElementType) -> Loss {
    targets.isInteger ? crossEntropy() : meanSquaredError
  }

  /// This loss with another way from losses to one number.
  public func reduced(by reduction: Reduction) -> Loss {
    var settings = settings
    settings["reduction"] = reduction == .mean ? nil : reduction.rawValue
    return Loss(name, targets, settings, reduction: reduction, traits: traits, body)
  }

  /// This loss of classes along a chosen axis.
  ///
  /// - Parameter classAxis: The axis, where the batch is axis 0 and negative axes count from the
  ///   end.
  /// - Returns: The loss.
  /// - Throws: ``LossError/noClasses(loss:)`` when the loss has none.
  public func withClasses(along classAxis: Int) throws(LossError) -> Loss {
    guard case .classes = targets else { throw .noClasses(loss: name) }
    return Loss(
      name, .classes(axis: classAxis), settings, reduction: reduction, traits: traits, body)
  }

  /// This loss of classes along the axis that was found.
  package func withClasses(at found: ClassAxis) -> Loss {
    Loss(
      name, .classes(axis: found.axis), settings, reduction: reduction, traits: traits, body)
  }
}

extension Loss {
  /// The activation that the loss includes for predictions whose classes lie along an axis; nil if
  /// it uses predictions as they are.
  package func activation(classAxis: Int?) -> Activation? {
    switch traits.activation {
    case .softmax: classAxis.map { .softmax(axis: $0) }
    case .sigmoid: .sigmoid
    case nil: nil
    }
  }

  /// The class axis; nil if the loss has no classes.
  private func classAxis(
    for prediction: Symbol, _ target: Symbol
  ) throws(LossError) -> ClassAxis? {
    guard case .classes(let chosen) = targets else { return nil }
    return try ClassAxis(
      predictions: prediction.shape, targets: target.type, chosen: chosen,
      softmaxAxis: NetworkEnd(of: prediction.id, in: prediction.builder.result).softmaxAxis,
      loss: name)
  }

  /// Traces the losses and their weights.
  ///
  /// - Parameter beforeActivation: Whether a network may end with the activation that the loss includes, whose input
  ///   it then uses.
  /// - Returns: What traces them.
  package func terms(beforeActivation: Bool) -> Program.LossTermsTrace {
    { prediction, target in
      let axis = try classAxis(for: prediction, target)
      try check(classCount: axis.map { prediction.shape[$0.axis] })
      let builder = prediction.builder
      let final =
        beforeActivation
        ? activation(classAxis: axis?.axis).flatMap {
          NetworkEnd(of: prediction.id, in: builder.result).final($0)
        } : nil
      let logits = try final.map { try $0.arranged(builder.symbol($0.input)) } ?? prediction
      let terms = try body(logits, target, axis)
      guard reduction == .sum else { return terms }
      return Program.LossTerms(terms.losses, isSum: true)
    }
  }

  /// Refuses weights of other classes than the predictions have.
  package func check(classCount: Int?) throws(LossError) {
    guard let classCount, let weightCount = traits.classWeightCount, weightCount != classCount
    else { return }
    throw .weights(
      loss: name, setting: "class-weights", expected: classCount, got: weightCount)
  }
}

extension Loss {
  /// What the program around a loss has to know of it, besides its targets.
  package struct Traits: Sendable, Hashable {
    /// The activation that turns its predictions into probabilities.
    package enum Activation: Sendable, Hashable {
      case softmax
      case sigmoid
    }

    /// The metrics by which it is judged if none are named.
    package enum Judges: Sendable, Hashable {
      /// Accuracy of classes, or of labels of yes and no.
      case accuracy
      /// The mean absolute error.
      case absoluteError
      /// What suits the data's targets.
      case byTargets
      /// None: predictions don't stand beside targets.
      case none
    }

    package var activation: Activation?
    package var judges: Judges
    /// The numbers that targets may be.
    package var range: TargetRange
    /// The label that doesn't count.
    package var ignoredLabel: Int?
    /// How many weights of classes there are.
    package var classWeightCount: Int?
    /// The outputs that a network needs for each number of a target.
    package var outputsPerTarget = 1

    init(of targets: Targets) {
      switch targets {
      case .classes: (activation, judges, range) = (.softmax, .accuracy, .fractions)
      case .binary: (activation, judges, range) = (.sigmoid, .accuracy, .fractions)
      case .signs: (activation, judges, range) = (nil, .accuracy, .signs)
      case .values: (activation, judges, range) = (nil, .absoluteError, .any)
      case .any: (activation, judges, range) = (nil, .byTargets, .any)
      }
    }

    /// Those of targets, changed.
    static func of(_ targets: Targets, _ change: (inout Traits) -> Void) -> Traits {
      var traits = Traits(of: targets)
      change(&traits)
      return traits
    }
  }

  /// The numbers that targets may be.
  package enum TargetRange: Sendable, Hashable {
    /// Any.
    case any
    /// From 0 to 1.
    case fractions
    /// 1, 0 and -1.
    case signs
    /// At least 0.
    case counts
    /// Above -1, of which log(1 + t) is taken.
    case aboveMinusOne

    /// Whether a target may be it; NaN may not, unless anything may.
    package func contains(_ value: Double) -> Bool {
      switch self {
      case .any: true
      case .fractions: value >= 0 && value <= 1
      case .signs: value == 1 || value == 0 || value == -1
      case .counts: value >= 0
      case .aboveMinusOne: value > -1
      }
    }

    /// As in `targets from 0 to 1`.
    package var expected: String {
      switch self {
      case .any: "any targets"
      case .fractions: "targets from 0 to 1"
      case .signs: "targets of 1 for yes, and 0 or -1 for no"
      case .counts: "targets of at least 0"
      case .aboveMinusOne: "targets above -1"
      }
    }
  }
}
