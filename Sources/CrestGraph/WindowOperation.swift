package import CrestTensor

/// An operation whose window moves over spatial axes.
package protocol WindowOperation: GraphOperation {
  /// The same over images one element high, of an operation over sequences.
  var asImage: Self { get }
}

/// An operation for which all spatial axes are one, as it computes by channel.
package protocol ChannelOperation: GraphOperation {}

/// An operation over rows of classes, which lie along axis 1.
package protocol ClassOperation: GraphOperation {
  /// The inputs [C] that are one for all rows, by place.
  var classInputs: Set<Int> { get }
}

extension ClassOperation {
  package var classInputs: Set<Int> { [] }
}

extension Shape {
  /// A sequence [N, C, L] as an image [N, C, 1, L].
  package var asImage: Shape { Shape(dimensions.prefix(2) + [1] + dimensions.dropFirst(2)) }
}
