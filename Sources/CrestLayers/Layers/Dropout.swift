public import CrestGraph
import CrestTensor

/// Zeroes a random fraction of the elements in training (Srivastava and others 2014; ONNX
/// `Dropout`).
///
///     y = x / (1 - rate) with probability 1 - rate, else 0
///
/// In inference y = x. Which elements are zeroed depends only on the run's seed, the step and the
/// element's index, so a step can be repeated.
public struct Dropout: Layer {
  /// The scope.
  public let name: String?
  /// The fraction that is zeroed.
  public let rate: Double

  /// A layer that zeroes `rate` of the elements.
  ///
  /// - Precondition: `rate` is at least 0 and below 1.
  public init(_ rate: Double, name: String = "dropout") {
    programmerError(
      unless: rate >= 0 && rate < 1, "\(name): the rate is \(rate), not from 0 to below 1")
    self.rate = rate
    self.name = name
  }

  /// The elements kept, scaled up.
  public func trace(_ x: Symbol) throws -> Symbol { try x.dropout(rate) }
}
