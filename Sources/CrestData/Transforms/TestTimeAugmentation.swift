public import CrestTensor

/// Several views of each image whose predictions are averaged (fastai's `tta`).
///
///     prediction = Σ weight · network(view),   the weights of all views summing to 1
///
/// The predictions are the network's outputs, logits unless it ends in an activation.
public struct TestTimeAugmentation: Sendable, Hashable, CustomStringConvertible {
  /// An image, shifted and mirrored.
  struct View: Sendable, Hashable {
    let weight: Float
    let isMirrored: Bool
    /// By how many pixels the window lies below, and to the right of, the image.
    var shift = 0
  }

  let views: [View]
  /// The name on the command line.
  public let name: String
  /// The name.
  public var description: String { name }

  /// The image and its mirror, a half each.
  public static let mirror = TestTimeAugmentation(
    views: [View(weight: 0.5, isMirrored: false), View(weight: 0.5, isMirrored: true)],
    name: "mirror")

  /// A half of ``mirror``, and a half of it for windows shifted by a pixel up and left, and down and right, whose
  /// border shows the image reflected.
  ///
  /// Jordan, *94% on CIFAR-10 in 3.29 seconds*, 2024, section 3.5.
  public static let mirrorAndShift = TestTimeAugmentation(
    views: [(0, 0.25), (-1, 0.125), (1, 0.125)].flatMap { (shift: Int, weight: Float) in
      [false, true].map { View(weight: weight, isMirrored: $0, shift: shift) }
    }, name: "mirror-and-shift")

  /// All that have a name.
  public static let all = [mirror, mirrorAndShift]

  /// Why it can't be used with inputs of these types, each for one example; nil if it can.
  ///
  /// - Parameters:
  ///   - inputs: The element type and shape of each input.
  ///   - prediction: The shape of one example's prediction.
  /// - Returns: The reason.
  public func objection(
    toInputs inputs: [(elementType: ElementType, shape: Shape)], prediction: Shape
  ) -> String? {
    guard inputs.count == 1, inputs[0].elementType == .float32, inputs[0].shape.rank == 3 else {
      let got = inputs.map { "\($0.elementType) \($0.shape)" }.joined(separator: ", ")
      return
        "it takes one input of float32 images [channels, height, width], and the network takes \(got)"
    }
    // Three rows of a narrow image are no channels at the end.
    guard
      ImageArrangement.channelCounts.contains(inputs[0].shape[0])
        || Preprocessing.Layout(ofImages: inputs[0].shape) != .channelsLast
    else {
      return
        "it takes images with channels first, and the network's, \(inputs[0].shape), have them last"
    }
    guard prediction.rank <= 1 else {
      return "it averages one row of numbers an image, and the network predicts \(prediction)"
    }
    let (rows, columns) = (inputs[0].shape[1], inputs[0].shape[2])
    let farthest = views.map(\.shift.magnitude).max() ?? 0
    guard farthest < min(rows, columns) else {
      return "it takes images of more than \(farthest) rows and columns, got \(rows) × \(columns)"
    }
    return nil
  }

  /// The mean of what `predict` makes of each view.
  ///
  /// - Parameters:
  ///   - images: [N, C, H, W] of `float32`.
  ///   - predict: Gives `float32` predictions, of one shape, for a view of all images.
  /// - Returns: Their mean.
  /// - Throws: What `predict` throws.
  /// - Precondition: ``objection(toInputs:prediction:)`` has none.
  public func average(
    of images: Tensor, _ predict: (Tensor) throws -> Tensor
  ) throws -> Tensor {
    programmerError(
      unless: images.shape.rank == 4 && images.elementType == .float32,
      "\(name) of \(images.typeDescription), not of images")
    var mean: Tensor?
    for view in views {
      var prediction = try predict(view.isPlain ? images : images.seen(as: view))
      programmerError(
        unless: prediction.elementType == .float32
          && (mean.map { $0.shape == prediction.shape } ?? true),
        "a view's prediction is \(prediction.typeDescription)")
      prediction.withMutableElements(as: Float.self) { values in
        guard let mean else {
          for place in values.indices { values[place] *= view.weight }
          return
        }
        mean.withElements(as: Float.self) { sums in
          for place in values.indices { values[place] = sums[place] + view.weight * values[place] }
        }
      }
      mean = prediction
    }
    guard let mean else { programmerError("\(name) has no views") }
    return mean
  }
}

extension TestTimeAugmentation.View {
  fileprivate var isPlain: Bool { !isMirrored && shift == 0 }
}

extension Tensor {
  /// Images [N, C, H, W] in a view.
  fileprivate func seen(as view: TestTimeAugmentation.View) -> Tensor {
    let (rows, columns) = (shape[2], shape[3])
    func reflected(_ position: Int, _ count: Int) -> Int {
      position < 0 ? -position : position < count ? position : 2 * (count - 1) - position
    }
    let sources = (0..<columns).map { column in
      reflected((view.isMirrored ? columns - 1 - column : column) + view.shift, columns)
    }
    var seen = self
    seen.withMutableElements(as: Float.self) { output in
      withElements(as: Float.self) { input in
        for plane in stride(from: 0, to: output.count, by: rows * columns) {
          for row in 0..<rows {
            let source = plane + reflected(row + view.shift, rows) * columns
            let target = plane + row * columns
            for column in 0..<columns { output[target + column] = input[source + sources[column]] }
          }
        }
      }
    }
    return seen
  }
}
