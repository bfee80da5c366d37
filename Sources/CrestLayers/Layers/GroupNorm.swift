public import CrestGraph
import CrestTensor

/// Normalisation of groups of channels, separately for each example (Wu & He 2018; PyTorch
/// `GroupNorm`, Keras `GroupNormalization`).
///
///     y = (x - mean) / √(variance + ε) · weight + bias
///
/// x and y are [N, C, spatial…]; mean and population variance are over the C / groups channels of a
/// group and all spatial positions. Training and inference are the same, for any batch size.
/// Parameters: `weight` [C], from 1, and `bias` [C], from 0. One group is a layer norm over
/// channels and positions, C groups an instance norm.
public struct GroupNorm: Layer {
  /// The scope.
  public let name: String?
  /// Into how many groups the channels are split.
  public let groups: Int
  /// What is added to the variance before the root.
  public let epsilon: Double

  /// Creates a group norm.
  ///
  /// - Parameters:
  ///   - groups: The number of groups into which the channels are split; it divides their number.
  ///   - epsilon: Added to the variance before the root.
  ///   - name: The scope.
  /// - Precondition: `groups` is positive, `epsilon` is finite and not negative.
  public init(_ groups: Int, epsilon: Double = 1e-5, name: String = "group_norm") {
    programmerError(unless: groups > 0, "\(name): \(groups) groups")
    programmerError(
      unless: epsilon >= 0 && epsilon.isFinite, "\(name): ε is \(epsilon), not at least 0")
    (self.groups, self.epsilon, self.name) = (groups, epsilon, name)
  }

  /// Traces the normalisation.
  ///
  /// - Throws: `GraphError` when x isn't [N, C, spatial…], or the groups don't divide C.
  public func trace(_ x: Symbol) throws -> Symbol {
    guard x.shape.rank >= 3 else {
      throw GraphError(
        path: x.builder.path, operation: "GroupNormalization",
        expected: "an input [N, C, spatial…]", got: "\(x.shape)")
    }
    let channels = x.shape[1]
    return try x.groupNormalized(
      groups: groups,
      scale: x.parameter("weight", [channels], role: .normalizationScale, .ones),
      bias: x.parameter("bias", [channels], role: .normalizationShift, .zeros), epsilon: epsilon)
  }
}
