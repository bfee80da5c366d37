/// A part of training that hooks surround and a ``Cancel`` can end, outermost first.
public enum Phase: Int, Sendable, Hashable, CaseIterable, Codable {
  /// A whole call of ``Learner/fit(epochs:learningRate:callbacks:)``.
  case fit
  /// One pass over the training examples and one over the validation examples.
  case epoch
  /// The pass over the training examples.
  case train
  /// The pass over the validation examples.
  case validate
  /// One batch of either pass.
  case batch
  /// From the loss to the gradients; in training only.
  case backward
  /// The optimiser's step; in training only.
  case step
}
