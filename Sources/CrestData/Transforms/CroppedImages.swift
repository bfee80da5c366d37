import CrestTensor

/// A set whose images can be cut before they are brought to their size.
package protocol CroppedImages: Dataset {
  /// Whether they can.
  var areCroppable: Bool { get }

  /// Writes examples as `write(_:into:)`, each of the part that `part` names for the row and the image's height and
  /// width; it may be called on any thread.
  func write(
    _ examples: ArraySlice<Int>, into batch: inout Batch,
    part: @Sendable (_ row: Int, _ height: Int, _ width: Int) -> ImagePart) throws
}

extension Subset: CroppedImages {
  /// Whether the whole set's can.
  package var areCroppable: Bool { (base as? any CroppedImages)?.areCroppable ?? false }

  /// Writes parts of the whole set's images.
  package func write(
    _ examples: ArraySlice<Int>, into batch: inout Batch,
    part: @Sendable (_ row: Int, _ height: Int, _ width: Int) -> ImagePart
  ) throws {
    guard let base = base as? any CroppedImages else {
      programmerError("\(name) can't be cropped")
    }
    try base.write(chosen(examples)[...], into: &batch, part: part)
  }
}
