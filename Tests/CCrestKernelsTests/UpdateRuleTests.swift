import CCrestKernels
import Testing

/// What holds for every rule of `crest_updates.def`.
struct UpdateRuleTests {
  /// Coefficients of a rule in the middle of a run.
  private static func coefficients(_ rule: ck_rule) -> [Float] {
    switch rule {
    case CK_RULE_SGD: [0.9, 1]
    case CK_RULE_ADAM: [0.9, 0.99, 1e-3, 0.5, 0.1]
    case CK_RULE_LION: [0.9, 0.99]
    case CK_RULE_RMSPROP, CK_RULE_RMSPROP_CENTRED: [0.9, 0.1, 0.5, 1e-3, 1e-3, 1, 0]
    case CK_RULE_ADAGRAD: [1e-3, 1e-3, 0.1, 0.5]
    case CK_RULE_ADADELTA: [0.9, 0.1, 1e-3]
    case CK_RULE_NADAM: [0.9, 0.1, 0.99, 0.01, 1e-3, 0.2, 0.3, 0.8]
    case CK_RULE_RADAM: [0.9, 0.1, 0.99, 0.01, 1e-3, 0.5, 0.2]
    case CK_RULE_ADAN: [0.9, 0.1, 0.8, 0.2, 0.99, 0.01, 2, 1.5, 3, 1e-3, 0.05, 1]
    case CK_RULE_AMSGRAD: [0.9, 0.99, 1e-3, 0.5, 0.1]
    case CK_RULE_ADAMAX: [0.9, 0.1, 0.99, 1e-3, 0.5]
    case CK_RULE_SCHEDULE_FREE_SGD: [0.9, 0.75]
    case CK_RULE_SCHEDULE_FREE_ADAMW: [0.9, 0.75, 0.99, 0.01, 1e-3, 0.2, 0.05]
    default: []
    }
  }

  private struct Result {
    var w: [Float]
    var moments: [[Float]]
    var nonfinite: UInt32 = 0
  }

  private static func run(
    _ rule: ck_rule, _ set: InstructionSet, threads: Int, count: Int, zeros: Int = 0
  ) -> Result {
    var settings = ck_update()
    (settings.rule, settings.rate, settings.l2, settings.decay) = (rule, 0.1, 0.01, 0.02)
    withUnsafeMutableBytes(of: &settings.p) { bytes in
      for (place, value) in coefficients(rule).enumerated() {
        bytes.storeBytes(of: value, toByteOffset: 4 * place, as: Float.self)
      }
    }
    var numbers = SeededNumbers(seed: 97)
    func padded(_ values: [Float]) -> [Float] { values + [Float](repeating: 0, count: zeros) }
    let g = padded(numbers.floats(count))
    // Mean squares aren't negative.
    let moments = (0..<4).map { _ in padded(numbers.floats(count, in: 0.5..<1)) }
    var result = Result(w: padded(numbers.floats(count)), moments: moments)
    var (a, b, c, d) = (moments[0], moments[1], moments[2], moments[3])
    set.kernels.update_f32(
      Pool(threads: threads).pointer, count + zeros, &settings, g, &a, &b, &c, &d, &result.w,
      &result.nonfinite)
    result.moments = [a, b, c, d]
    return result
  }

  static let rules = (0..<CK_RULE_COUNT.rawValue).map { ck_rule(rawValue: $0) }

  @Test(arguments: rules.indices)
  func `each gives near the same on every instruction set, and the same for any number of threads`(
    index: Int
  ) throws {
    let rule = Self.rules[index]
    #expect(!Self.coefficients(rule).isEmpty, "rule \(rule.rawValue) has no coefficients here")
    for count in [1, 15, 16, 17, 33_000] {
      let plain = try Self.run(
        rule, #require(InstructionSet.available.first), threads: 1, count: count)
      #expect(plain.nonfinite == 0 && plain.w.allSatisfy(\.isFinite))
      for set in InstructionSet.available {
        let one = Self.run(rule, set, threads: 1, count: count)
        for (own, others) in zip([one.w] + one.moments, [plain.w] + plain.moments) {
          #expect(
            zip(own, others).allSatisfy { abs($0 - $1) <= 4e-6 * max(1, abs($1)) },
            "rule \(rule.rawValue), \(count) parameters")
        }
        for threads in threadCounts.dropFirst() {
          let several = Self.run(rule, set, threads: threads, count: count)
          #expect(several.w == one.w && several.moments == one.moments)
        }
      }
    }
  }

  @Test(arguments: rules.indices)
  func `each leaves the zeros between parameters as they are, and others' moments alone`(
    index: Int
  ) throws {
    let rule = Self.rules[index]
    let count = Int(ck_rule_moment_count(rule))
    for set in InstructionSet.available {
      let result = Self.run(rule, set, threads: 2, count: 20, zeros: 12)
      #expect(result.w.suffix(12).allSatisfy { $0 == 0 }, "rule \(rule.rawValue)")
      var numbers = SeededNumbers(seed: 97)
      _ = numbers.floats(20)
      for moment in 0..<4 {
        let before = numbers.floats(20, in: 0.5..<1)
        if moment >= count { #expect(Array(result.moments[moment].prefix(20)) == before) }
      }
    }
  }
}
