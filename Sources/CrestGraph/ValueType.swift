public import CrestTensor

/// What is known of a value before it is computed: its element type and its shape.
public struct ValueType: Sendable, Hashable, CustomStringConvertible {
  /// The type of every element.
  public var elementType: ElementType
  /// The sizes of the dimensions.
  public var shape: Shape

  /// A value of `shape`, of `float32` unless said otherwise.
  public init(_ shape: Shape, _ elementType: ElementType = .float32) {
    self.shape = shape
    self.elementType = elementType
  }

  /// As in `float32 [64, 3, 32, 32]`.
  public var description: String { "\(elementType) \(shape)" }
}

extension Graph {
  /// Whether a graph is run to learn or to predict; batch norm and dropout differ.
  public enum ExecutionMode: String, Sendable, Hashable, CaseIterable {
    /// Statistics of the batch, dropout on.
    case training
    /// Running statistics, dropout off.
    case inference
  }

  /// The part of a training step a node belongs to; callbacks run between the parts.
  public enum Stage: Int, Sendable, Hashable, CaseIterable, Comparable {
    /// From inputs to predictions.
    case forward
    /// From predictions and targets to the loss.
    case loss
    /// From the loss to the gradients of the parameters.
    case backward

    /// Whether `left` runs before `right`.
    public static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
  }
}
