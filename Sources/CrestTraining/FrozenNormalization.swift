/// What freezing does to normalisations, whose parameters are scales and shifts.
///
/// Frameworks differ, and a network that is fine-tuned differs with them.
public enum FrozenNormalization: String, Sendable, Hashable, Codable, CaseIterable {
  /// All of them stays: batch norm computes with its running statistics, which don't change, as in
  /// inference (Keras's `trainable = False`).
  case inference
  /// Scales and shifts stay; batch norm goes on to compute with the statistics of the batch, and the
  /// running ones follow (PyTorch's `requires_grad = False`).
  case statistics
  /// They are not frozen: scales, shifts and running statistics go on (fastai's `train_bn=True`).
  case trained
}
