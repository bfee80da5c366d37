package import CrestGraph

extension Program {
  /// The losses of a batch as they are traced, and how they become the number that is minimised.
  ///
  ///     mean of elements     Σ losses / count
  ///     weighted mean        Σ losses / Σ weights; 0 where no weight is above 0
  ///     sum                  Σ losses
  package struct LossTerms {
    /// The losses, of any shape, each times its weight.
    package let losses: Symbol
    /// What their sum is divided by the sum of; nil for how many they are.
    package let weights: Symbol?
    /// Whether their sum is minimised rather than a mean.
    package let isSum: Bool

    package init(_ losses: Symbol, weights: Symbol? = nil, isSum: Bool = false) {
      self.losses = losses
      self.weights = isSum ? nil : weights
      self.isSum = isSum
    }

    /// Traces losses without weights.
    static func trace(_ losses: @escaping LossTrace) -> LossTermsTrace {
      { prediction, target in LossTerms(try losses(prediction, target)) }
    }

    /// The number to minimise, and the sum of weights if there are any.
    package func total() throws -> (loss: Symbol, weight: Symbol?) {
      guard !isSum else { return (try losses.sum(), nil) }
      guard let weights else { return (try losses.mean(), nil) }
      let weight = try weights.sum()
      // A batch in which nothing counts changes nothing, instead of being 0 / 0.
      let isNothing = try weight.equalMask(weight.scalar(0))
      let divisor = try weight.scalar(1).selected(where: isNothing, else: weight)
      return (try losses.sum() / divisor, weight)
    }
  }

  /// Traces the losses of a batch, and perhaps their weights, from its predictions and targets.
  package typealias LossTermsTrace =
    @Sendable (_ prediction: Symbol, _ target: Symbol) throws ->
    LossTerms
}
