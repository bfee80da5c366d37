extension Learner {
  /// How freezing affects normalisations, whose parameters are scales and shifts.
  ///
  /// Frameworks differ, and a network that is fine-tuned differs with them.
  public enum FrozenNormalization: String, Sendable, Hashable, Codable, CaseIterable {
    /// Everything is frozen: batch norm uses its running statistics, which don't change, as in
    /// inference (Keras's `trainable = False`).
    case inference
    /// Scales and shifts are frozen; batch norm still uses the statistics of the batch and updates
    /// the running ones (PyTorch's `requires_grad = False`).
    case statistics
    /// Nothing is frozen: scales, shifts and running statistics are trained (fastai's
    /// `train_bn=True`).
    case trained
  }
}
