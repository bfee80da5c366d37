import CrestGraph
public import CrestRuntime
public import CrestTensor

/// What training makes small: a number for each element or example, whose mean is the loss.
public struct Loss: Sendable {
  /// The name, as the command takes it.
  public let name: String
  /// Traces the losses before their mean.
  public let trace: LossTrace
  /// The activation that is part of the loss, which therefore takes what goes into it; nil when the
  /// loss takes predictions as they are.
  public let activation: Activation?

  /// What turns logits into probabilities at the end of a network.
  public enum Activation: Sendable, Hashable {
    /// Probabilities of classes that exclude each other.
    case softmax
    /// Probabilities that are independent of each other.
    case sigmoid
  }

  /// A loss of one's own.
  ///
  /// - Parameters:
  ///   - name: What logs and errors call it.
  ///   - activation: The activation that the loss includes.
  ///   - trace: Traces the losses, of any shape, from predictions and targets; the mean over all of
  ///     them is minimised.
  public init(_ name: String, activation: Activation? = nil, trace: @escaping LossTrace) {
    self.name = name
    self.activation = activation
    self.trace = trace
  }

  /// Cross-entropy of logits (PyTorch `CrossEntropyLoss`, fastai `CrossEntropyLossFlat`).
  ///
  ///     loss = -Σ target · log softmax(prediction), over the classes
  ///
  /// Predictions are logits [N, C]; targets are labels [N] of an integer type, or probabilities
  /// [N, C].
  ///
  /// - Parameter labelSmoothing: s in (1 - s) · target + s / C (Szegedy et al. 2015).
  /// - Returns: The loss.
  /// - Precondition: `labelSmoothing` lies in 0 … 1.
  public static func crossEntropy(labelSmoothing: Double = 0) -> Loss {
    precondition(
      (0...1).contains(labelSmoothing), "label smoothing is \(labelSmoothing), not in 0 … 1")
    return Loss("cross-entropy", activation: .softmax) { prediction, target in
      try target.elementType.isInteger
        ? prediction.crossEntropy(labels: target, smoothing: labelSmoothing)
        : prediction.crossEntropy(probabilities: target, smoothing: labelSmoothing)
    }
  }

  /// The squared distance, (prediction - target)² (PyTorch `MSELoss`, Keras `mse`).
  ///
  /// Predictions and targets have one shape.
  public static let meanSquaredError = Loss("mse") { prediction, target in
    try prediction.squaredError(target)
  }

  /// The distance, |prediction - target| (PyTorch `L1Loss`, Keras `mae`).
  ///
  /// Predictions and targets have one shape.
  public static let meanAbsoluteError = Loss("mae") { prediction, target in
    guard prediction.type == target.type else {
      throw GraphError(
        path: prediction.builder.path, operation: "mae",
        expected: "targets of the predictions' type \(prediction.type)", got: "\(target.type)")
    }
    return try (prediction - target).absolute()
  }

  /// Cross-entropy of independent logits (PyTorch `BCEWithLogitsLoss`).
  ///
  ///     loss = log(1 + eˣ) - x · target
  ///
  /// Predictions are logits x; targets are probabilities of the same shape.
  public static let binaryCrossEntropy = Loss("bce", activation: .sigmoid) { prediction, target in
    try prediction.binaryCrossEntropy(ofLogitsWith: target)
  }

  /// The losses the command knows by name.
  public static let all = [
    crossEntropy(), meanSquaredError, meanAbsoluteError, binaryCrossEntropy,
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

  /// The loss for targets of a type: cross-entropy for integers, else mean squared error.
  public static func standard(for targets: ElementType) -> Loss {
    targets.isInteger ? crossEntropy() : meanSquaredError
  }
}

extension Loss {
  /// The trace for a network that may end with the activation that is part of the loss.
  var traceBeforeActivation: LossTrace {
    guard let activation else { return trace }
    return { [trace] prediction, target in
      try trace(prediction.beforeFinal(activation), target)
    }
  }
}

extension Symbol {
  /// What goes into the final activation, when it is this one; else the value itself.
  fileprivate func beforeFinal(_ activation: Loss.Activation) -> Symbol {
    let graph = builder.result
    guard case .node(let number, output: 0) = graph.values[id.index].origin else { return self }
    let node = graph.nodes[number]
    let isIncluded =
      switch activation {
      // Classes lie along axis 1.
      case .softmax: (node.operation as? CrestGraph.Softmax)?.axis == 1
      case .sigmoid: node.operation is CrestGraph.Sigmoid
      }
    return isIncluded ? builder.symbol(node.inputs[0]) : self
  }
}

/// A loss that can't be had.
public enum LossError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A name that no loss has.
  case unknownName(String)

  /// What was expected and got.
  public var description: String {
    switch self {
    case .unknownName(let name):
      "loss: expected one of \(Loss.all.map(\.name).joined(separator: ", ")), got \"\(name)\""
    }
  }
}
