public import CrestGraph
public import CrestTensor

/// The axis of predictions along which classes lie, and how it was found.
///
/// Labels have the shape of the predictions without that axis, target probabilities the shape of the
/// predictions. ONNX, PyTorch and this library's own layers have classes along axis 1; language models
/// and Keras along the last. Where the shapes leave both, the network's final softmax decides, and
/// axis 1 where there is none.
public struct ClassAxis: Sendable, Hashable {
  /// The axis, counted with the batch.
  public let axis: Int
  /// The other axis that the shapes would allow; nil when they decide.
  public let alternative: Int?
  /// Whether somebody chose the axis.
  public let isChosen: Bool
  /// Whether the network's final softmax runs along the axis.
  public let isOfFinalSoftmax: Bool

  /// Finds the axis.
  ///
  /// - Parameters:
  ///   - predictions: The shape of a batch of predictions.
  ///   - targets: The type of a batch of targets: labels when whole numbers, else probabilities.
  ///   - chosen: The axis that somebody chose, counted from the end when negative; nil to find it.
  ///   - softmaxAxis: The axis of the softmax that the network ends in; nil when it ends otherwise.
  ///   - loss: What errors call the loss.
  /// - Throws: ``LossError/classAxis(loss:axis:predictions:)`` when the chosen axis is none of the
  ///   predictions' but the batch, ``LossError/targets(loss:expected:got:advice:)`` when the shapes fit
  ///   along none.
  public init(
    predictions: Shape, targets: ValueType, chosen: Int? = nil, softmaxAxis: Int? = nil,
    loss: String
  ) throws(LossError) {
    let rank = predictions.rank
    func fits(_ axis: Int) -> Bool {
      targets.elementType.isInteger || targets.elementType == .bool
        ? targets.shape.dimensions == predictions.dimensions(without: axis)
        : targets.shape == predictions
    }
    if let chosen {
      let axis = chosen < 0 ? chosen + rank : chosen
      guard (1..<max(rank, 1)).contains(axis) else {
        throw .classAxis(loss: loss, axis: chosen, predictions: predictions)
      }
      guard fits(axis) else {
        throw Self.mismatch(loss, predictions, targets, along: [axis])
      }
      (self.axis, alternative, isChosen) = (axis, nil, true)
      isOfFinalSoftmax = softmaxAxis == axis
      return
    }
    let conventions = rank > 2 ? [1, rank - 1] : rank == 2 ? [1] : []
    let fitting = conventions.filter(fits)
    guard let first = fitting.first else {
      throw Self.mismatch(loss, predictions, targets, along: conventions)
    }
    axis = fitting.first { $0 == softmaxAxis } ?? first
    alternative = fitting.first { [axis] in $0 != axis }
    isChosen = false
    isOfFinalSoftmax = softmaxAxis == axis
  }

  private static func mismatch(
    _ loss: String, _ predictions: Shape, _ targets: ValueType, along axes: [Int]
  ) -> LossError {
    guard !axes.isEmpty else {
      return .targets(
        loss: loss, expected: "predictions [N, C, …] of C classes", got: predictions.batchText,
        advice: "let the network have an output for each class")
    }
    let isLabels = targets.elementType.isInteger || targets.elementType == .bool
    let expected =
      isLabels
      ? axes.map { axis in
        "labels \(Shape(predictions.dimensions(without: axis)).batchText) (classes along axis \(axis))"
      }.joined(separator: " or ")
      : "target probabilities of the same shape"
    return .targets(
      loss: loss, expected: "\(expected) for predictions \(predictions.batchText)",
      got: "\(targets.elementType) \(targets.shape.batchText)",
      advice: isLabels && targets.shape == predictions
        ? "for a yes or no at each place choose the loss \(Loss.binaryCrossEntropy.name)"
        : "give targets of that shape, or choose a network for these")
  }
}

extension Shape {
  /// The shape of a batch as messages have it: its number of examples is N.
  package var batchText: String {
    "[" + (["N"] + dimensions.dropFirst().map(String.init)).joined(separator: ", ") + "]"
  }

  /// The sizes of all axes but one.
  fileprivate func dimensions(without axis: Int) -> [Int] {
    Array(dimensions[..<axis]) + Array(dimensions[(axis + 1)...])
  }
}
