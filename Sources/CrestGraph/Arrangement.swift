/// How an operation arranges the elements of its first input in its first output, each as it is.
package enum Arrangement: Sendable, Equatable {
  /// In the same order, under another shape.
  case reshaped
  /// Along axes in another order: output axis i is input axis permutation[i].
  case transposed([Int])
  /// Each repeated, by NumPy's rule.
  case repeated
  /// Only those at some indices along axes.
  case picked
}
