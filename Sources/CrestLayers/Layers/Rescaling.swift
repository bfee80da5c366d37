public import CrestGraph
import CrestTensor

/// x · scale + offset, with fixed numbers (Keras `Rescaling`).
///
/// Behind the last layer, a scale below 1 keeps the first logits small.
public struct Rescaling: Layer {
  /// The scope.
  public let name: String?
  /// The factor.
  public let scale: Double
  /// What is added after that.
  public let offset: Double

  /// The layer.
  ///
  /// - Precondition: both numbers are finite.
  public init(_ scale: Double, offset: Double = 0, name: String = "rescaling") {
    programmerError(
      unless: scale.isFinite && offset.isFinite,
      "\(name): scale \(scale) and offset \(offset); both must be finite")
    self.name = name
    (self.scale, self.offset) = (scale, offset)
  }

  /// x · scale + offset.
  public func trace(_ x: Symbol) throws -> Symbol {
    let scaled = try x * scale
    return offset == 0 ? scaled : try scaled + offset
  }
}
