import CCrestKernels
import CrestTensor

/// A pass of an optimiser's rule that looks at a parameter, or at the network, as a whole.
///
/// What it does to each element and what it sums stands in `crest_summed_updates.def`.
package enum SummedUpdate: Sendable, Hashable {
  /// Σ w² and Σ g².
  case squares
  /// LAMB's moments; Σ w² and Σ u².
  case lambMoments(LAMBCoefficients, beta1: Double, beta2: Double)
  /// LAMB's step, of a rate that has the ratio of norms in it.
  case lambStep(LAMBCoefficients, rate: Double)
  /// LARS's moment and step.
  case larsStep(rate: Double, momentum: Double, factor: Double, nesterov: Bool)
  /// Adafactor's mean squares of a vector; Σ w² and Σ u².
  case adafactorMeans(part: Double, epsilon: Double)
  /// Its step.
  case adafactorStep(keep: Double, epsilon: Double, step: Double)
  /// D-Adaptation SGD's; Σ g s and Σ s².
  case dadaptStep(factor: Double, part: Double)
  /// Prodigy's moments, by what g and g² enter them; Σ g (w₁ - w) and Σ |s|.
  case prodigyMoments(
    beta1: Double, new1: Double, beta2: Double, new2: Double, beta3: Double, factor: Double)
  /// Its step.
  case prodigyStep(rate: Double, decay: Double, epsilon: Double)

  /// Muon's moment; what is brought near an orthogonal matrix, u, and Σ u².
  case muonMoment(momentum: Double, nesterov: Bool)
  /// Its step, by that matrix.
  case muonStep(keep: Double, factor: Double)

  /// What both passes of LAMB have, so that they compute the same directions.
  package struct LAMBCoefficients: Sendable, Hashable {
    private let ofMean: Double
    private let ofRoot: Double
    private let epsilon: Double
    private let decay: Double

    /// Those of step `step`, from 1.
    package init(beta1: Double, beta2: Double, epsilon: Double, decay: Double, step: Int) {
      ofMean = 1 / (1 - power(beta1, step))
      ofRoot = 1 / (1 - power(beta2, step)).squareRoot()
      (self.epsilon, self.decay) = (epsilon, decay)
    }

    fileprivate var values: [Double] { [decay, ofMean, ofRoot, positive(epsilon)] }
  }

  /// What a pass found.
  package struct Result: Sendable {
    /// The sums that its case names.
    package var sums: (Double, Double)
    /// Whether all that it wrote is finite.
    package var isFinite: Bool
  }

  /// Its entry, and the coefficients that this names.
  private var row: (ck_summed_rule, [Double]) {
    switch self {
    case .squares: (CK_SUMMED_SQUARES, [])
    case .lambMoments(let both, let beta1, let beta2):
      (CK_SUMMED_LAMB_MOMENTS, both.values + [beta1, 1 - beta1, beta2, 1 - beta2])
    case .lambStep(let both, let rate): (CK_SUMMED_LAMB_STEP, both.values + [rate])
    case .larsStep(let rate, let momentum, let factor, let nesterov):
      (CK_SUMMED_LARS_STEP, [rate, momentum, factor, nesterov ? 1 : 0])
    case .adafactorMeans(let part, let epsilon):
      (CK_SUMMED_ADAFACTOR_MEANS, [part, Self.least(epsilon)])
    case .adafactorStep(let keep, let epsilon, let step):
      (CK_SUMMED_ADAFACTOR_STEP, [keep, Self.least(epsilon), step])
    case .dadaptStep(let factor, let part): (CK_SUMMED_DADAPT_STEP, [factor, part])
    case .prodigyMoments(let beta1, let new1, let beta2, let new2, let beta3, let factor):
      (CK_SUMMED_PRODIGY_MOMENTS, [beta1, new1, new2, beta2, beta3, factor])
    case .prodigyStep(let rate, let decay, let epsilon):
      (CK_SUMMED_PRODIGY_STEP, [rate, decay, positive(epsilon)])
    case .muonMoment(let momentum, let nesterov):
      (CK_SUMMED_MUON_MOMENT, [momentum, 1 - momentum, nesterov ? 1 : 0])
    case .muonStep(let keep, let factor): (CK_SUMMED_MUON_STEP, [1 - keep, factor])
    }
  }

  /// ε², or the least normal number.
  private static func least(_ epsilon: Double) -> Double {
    max(epsilon * epsilon, Double(Float.leastNormalMagnitude))
  }

  /// The moments that it needs.
  fileprivate var momentCount: Int {
    switch self {
    case .squares, .muonStep: 0
    case .larsStep, .adafactorMeans, .adafactorStep, .muonMoment: 1
    case .lambMoments, .lambStep, .dadaptStep: 2
    case .prodigyMoments, .prodigyStep: 4
    }
  }

  /// The kernel's settings.
  fileprivate func settings(l2: Float) -> ck_summed {
    let (rule, coefficients) = row
    var settings = ck_summed()
    (settings.rule, settings.l2) = (rule, l2)
    withUnsafeMutableBytes(of: &settings.p) { bytes in
      for (place, value) in coefficients.enumerated() {
        bytes.storeBytes(of: Float(value), toByteOffset: 4 * place, as: Float.self)
      }
    }
    return settings
  }
}

/// An ε that is above 0 as a float, too: 0 / 0 isn't a step.
private func positive(_ epsilon: Double) -> Double {
  max(epsilon, Double(Float.leastNonzeroMagnitude))
}

extension ParameterStore {
  /// Makes a pass over a range, with the moments that the rule has; its sums are the same for any number of threads.
  ///
  /// Whoever makes all passes of a step tells the store by ``noteUpdate(of:isFinite:)``.
  ///
  /// - Parameters:
  ///   - rule: What it does.
  ///   - range: Where in the flat buffers.
  ///   - l2: What of the weights is added to the gradients.
  ///   - matrix: Muon's matrix of the range, in place of a second moment.
  ///   - engine: Whose threads to use.
  /// - Returns: The sums, and whether all that was written is finite.
  /// - Precondition: the store has the rule's moments, and the range lies in the buffer.
  package func pass(
    _ rule: SummedUpdate, over range: Range<Int>, l2: Double = 0,
    matrix: UnsafeMutablePointer<Float>? = nil, on engine: Engine
  ) -> SummedUpdate.Result {
    programmerError(
      unless: range.lowerBound >= 0 && range.upperBound <= withBuffer(.parameters, \.count),
      "range \(range) of \(withBuffer(.parameters, \.count)) parameters")
    programmerError(
      unless: momentCount >= rule.momentCount,
      "the rule needs \(rule.momentCount) moments, the store has \(momentCount)")
    let start = range.lowerBound
    func moment(_ number: Int) -> UnsafeMutablePointer<Float>? {
      number < momentCount ? address(.moments(number)) + start : nil
    }
    var nonfinite: UInt32 = 0
    var settings = rule.settings(l2: Float(l2))
    let sums = withUnsafeTemporaryAllocation(of: Double.self, capacity: 2) { sums in
      sums.initialize(repeating: 0)
      guard let base = sums.baseAddress else { return (0.0, 0.0) }
      engine.exclusively {
        engine.kernels.pointee.summed_update_f32(
          engine.pool, range.count, &settings, address(.gradients) + start, moment(0),
          matrix ?? moment(1), moment(2), moment(3), address(.parameters) + start, base,
          &nonfinite)
      }
      return (sums[0], sums[1])
    }
    return SummedUpdate.Result(sums: sums, isFinite: nonfinite == 0)
  }
}
