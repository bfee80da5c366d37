import CCrestKernels
import CrestTensor

extension ParameterStore {
  /// Adafactor's step of a parameter of two dimensions or more: of the matrices of its last two, the first two moments begin
  /// with the means of squares of gradients by rows and columns.
  ///
  ///     u = g / √estimate;   w ← keep · w - step · u
  ///
  /// - Parameters:
  ///   - entry: The parameter.
  ///   - part: The part of their way that the means go to the squares of these gradients.
  ///   - keep: What is kept of the weights.
  ///   - epsilon: The least root of an estimate.
  ///   - engine: Whose threads to use.
  ///   - step: The step, from Σ w² and Σ u².
  /// - Returns: Whether all that was written is finite.
  /// - Precondition: the parameter has two dimensions, the store two moments.
  package func factoredStep(
    _ entry: Entry, part: Double, keep: Double, epsilon: Double, on engine: Engine,
    step: (_ weights: Double, _ directions: Double) -> Double
  ) -> Bool {
    let shape = entry.shape
    programmerError(
      unless: shape.rank >= 2 && momentCount >= 2,
      "\(entry.name) is \(shape), with \(momentCount) moments; it takes two of both")
    guard shape.elementCount > 0 else { return true }
    let (height, width) = (shape[shape.rank - 2], shape[shape.rank - 1])
    var matrices = ck_factored(
      matrices: shape.elementCount / (height * width), height: height, width: width,
      epsilon: epsilon)
    let start = entry.range.lowerBound
    let gradients = address(.gradients) + start
    let weights = address(.parameters) + start
    let kernels = engine.kernels.pointee
    var nonfinite: UInt32 = 0
    let bytes = ck_factored_scratch_bytes(&matrices)
    withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 64) { scratch in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 2) { sums in
        guard let scratch = scratch.baseAddress, let base = sums.baseAddress else { return }
        engine.exclusively {
          kernels.factored_means_f32(
            engine.pool, &matrices, part, gradients, address(.moments(0)) + start,
            address(.moments(1)) + start, &nonfinite, scratch)
          kernels.factored_sums_f32(engine.pool, &matrices, gradients, weights, base, scratch)
          kernels.factored_step_f32(
            engine.pool, &matrices, Float(keep), Float(step(sums[0], sums[1])), gradients, weights,
            &nonfinite, scratch)
        }
      }
    }
    return nonfinite == 0
  }
}
