public import CrestRuntime

extension WeightDecay {
  /// How weight decay enters a step.
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Added to the gradient: L2 regularisation (PyTorch's `weight_decay` of SGD and Adam).
    case l2
    /// Separate from the gradient: w ← w · (1 - rate · decay) (Loshchilov & Hutter 2019; AdamW,
    /// fastai).
    case decoupled
  }

  /// Which parameters weight decay applies to.
  public enum Targets: String, Sendable, Hashable, Codable, CaseIterable {
    /// Weights only, not biases or the scales and shifts of normalisations (fastai's default).
    case weights
    /// All parameters (PyTorch's default).
    case all
  }
}
