import CrestGraph
import CrestRuntime
import CrestTensor

extension NamedLoss {
  static let sequences = [
    NamedLoss(
      "ctc",
      [
        .init("blank", .wholeNumber(labels)), .init("padding", .wholeNumber(Loss.labelRange)),
        .init("class-axis", .wholeNumber(1...2)), .init("zero-infinity", .flag),
        .init("by-length", .flag),
      ], pyTorch: "CTCLoss", keras: "CTC"
    ) {
      .ctc(
        blank: $0.wholeNumber("blank") ?? 0, padding: $0.wholeNumber("padding") ?? 0,
        classAxis: $0.wholeNumber("class-axis") ?? -1,
        zeroInfinity: $0.flag("zero-infinity") ?? false, byLength: $0.flag("by-length") ?? true)
    }
  ]

  private static let labels = 0...Loss.labelRange.upperBound
}

extension Loss {
  /// The negative log-likelihood of label sequences, however they are spread over time (PyTorch `CTCLoss`, Keras
  /// `CTC`; Graves and others 2006).
  ///
  ///     loss = -log P(labels | softmax(prediction)) / length
  ///
  /// Predictions are logits [N, T, C], targets labels [N, S] of an integer type. Labels that are padding or blank don't
  /// count; the others are a sequence's labels in order, of which there may be none. All T steps count. A sequence of
  /// which no path becomes its labels, as T is less than its labels and repetitions, has the loss ∞.
  ///
  /// - Parameters:
  ///   - blank: The class between labels.
  ///   - padding: What fills up the labels of shorter sequences.
  ///   - classAxis: The axis of the classes: -1 or 2, or 1 for predictions [N, C, T].
  ///   - zeroInfinity: Whether a loss of ∞ is 0 instead, and so are its gradients.
  ///   - byLength: Whether each loss is divided by the sequence's number of labels, or 1 if it has none, as PyTorch's
  ///     mean does; Keras's does not.
  /// - Returns: The loss.
  /// - Precondition: blank is a class, padding a label that `float32` can hold, the axis one of those.
  public static func ctc(
    blank: Int = 0, padding: Int = 0, classAxis: Int = -1, zeroInfinity: Bool = false,
    byLength: Bool = true
  ) -> Loss {
    programmerError(
      unless: blank >= 0 && labelRange.contains(blank) && labelRange.contains(padding),
      "the blank is \(blank) and the padding \(padding), not in 0 … and \(labelRange)")
    programmerError(
      unless: [-2, -1, 1, 2].contains(classAxis), "the class axis is \(classAxis), not 1 or 2")
    let isLast = classAxis == -1 || classAxis == 2
    let settings = [
      "blank": "\(blank)", "padding": "\(padding)", "classAxis": isLast ? "2" : "1",
      "zeroInfinity": "\(zeroInfinity)", "byLength": "\(byLength)",
    ]
    return Loss("ctc", .any, settings, traits: .of(.any) { $0.judges = .none }) { x, target, _ in
      guard x.shape.rank == 3, target.elementType.isInteger, target.shape.rank == 2 else {
        throw GraphError(
          path: x.builder.path, operation: "ctc",
          expected: "predictions [N, \(isLast ? "T, C" : "C, T")] and integer labels [N, S]",
          got: "\(x.type) and \(target.type)")
      }
      let labels = try target.cast(to: .int64)
      let losses = try (isLast ? x : x.transposed([0, 2, 1])).ctcLoss(
        labels: labels, blank: blank, padding: padding, zeroInfinity: zeroInfinity)
      guard byLength else { return Program.LossTerms(losses) }
      let numbers = try labels.cast(to: x.elementType)
      var counts = try 1 - numbers.equalMask(numbers.scalar(Double(blank)))
      if padding != blank {
        counts = try counts * (1 - numbers.equalMask(numbers.scalar(Double(padding))))
      }
      let length = try counts.sum(axes: [1], keepingDimensions: false)
      return Program.LossTerms(try losses / length.maximum(length.scalar(1)))
    }
  }
}
