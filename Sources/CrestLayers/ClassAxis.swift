public import CrestGraph
public import CrestTensor

extension Loss {
  /// The axis of predictions along which classes lie, and how it was found.
  ///
  /// Labels have the shape of the predictions without that axis, target probabilities the shape of
  /// the predictions. ONNX, PyTorch and Crest's layers have classes along axis 1, language models and
  /// Keras along the last. Where the shapes allow both, the first of these decides: the axis that the
  /// model was trained with; the only axis along which all target probabilities sum to 1; the
  /// network's final softmax; ONNX's axis 1.
  public struct ClassAxis: Sendable, Hashable {
    /// What decided.
    public enum Reason: Sendable, Hashable {
      /// The user chose the axis.
      case chosen
      /// The model was trained with it.
      case model
      /// The shapes allow no other.
      case shapes
      /// The target probabilities sum to 1 along it, and along no other.
      case targetSums
      /// The network's final softmax runs along it.
      case finalSoftmax
      /// ONNX has classes there.
      case convention
    }

    /// The axis, where the batch is axis 0.
    public let axis: Int
    /// The other axis that the shapes allow; nil if they allow only one, or the user chose.
    public let alternative: Int?
    /// What decided.
    public let reason: Reason

    /// Finds the axis.
    ///
    /// - Parameters:
    ///   - predictions: The shape of a batch of predictions.
    ///   - targets: The type of a batch of targets: labels if integers, otherwise probabilities.
    ///   - chosen: The axis that the user chose, counted from the end if negative; nil to find it.
    ///   - modelAxis: The axis that the model was trained with; nil if unknown. It is ignored where
    ///     the shapes don't allow it.
    ///   - summingAxes: The axes along which all target probabilities sum to 1; nil if not computed.
    ///   - softmaxAxis: The axis of the network's final softmax; nil if it has none.
    ///   - loss: The name of the loss in errors.
    /// - Throws: ``LossError/classAxis(loss:axis:predictions:)`` if the chosen axis is the batch or
    ///   out of range, ``LossError/targets(loss:expected:got:advice:)`` if the shapes fit along no
    ///   axis.
    public init(
      predictions: Shape, targets: ValueType, chosen: Int? = nil, modelAxis: Int? = nil,
      summingAxes: Set<Int>? = nil, softmaxAxis: Int? = nil, loss: String
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
        (self.axis, alternative, reason) = (axis, nil, .chosen)
        return
      }
      let conventions = Self.candidates(ofRank: rank)
      let fitting = conventions.filter(fits)
      let ofModel = modelAxis.flatMap { (1..<max(rank, 1)).contains($0) && fits($0) ? $0 : nil }
      let sums = fitting.filter { summingAxes?.contains($0) ?? false }
      guard let first = fitting.first ?? ofModel else {
        throw Self.mismatch(loss, predictions, targets, along: conventions)
      }
      let found: (axis: Int, reason: Reason) =
        if let ofModel {
          (ofModel, .model)
        } else if fitting.count == 1 {
          (first, .shapes)
        } else if sums.count == 1 {
          (sums[0], .targetSums)
        } else if let softmaxAxis, fitting.contains(softmaxAxis) {
          (softmaxAxis, .finalSoftmax)
        } else {
          (first, .convention)
        }
      (axis, reason) = found
      alternative = fitting.first { $0 != found.axis }
    }

    /// The axes along which classes may lie in predictions of a rank, if the user chose none.
    package static func candidates(ofRank rank: Int) -> [Int] {
      rank > 2 ? [1, rank - 1] : rank == 2 ? [1] : []
    }

    private static func mismatch(
      _ loss: String, _ predictions: Shape, _ targets: ValueType, along axes: [Int]
    ) -> LossError {
      guard !axes.isEmpty else {
        return .targets(
          loss: loss, expected: "predictions [N, C, …] of C classes", got: predictions.batchText,
          advice: "give the network one output per class")
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
          ? "for binary labels choose the loss \(Loss.binaryCrossEntropy.name)"
          : "give targets of that shape, or choose a network for these")
    }
  }
}

extension Shape {
  /// The shape of a batch for messages, with N for its number of examples.
  package var batchText: String {
    "[" + (["N"] + dimensions.dropFirst().map(String.init)).joined(separator: ", ") + "]"
  }

  /// The sizes of all axes but one.
  fileprivate func dimensions(without axis: Int) -> [Int] {
    Array(dimensions[..<axis]) + Array(dimensions[(axis + 1)...])
  }
}
