import CrestData
public import CrestLayers
import CrestRuntime
import CrestTensor

extension Learner {
  /// Lets a convolution of the images whiten their patches, by the filters of `PatchWhitening`.
  ///
  /// Looks at training images in the set's order, preprocessed but not augmented. Usually the filters then stay:
  ///
  /// ```swift
  /// try learner.whitenPatches(by: "whiten.weight")
  /// try learner.freeze(.matching("whiten.weight"))
  /// ```
  ///
  /// - Parameters:
  ///   - name: The weight of a convolution that reads the images, [2 · C · height · width, C, height, width] for
  ///     images of C channels.
  ///   - imageCount: How many images to look at, or all if there are fewer.
  ///   - epsilon: Added to the variance in each direction.
  /// - Returns: The eigenvalues and the filters.
  /// - Throws: `PatchWhiteningError`; what the data threw.
  /// - Precondition: no fit is running.
  @discardableResult
  public func whitenPatches(
    by name: String, imageCount: Int = 5000, epsilon: Double = 5e-4
  ) throws -> PatchWhitening {
    programmerError(unless: loop == nil, "patches were whitened during a fit")
    programmerError(unless: imageCount >= 1, "patches of \(imageCount) images were to be whitened")
    let store = model.store
    guard let entry = store.parameters.first(where: { $0.name == name }) else {
      throw PatchWhiteningError.parameter(
        name, expected: "a parameter of the model", got: "none of that name")
    }
    let count = min(imageCount, data.train.count)
    guard count > 0 else { throw LearnerError.emptyData(name: data.train.name) }
    let loader = try DataLoader(
      data.train, batchSize: count, seed: seed, shuffle: false, prefetch: 0)
    guard let batch = try loader.batches(epoch: 0).next(), batch.inputs.count == 1 else {
      throw PatchWhiteningError.images(
        expected: "one input", got: "\(data.train.inputs.count) of them")
    }
    let images = batch.inputs[0]
    guard entry.shape.rank == 4, images.shape.rank == 4, entry.shape[1] == images.shape[1],
      entry.shape[0] == 2 * entry.shape.dropFirst().reduce(1, *)
    else {
      throw PatchWhiteningError.parameter(
        name,
        expected: "filters [2 · C · height · width, C, height, width] for images "
          + "[C, height, width]",
        got: "\(entry.shape) for \(Shape(Array(images.shape.dropFirst())))")
    }
    let whitening = try PatchWhitening(
      of: images, kernel: Size2D(height: entry.shape[2], width: entry.shape[3]), epsilon: epsilon)
    store.write(whitening.filters, to: entry)
    return whitening
  }
}
