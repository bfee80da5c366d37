import CrestPlatform
import CrestTensor

/// The value of a hyperparameter as a pure function of the step and the number of steps of the run.
///
/// A schedule has no state: it gives the value of any step at any time, which makes resuming exact.
/// It is stored with a run as JSON and checked again when read.
///
/// Shapes that move along the whole run see the position `p = k / N` of step `k` of `N`, as in
/// fastai: they begin exactly at `from`, and `to` is where step `N` would be. Every schedule of
/// learning rates is proportional to its rates, so a parameter group with its own learning rate
/// multiplies from outside.
public struct Schedule: Hashable, Sendable {
  let form: Form

  enum Form: Hashable, Sendable {
    case constant(Double)
    case ramp(Ramp, from: Double, to: Double)
    case triangular(from: Double, to: Double, stepsUp: Int, stepsDown: Int, scale: CycleScale)
    case stepDecay(from: Double, factor: Double, every: Int)
    case milestoneDecay(from: Double, factor: Double, at: [Double])
    case steps(StepShape, from: Double, to: Double)
    case combined([Phase])
    case sequence([Part])
    case learningRate(OneCycle)
    case momentum(OneCycle)
    case custom(Custom)
  }

  /// A schedule of a program's own, equal to one of the same name and settings.
  struct Custom: Hashable, Sendable {
    let name: String
    let settings: [String: Double]
    let value: @Sendable (_ step: Int, _ stepCount: Int) -> Double

    static func == (left: Custom, right: Custom) -> Bool {
      left.name == right.name && left.settings == right.settings
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(name)
      hasher.combine(settings)
    }
  }

  /// Creates a schedule of your own.
  ///
  /// ```swift
  /// // Vaswani et al. 2017.
  /// let schedule = Schedule("inverse root", settings: ["peak": 1e-3, "warm-up": 100]) { step, _ in
  ///   let position = Double(step + 1) / 100
  ///   return 1e-3 * min(position, 1 / position.squareRoot())
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - name: What a run that is resumed must have, too.
  ///   - settings: What else decides the values: a run that is resumed must have the same.
  ///   - value: The value at a step, from 0, of a run of so many steps; a pure function.
  public init(
    _ name: String, settings: [String: Double] = [:],
    value: @escaping @Sendable (_ step: Int, _ stepCount: Int) -> Double
  ) {
    form = .custom(Custom(name: name, settings: settings, value: value))
  }

  init(form: Form) { self.form = form }

  enum Ramp: Hashable, Sendable {
    case annealing(Annealing)
    case exponential
    case polynomial(power: Double)
    case polynomialDecay(power: Double)
    case tanh(lower: Double, upper: Double)
  }

  /// A part of a run with its own schedule.
  public struct Phase: Codable, Hashable, Sendable {
    /// The fraction of the run, from 0 to 1.
    public let fraction: Double

    /// The schedule of the phase.
    public let schedule: Schedule

    /// Creates a phase.
    public init(_ fraction: Double, _ schedule: Schedule) {
      self.fraction = fraction
      self.schedule = schedule
    }
  }

  /// How the height of a triangular cycle changes over time.
  public enum CycleScale: Hashable, Sendable {
    /// All cycles are equally high (`triangular`).
    case constant

    /// Each cycle is half as high as the one before (`triangular2`).
    case halving

    /// The height is `gamma` to the power of the step (`exp_range`).
    case exponential(gamma: Double)
  }

  /// Returns the value at a step.
  ///
  /// - Precondition: `total` is at least 1 and `step` in `0 ..< total`.
  public func value(step: Int, total: Int) -> Double {
    preconditionStep(step, of: total)
    return value(at: Progress(step: step, total: total))
  }
}

extension Schedule {
  /// Where a step is in the part of the run that a schedule covers.
  fileprivate struct Progress {
    let step: Int
    let total: Int
    let position: Double
  }

  fileprivate func value(at progress: Progress) -> Double {
    switch form {
    case .constant(let value):
      value
    case .ramp(let ramp, let start, let end):
      ramp.value(from: start, to: end, at: progress.position)
    case .triangular(let start, let end, let stepsUp, let stepsDown, let scale):
      start + (end - start) * scale.factor(progress.step, cycleSteps: stepsUp + stepsDown)
        * Self.height(progress.step, stepsUp: stepsUp, stepsDown: stepsDown)
    case .stepDecay(let start, let factor, let every):
      start * pow(factor, Double(progress.step / every))
    case .milestoneDecay(let start, let factor, let points):
      start * pow(factor, Double(points.count { $0 <= progress.position }))
    case .steps(let shape, let start, let end):
      shape.value(from: start, to: end, step: progress.step)
    case .combined(let phases):
      Self.value(of: phases, at: progress)
    case .sequence(let parts):
      Self.value(of: parts, at: progress)
    case .learningRate(let policy):
      policy.learningRate(step: progress.step, total: progress.total)
    case .momentum(let policy):
      policy.momentum(step: progress.step, total: progress.total)
    case .custom(let custom):
      Self.checked(custom.value(progress.step, progress.total), of: custom, at: progress.step)
    }
  }

  private static func checked(_ value: Double, of custom: Custom, at step: Int) -> Double {
    programmerError(
      unless: value.isFinite && value >= 0,
      "the schedule \"\(custom.name)\" is \(value) at step \(step), not a finite number of at least 0"
    )
    return value
  }

  private static func height(_ step: Int, stepsUp: Int, stepsDown: Int) -> Double {
    let within = step % (stepsUp + stepsDown)
    return within <= stepsUp
      ? Double(within) / Double(stepsUp)
      : Double(stepsUp + stepsDown - within) / Double(stepsDown)
  }

  private static func value(of parts: [Part], at progress: Progress) -> Double {
    let (schedule, step, total) = parts.part(of: progress.step, total: progress.total)
    return schedule.value(at: Progress(step: step, total: total))
  }

  private static func value(of phases: [Phase], at progress: Progress) -> Double {
    var begins = [0.0]
    for phase in phases { begins.append((begins.last ?? 0) + phase.fraction) }
    begins[phases.count] = 1
    let index = begins.dropLast().lastIndex { $0 <= progress.position } ?? 0
    let first = progress.firstStep(from: begins[index])
    let next = progress.firstStep(from: begins[index + 1])
    return phases[index].schedule.value(
      at: Progress(
        step: progress.step - first,
        total: next - first,
        position: (progress.position - begins[index]) / (begins[index + 1] - begins[index])))
  }
}

extension Schedule.Progress {
  init(step: Int, total: Int) {
    self.init(step: step, total: total, position: Double(step) / Double(total))
  }

  /// The first step whose position is not before `begin`.
  fileprivate func firstStep(from begin: Double) -> Int {
    guard begin < 1 else { return total }
    // `begin * total` may round past a step where `step / total` does not.
    var candidate = max(0, Int(begin * Double(total)) - 1)
    while Double(candidate) / Double(total) < begin { candidate += 1 }
    return candidate
  }
}

extension Schedule.Ramp {
  fileprivate func value(from start: Double, to end: Double, at position: Double) -> Double {
    switch self {
    case .annealing(let annealing): annealing.value(from: start, to: end, at: position)
    case .exponential: pow(start, 1 - position) * pow(end, position)
    case .polynomial(let power): start + (end - start) * pow(position, power)
    case .polynomialDecay(let power): end + (start - end) * pow(1 - position, power)
    case .tanh(let lower, let upper):
      end + (start - end) * (1 - hyperbolicTangent(lower * (1 - position) + upper * position)) / 2
    }
  }
}

extension Schedule.CycleScale {
  fileprivate func factor(_ step: Int, cycleSteps: Int) -> Double {
    switch self {
    case .constant: 1
    case .halving: pow(0.5, Double(step / cycleSteps))
    case .exponential(let gamma): pow(gamma, Double(step))
    }
  }
}

// In an extension, the case of the same name would hide the function.
private func hyperbolicTangent(_ value: Double) -> Double { tanh(value) }
