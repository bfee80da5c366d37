public import CrestGraph
import CrestTensor

/// Half of the features times an activation of the other half (Dauphin and others 2017; Shazeer 2020; PyTorch `GLU`).
///
///     y = a · f(b), x being a and b one after the other along the axis
///
/// The axis of y has half the size.
public struct GLU: Layer {
  /// What gates.
  public enum Gate: String, Sendable, Hashable, CaseIterable {
    /// 1 / (1 + e⁻ᵇ): GLU.
    case sigmoid
    /// b itself: the bilinear form.
    case linear
    /// max(b, 0): ReGLU.
    case relu
    /// b · Φ(b): GEGLU.
    case gelu
    /// b · sigmoid(b): SwiGLU.
    case silu
  }

  /// The scope.
  public let name: String?
  /// The activation of the gate.
  public let gate: Gate
  /// The axis that is halved.
  public let axis: Int

  /// The layer; a negative axis counts from the end.
  public init(_ gate: Gate = .sigmoid, axis: Int = -1, name: String = "glu") {
    (self.gate, self.axis, self.name) = (gate, axis, name)
  }

  /// a · f(b).
  ///
  /// - Throws: `GraphError` when the axis is out of range or of an odd size.
  public func trace(_ x: Symbol) throws -> Symbol {
    guard let resolved = x.shape.resolved(axis: axis), x.shape[resolved] % 2 == 0 else {
      throw GraphError(
        path: x.builder.path, operation: "GLU", expected: "an axis of an even size, number \(axis)",
        got: "\(x.shape)")
    }
    let halves = try x.split(count: 2, axis: resolved)
    let (a, b) = (halves[0], halves[1])
    return switch gate {
    case .sigmoid: try a * b.sigmoid()
    case .linear: try a * b
    case .relu: try a * b.relu()
    case .gelu: try a * b.gelu()
    case .silu: try a * b * b.sigmoid()
    }
  }
}
