import CrestGraph
public import CrestRuntime
public import CrestTensor

/// The loss to minimise: a number for each element or example, whose mean is the loss.
public struct Loss: Sendable {
  /// The targets that a loss expects, which decides how they are checked and which metrics suit it.
  public enum Targets: Sendable, Hashable {
    /// A label for each position, or a probability for each class along an axis; nil finds the axis
    /// from the shapes, see ``Loss/ClassAxis``.
    case classes(axis: Int?)
    /// A probability, or a label of 0 or 1, for each prediction.
    case binary
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

  /// The name, as in the command's `--loss`.
  public let name: String
  /// The targets it expects.
  public let targets: Targets
  /// Further settings that decide its values, by name; a resumed run must have the same.
  public let settings: [String: String]
  private let body: @Sendable (Symbol, Symbol, ClassAxis?) throws -> Symbol

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
    self.init(name, targets, settings) { prediction, target, _ in try trace(prediction, target) }
  }

  private init(
    _ name: String, _ targets: Targets, _ settings: [String: String] = [:],
    _ body: @escaping @Sendable (Symbol, Symbol, ClassAxis?) throws -> Symbol
  ) {
    self.name = name
    self.targets = targets
    self.settings = settings
    self.body = body
  }

  /// Traces the losses before their mean.
  public var trace: Program.LossTrace {
    { prediction, target in
      try body(prediction, target, classAxis(for: prediction, target))
    }
  }

  /// Cross-entropy of logits (PyTorch `CrossEntropyLoss`, fastai `CrossEntropyLossFlat`).
  ///
  ///     loss = -Σ target · log softmax(prediction), over the classes
  ///
  /// Predictions are logits [N, C, …] or [N, …, C]; targets are labels of an integer type, of the shape
  /// without the classes, or probabilities of the predictions' shape.
  ///
  /// - Parameters:
  ///   - labelSmoothing: s in (1 - s) · target + s / C (Szegedy et al. 2015).
  ///   - classAxis: The axis of the predictions along which the classes lie, where the batch is
  ///     axis 0 and negative axes count from the end; nil finds it from the shapes, see
  ///     ``Loss/ClassAxis``.
  /// - Returns: The loss.
  /// - Precondition: `labelSmoothing` is in 0 … 1.
  public static func crossEntropy(labelSmoothing: Double = 0, classAxis: Int? = nil) -> Loss {
    programmerError(
      unless: (0...1).contains(labelSmoothing), "label smoothing is \(labelSmoothing), not in 0 … 1"
    )
    return Loss(
      "cross-entropy", .classes(axis: classAxis),
      labelSmoothing == 0 ? [:] : ["labelSmoothing": "\(labelSmoothing)"]
    ) { prediction, target, axis in
      guard let axis = axis?.axis else { programmerError("a class axis was not looked for") }
      let isLabels = target.elementType.isInteger
      let logits = try prediction.withClasses(from: axis)
      let goals = isLabels ? try target.cast(to: .int64) : try target.withClasses(from: axis)
      // With a single axis of positions, the last axis of classes becomes axis 1 without moving an
      // element.
      let losses =
        isLabels
        ? try logits.crossEntropy(
          labels: goals.reshaped(exactlyTo: logits.placeShape), smoothing: labelSmoothing)
        : try logits.crossEntropy(probabilities: goals, smoothing: labelSmoothing)
      var places = prediction.shape.dimensions
      places.remove(at: axis)
      return try losses.reshaped(exactlyTo: Shape(places))
    }
  }

  /// The squared distance, (prediction - target)² (PyTorch `MSELoss`, Keras `mse`).
  ///
  /// Predictions and targets have one shape, except that either may lack a last axis of size 1.
  public static let meanSquaredError = Loss("mse", .values) { prediction, target, _ in
    try prediction.squaredError(target.aligned(with: prediction))
  }

  /// The distance, |prediction - target| (PyTorch `L1Loss`, Keras `mae`).
  ///
  /// Predictions and targets have one shape, except that either may lack a last axis of size 1.
  public static let meanAbsoluteError = Loss("mae", .values) { prediction, target, _ in
    try prediction.difference(from: target, "mae").absolute()
  }

  /// The squared distance near zero and the distance beyond (PyTorch `HuberLoss`, Keras `huber`).
  ///
  ///     loss = d²/2 where d = |prediction - target| ≤ δ, else δ · (d - δ/2)
  ///
  /// Huber: *Robust Estimation of a Location Parameter*, 1964. Predictions and targets have the
  /// same shape, except that either may lack a last axis of size 1.
  ///
  /// - Parameter delta: δ, the distance beyond which the loss is linear.
  /// - Returns: The loss.
  /// - Precondition: `delta` is positive and finite.
  public static func huber(delta: Double = 1) -> Loss {
    programmerError(
      unless: delta > 0 && delta.isFinite, "the delta of a Huber loss is \(delta), not above 0")
    return Loss("huber", .values, delta == 1 ? [:] : ["delta": "\(delta)"]) {
      prediction, target, _ in
      let distance = try prediction.difference(from: target, "huber").absolute()
      let near = try distance.minimum(distance.scalar(delta))
      return try near * (distance - near * 0.5)
    }
  }

  /// Cross-entropy of independent logits (PyTorch `BCEWithLogitsLoss`).
  ///
  ///     loss = log(1 + eˣ) - x · target
  ///
  /// Predictions are logits x; targets are probabilities, or labels of 0 and 1, of the same shape,
  /// except that either may lack a last axis of size 1.
  public static let binaryCrossEntropy = Loss("bce", .binary) { prediction, target, _ in
    let isLabels = target.elementType.isInteger || target.elementType == .bool
    let goals = isLabels ? try target.cast(to: prediction.elementType) : target
    return try prediction.binaryCrossEntropy(ofLogitsWith: goals.aligned(with: prediction))
  }

  /// The losses that the command knows by name.
  public static let all = [
    crossEntropy(), meanSquaredError, meanAbsoluteError, huber(), binaryCrossEntropy,
  ]

  /// The loss of a name: `cross-entropy`, `mse`, `mae` or `bce`.
  ///
  /// - Throws: ``LossError/unknownName(_:)`` listing the known ones.
  public static func named(_ name: String) throws(LossError) -> Loss {
    guard let loss = all.first(where: { $0.name == name }) else {
      throw .unknownName(name)
    }
    return loss
  }

  /// The default loss for targets of a type: cross-entropy for integers, otherwise mean squared
  /// error.
  public static func standard(for targets: ElementType) -> Loss {
    targets.isInteger ? crossEntropy() : meanSquaredError
  }

  /// This loss of classes along a chosen axis.
  ///
  /// - Parameter classAxis: The axis, where the batch is axis 0 and negative axes count from the
  ///   end.
  /// - Returns: The loss.
  /// - Throws: ``LossError/noClasses(loss:)`` when the loss has none.
  public func withClasses(along classAxis: Int) throws(LossError) -> Loss {
    guard case .classes = targets else { throw .noClasses(loss: name) }
    return Loss(name, .classes(axis: classAxis), settings, body)
  }

  /// This loss of classes along the axis that was found.
  package func withClasses(at found: ClassAxis) -> Loss {
    Loss(name, .classes(axis: found.axis), settings, body)
  }
}

extension Loss {
  /// The activation that the loss includes for predictions whose classes lie along an axis; nil if
  /// it uses predictions as they are.
  package func activation(classAxis: Int?) -> Activation? {
    switch targets {
    case .classes: classAxis.map { .softmax(axis: $0) }
    case .binary: .sigmoid
    case .values, .any: nil
    }
  }

  /// The class axis; nil if the loss has no classes.
  fileprivate func classAxis(
    for prediction: Symbol, _ target: Symbol
  ) throws(LossError) -> ClassAxis? {
    guard case .classes(let chosen) = targets else { return nil }
    return try ClassAxis(
      predictions: prediction.shape, targets: target.type, chosen: chosen,
      softmaxAxis: NetworkEnd(of: prediction.id, in: prediction.builder.result).softmaxAxis,
      loss: name)
  }

  /// The trace for a network that may end with the activation that the loss includes.
  var traceBeforeActivation: Program.LossTrace {
    { prediction, target in
      let axis = try classAxis(for: prediction, target)
      let builder = prediction.builder
      let final = activation(classAxis: axis?.axis).flatMap {
        NetworkEnd(of: prediction.id, in: builder.result).final($0)
      }
      let logits = try final.map { try $0.arranged(builder.symbol($0.input)) } ?? prediction
      return try body(logits, target, axis)
    }
  }
}

extension Symbol {
  /// This less the targets of a loss, which must be of its type.
  fileprivate func difference(from targets: Symbol, _ loss: String) throws -> Symbol {
    let targets = try targets.aligned(with: self)
    guard type == targets.type else {
      throw GraphError(
        path: builder.path, operation: loss,
        expected: "targets of the predictions' type \(type)", got: "\(targets.type)")
    }
    return try self - targets
  }

  /// The same values with the classes of `axis` along axis 1, and all other positions in one axis
  /// where that moves nothing.
  fileprivate func withClasses(from axis: Int) throws -> Symbol {
    if axis == 1 { return self }
    if axis == shape.rank - 1 {
      let classCount = shape[axis]
      let placeCount = shape.dimensions[..<axis].reduce(1, *)
      return try reshaped(exactlyTo: [placeCount, classCount])
    }
    var order = Array(0..<shape.rank)
    order.insert(order.remove(at: axis), at: 1)
    return try transposed(order)
  }

  /// The shape without the classes along axis 1.
  fileprivate var placeShape: Shape { Shape([shape[0]] + shape.dimensions[2...]) }

  /// The same values in the shape of `predictions`, where a last axis of size 1 is all that differs.
  fileprivate func aligned(with predictions: Symbol) throws -> Symbol {
    guard shape.differsByUnit(from: predictions.shape) else { return self }
    return try reshaped(exactlyTo: predictions.shape)
  }
}

extension Shape {
  /// Whether a last axis of size 1 makes one of two shapes the other.
  package func differsByUnit(from other: Shape) -> Bool {
    dimensions == other.dimensions + [1] || dimensions + [1] == other.dimensions
  }
}

/// A loss that doesn't exist, or that doesn't suit the predictions and targets.
public enum LossError: Error, Equatable, Sendable {
  /// A name that no loss has.
  case unknownName(String)
  /// A class axis for a loss without classes.
  case noClasses(loss: String)
  /// A class axis that the predictions don't have, or that is the batch axis.
  case classAxis(loss: String, axis: Int, predictions: Shape)
  /// Targets that don't fit the predictions.
  case targets(loss: String, expected: String, got: String, advice: String)
}

extension LossError: CustomStringConvertible {
  /// What was expected and got.
  public var description: String {
    switch self {
    case .unknownName(let name):
      "loss: expected one of \(Loss.all.map(\.name).joined(separator: ", ")), got \"\(name)\""
    case .noClasses(let loss):
      "class axis: expected a loss with classes, \(Loss.crossEntropy().name), got \(loss); omit the axis"
    case .classAxis(let loss, let axis, let predictions):
      "class axis of \(loss): expected an axis of predictions \(predictions.batchText) from 1 to "
        + "\(predictions.rank - 1) (axis 0 is the batch), got \(axis)"
    case .targets(let loss, let expected, let got, let advice):
      "\(loss): expected \(expected), got \(got); \(advice)"
    }
  }
}
