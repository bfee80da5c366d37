package import CrestTensor

/// A transform that moves pixels, and so can be made in one interpolation with others.
package protocol GeometricTransform: Transform {
  /// What lies outside of the image.
  var padding: ImagePadding { get }
  /// How pixels move; nil for not at all.
  func projection(of shape: Shape, _ random: ExampleRandom) -> Projection?
}

extension GeometricTransform {
  /// Pixels are moved.
  public var stage: TransformStage { .geometry }

  /// Any image can be moved.
  public func objection(to shape: Shape) -> String? { nil }

  /// Moves the pixels.
  public func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    require(image, shape, scratch)
    guard let projection = projection(of: shape, random) else { return }
    _ = scratch.update(fromContentsOf: image)
    projection.project(scratch, shape: shape, padding: padding, to: image)
  }

  /// As in `rotate(degrees 10, probability 0.75, reflection)`.
  func name(_ word: String, _ settings: (String, Double)...) -> String {
    let texts = settings.map { "\($0.0) \(Preprocessing.short($0.1))" } + [padding.rawValue]
    return "\(word)(\(texts.joined(separator: ", ")))"
  }
}
