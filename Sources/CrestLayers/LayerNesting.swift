import CrestGraph
import CrestTensor

/// A layer that holds others.
protocol NestedLayer: Layer {
  /// How deep layers lie in each other in it, itself included.
  var nesting: Int { get }
}

/// How deep layers may lie in each other.
///
/// Tracing and freeing layers goes down into each, and a stack that is used up ends a program without a word.
enum LayerNesting {
  /// Far more than any network has, and little for a thread's stack.
  static let limit = GraphBuilder.nestingLimit

  /// How deep it gets with one more around `layers`.
  ///
  /// - Precondition: it is at most ``limit``.
  static func around(_ layers: [any Layer]) -> Int {
    let depth = 1 + layers.reduce(0) { max($0, ($1 as? any NestedLayer)?.nesting ?? 0) }
    programmerError(
      unless: depth <= limit,
      "layers lie more than \(limit) deep in each other; put them one after the other in one Sequential"
    )
    return depth
  }
}
