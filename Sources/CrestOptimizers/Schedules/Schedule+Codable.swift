// A stored schedule is an object with its `kind` and the arguments of the function that makes it,
// and is read by calling that function: `{"kind": "cosine", "from": 0.5, "to": 0}`.
extension Schedule: Codable {
  enum Kind: String, CaseIterable {
    case constant, linear, cosine, exponential, polynomial, triangular
    case stepDecay = "step-decay"
    case milestoneDecay = "milestone-decay"
    case polynomialDecay = "polynomial-decay"
    case tanh
    case inverseSquareRoot = "inverse-square-root"
    case inverseTime = "inverse-time"
    case exponentialDecay = "exponential-decay"
    case cosineRestarts = "cosine-restarts"
    case combined, sequence
    case oneCycleLearningRate = "one-cycle-learning-rate"
    case oneCycleMomentum = "one-cycle-momentum"
    case custom
  }

  private enum CodingKeys: String, CodingKey {
    case kind, value, from, to, power, stepsUp, stepsDown, scale, factor, every, at, phases, policy
    case name, settings, parts, steps, rate, isStaircase, cycle, lengthFactor, heightFactor
    case lower, upper
  }

  /// Reads a schedule.
  ///
  /// - Throws: ``ScheduleError`` for an unknown kind or a number out of range, or the decoder's
  ///   error.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys) throws -> Double { try values.decode(Double.self, forKey: key) }
    func count(_ key: CodingKeys) throws -> Int { try values.decode(Int.self, forKey: key) }

    let name = try values.decode(String.self, forKey: .kind)
    guard let kind = Kind(rawValue: name) else { throw ScheduleError.unknownKind(name) }
    self =
      switch kind {
      case .constant:
        try .constant(number(.value))
      case .linear:
        try .linear(from: number(.from), to: number(.to))
      case .cosine:
        try .cosine(from: number(.from), to: number(.to))
      case .exponential:
        try .exponential(from: number(.from), to: number(.to))
      case .polynomial:
        try .polynomial(from: number(.from), to: number(.to), power: number(.power))
      case .triangular:
        try .triangular(
          from: number(.from), to: number(.to), stepsUp: count(.stepsUp),
          stepsDown: count(.stepsDown), scale: values.decode(CycleScale.self, forKey: .scale))
      case .stepDecay:
        try .stepDecay(from: number(.from), factor: number(.factor), every: count(.every))
      case .milestoneDecay:
        try .stepDecay(
          from: number(.from), factor: number(.factor),
          at: values.decode([Double].self, forKey: .at))
      case .polynomialDecay:
        try .polynomialDecay(from: number(.from), to: number(.to), power: number(.power))
      case .tanh:
        try .tanh(
          from: number(.from), to: number(.to), lower: number(.lower), upper: number(.upper))
      case .inverseSquareRoot:
        try .inverseSquareRoot(from: number(.from), steps: count(.steps))
      case .inverseTime:
        try .inverseTime(
          from: number(.from), rate: number(.rate), every: count(.every),
          isStaircase: values.decode(Bool.self, forKey: .isStaircase))
      case .exponentialDecay:
        try .exponentialDecay(from: number(.from), factor: number(.factor), every: count(.every))
      case .cosineRestarts:
        try .cosineRestarts(
          from: number(.from), to: number(.to), cycle: count(.cycle),
          lengthFactor: number(.lengthFactor), heightFactor: number(.heightFactor))
      case .combined:
        try .combined(values.decode([Phase].self, forKey: .phases))
      case .sequence:
        try .sequence(values.decode([Part].self, forKey: .parts))
      case .oneCycleLearningRate:
        try .learningRate(of: values.decode(OneCycle.self, forKey: .policy))
      case .oneCycleMomentum:
        try .momentum(of: values.decode(OneCycle.self, forKey: .policy))
      case .custom:
        throw ScheduleError.madeByProgram(try values.decode(String.self, forKey: .name))
      }
  }

  /// Writes the schedule as its kind and its arguments.
  ///
  /// - Throws: The encoder's error.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(form.kind.rawValue, forKey: .kind)
    switch form {
    case .constant(let value):
      try values.encode(value, forKey: .value)
    case .ramp(let ramp, let start, let end):
      try values.encode(start, forKey: .from)
      try values.encode(end, forKey: .to)
      switch ramp {
      case .annealing, .exponential: break
      case .polynomial(let power), .polynomialDecay(let power):
        try values.encode(power, forKey: .power)
      case .tanh(let lower, let upper):
        try values.encode(lower, forKey: .lower)
        try values.encode(upper, forKey: .upper)
      }
    case .steps(let shape, let start, let end):
      try values.encode(start, forKey: .from)
      try encode(shape, to: end, in: &values)
    case .triangular(let start, let end, let stepsUp, let stepsDown, let scale):
      try values.encode(start, forKey: .from)
      try values.encode(end, forKey: .to)
      try values.encode(stepsUp, forKey: .stepsUp)
      try values.encode(stepsDown, forKey: .stepsDown)
      try values.encode(scale, forKey: .scale)
    case .stepDecay(let start, let factor, let every):
      try values.encode(start, forKey: .from)
      try values.encode(factor, forKey: .factor)
      try values.encode(every, forKey: .every)
    case .milestoneDecay(let start, let factor, let points):
      try values.encode(start, forKey: .from)
      try values.encode(factor, forKey: .factor)
      try values.encode(points, forKey: .at)
    case .combined(let phases):
      try values.encode(phases, forKey: .phases)
    case .sequence(let parts):
      try values.encode(parts, forKey: .parts)
    case .learningRate(let policy), .momentum(let policy):
      try values.encode(policy, forKey: .policy)
    case .custom(let custom):
      try values.encode(custom.name, forKey: .name)
      try values.encode(custom.settings, forKey: .settings)
    }
  }

  private func encode(
    _ shape: StepShape, to end: Double, in values: inout KeyedEncodingContainer<CodingKeys>
  ) throws {
    switch shape {
    case .inverseSquareRoot(let steps):
      try values.encode(steps, forKey: .steps)
    case .inverseTime(let rate, let every, let isStaircase):
      try values.encode(rate, forKey: .rate)
      try values.encode(every, forKey: .every)
      try values.encode(isStaircase, forKey: .isStaircase)
    case .exponential(let factor, let every):
      try values.encode(factor, forKey: .factor)
      try values.encode(every, forKey: .every)
    case .cosineRestarts(let cycle, let lengthFactor, let heightFactor):
      try values.encode(end, forKey: .to)
      try values.encode(cycle, forKey: .cycle)
      try values.encode(lengthFactor, forKey: .lengthFactor)
      try values.encode(heightFactor, forKey: .heightFactor)
    }
  }
}

extension Schedule.Part: Codable {
  private enum CodingKeys: String, CodingKey { case steps, fraction, schedule }

  /// Reads a part: one without `steps` and `fraction` takes the rest.
  ///
  /// - Throws: The decoder's error.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    schedule = try values.decode(Schedule.self, forKey: .schedule)
    let steps = try values.decodeIfPresent(Int.self, forKey: .steps)
    let fraction = try values.decodeIfPresent(Double.self, forKey: .fraction)
    guard steps == nil || fraction == nil else {
      throw DecodingError.dataCorruptedError(
        forKey: .fraction, in: values, debugDescription: "steps or a fraction, not both")
    }
    length = steps.map { .steps($0) } ?? fraction.map { .fraction($0) } ?? .rest
  }

  /// Writes its length, unless it takes the rest, and its schedule.
  ///
  /// - Throws: The encoder's error.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    switch length {
    case .steps(let count): try values.encode(count, forKey: .steps)
    case .fraction(let fraction): try values.encode(fraction, forKey: .fraction)
    case .rest: break
    }
    try values.encode(schedule, forKey: .schedule)
  }
}

extension Schedule.Form {
  fileprivate var kind: Schedule.Kind {
    switch self {
    case .constant: .constant
    case .ramp(.annealing(.linear), _, _): .linear
    case .ramp(.annealing(.cosine), _, _): .cosine
    case .ramp(.exponential, _, _): .exponential
    case .ramp(.polynomial, _, _): .polynomial
    case .ramp(.polynomialDecay, _, _): .polynomialDecay
    case .ramp(.tanh, _, _): .tanh
    case .triangular: .triangular
    case .stepDecay: .stepDecay
    case .milestoneDecay: .milestoneDecay
    case .steps(.inverseSquareRoot, _, _): .inverseSquareRoot
    case .steps(.inverseTime, _, _): .inverseTime
    case .steps(.exponential, _, _): .exponentialDecay
    case .steps(.cosineRestarts, _, _): .cosineRestarts
    case .combined: .combined
    case .sequence: .sequence
    case .learningRate: .oneCycleLearningRate
    case .momentum: .oneCycleMomentum
    case .custom: .custom
    }
  }
}

extension Schedule.CycleScale: Codable {
  private enum Kind: String, Codable { case constant, halving, exponential }

  private enum CodingKeys: String, CodingKey { case kind, gamma }

  /// Reads a scale.
  ///
  /// - Throws: The decoder's error.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self =
      switch try values.decode(Kind.self, forKey: .kind) {
      case .constant: .constant
      case .halving: .halving
      case .exponential: .exponential(gamma: try values.decode(Double.self, forKey: .gamma))
      }
  }

  /// Writes the scale as its kind and, of an exponential one, `gamma`.
  ///
  /// - Throws: The encoder's error.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .constant:
      try values.encode(Kind.constant, forKey: .kind)
    case .halving:
      try values.encode(Kind.halving, forKey: .kind)
    case .exponential(let gamma):
      try values.encode(Kind.exponential, forKey: .kind)
      try values.encode(gamma, forKey: .gamma)
    }
  }
}
