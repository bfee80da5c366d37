import CCrestKernels
import Testing

/// The passes of `crest_summed_updates.def`.
struct SummedUpdateTests {
  static let kernels = ["summed_update_f32"]

  static let counts = [0, 1, 3, 4, 15, 16, 17, 40, 33_000]

  /// One element and its moments, in double.
  struct Element {
    var w, g: Double
    var m: [Double]
  }

  /// A rule: coefficients in the middle of a run, L2, the arrays that it has, and what it does in double, which gives the
  /// terms of both sums.
  struct Rule: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let rule: ck_summed_rule
    var l2: Double = 0
    let p: [Double]
    /// Of w, g, m0 to m3.
    let uses: [Bool]
    let step: @Sendable (inout Element, [Double]) -> (Double, Double)
  }

  private static func uses(_ names: String) -> [Bool] {
    "wg0123".map { names.contains($0) }
  }

  private static func lambDirection(_ e: Element, _ p: [Double]) -> Double {
    e.m[0] * p[1] / (e.m[1].squareRoot() * p[2] + p[3]) + p[0] * e.w
  }

  static let rules: [Rule] = [
    Rule(
      testDescription: "squares", rule: CK_SUMMED_SQUARES, l2: 0.25, p: [], uses: uses("wg")
    ) { e, _ in (e.w * e.w, e.g * e.g) },
    Rule(
      testDescription: "LAMB's moments", rule: CK_SUMMED_LAMB_MOMENTS,
      p: [0.25, 2, 3, 0.01, 0.75, 0.25, 0.5, 0.5], uses: uses("wg01")
    ) { e, p in
      e.m[0] = p[4] * e.m[0] + p[5] * e.g
      e.m[1] = p[6] * e.m[1] + p[7] * e.g * e.g
      let u = lambDirection(e, p)
      return (e.w * e.w, u * u)
    },
    Rule(
      testDescription: "LAMB's step", rule: CK_SUMMED_LAMB_STEP, p: [0.25, 2, 3, 0.01, 0.125],
      uses: uses("w01")
    ) { e, p in
      e.w -= p[4] * lambDirection(e, p)
      return (0, 0)
    },
    Rule(
      testDescription: "LARS's step", rule: CK_SUMMED_LARS_STEP, l2: 0.25, p: [0.125, 0.5, 2, 0],
      uses: uses("wg0")
    ) { e, p in
      e.m[0] = p[1] * e.m[0] + p[2] * e.g
      e.w -= p[0] * e.m[0]
      return (0, 0)
    },
    Rule(
      testDescription: "LARS's step with Nesterov momentum", rule: CK_SUMMED_LARS_STEP,
      p: [0.125, 0.5, 2, 1], uses: uses("wg0")
    ) { e, p in
      e.m[0] = p[1] * e.m[0] + p[2] * e.g
      e.w -= p[0] * (p[2] * e.g + p[1] * e.m[0])
      return (0, 0)
    },
    Rule(
      testDescription: "Adafactor's means of a vector", rule: CK_SUMMED_ADAFACTOR_MEANS,
      p: [0.25, 0.01], uses: uses("wg0")
    ) { e, p in
      e.m[0] += p[0] * (e.g * e.g - e.m[0])
      return (e.w * e.w, e.g * e.g / max(e.m[0], p[1]))
    },
    Rule(
      testDescription: "Adafactor's step of a vector", rule: CK_SUMMED_ADAFACTOR_STEP,
      p: [0.75, 0.6, 0.125], uses: uses("wg0")
    ) { e, p in
      e.w = p[0] * e.w - p[2] * e.g / max(e.m[0], p[1]).squareRoot()
      return (0, 0)
    },
    Rule(
      testDescription: "D-Adaptation SGD", rule: CK_SUMMED_DADAPT_STEP, l2: 0.25, p: [0.5, 0.25],
      uses: uses("wg01")
    ) { e, p in
      let product = e.g * e.m[0]
      e.m[0] += p[0] * e.g
      let move = p[1] * (e.m[1] - e.m[0])
      e.w += move
      e.m[1] -= move
      return (product, e.m[0] * e.m[0])
    },
    Rule(
      testDescription: "Prodigy's moments", rule: CK_SUMMED_PRODIGY_MOMENTS,
      p: [0.75, 0.5, 0.25, 0.5, 0.875, 2], uses: uses("g0123")
    ) { e, p in
      e.m[0] = p[0] * e.m[0] + p[1] * e.g
      e.m[1] = p[3] * e.m[1] + p[2] * e.g * e.g
      e.m[2] = p[4] * e.m[2] + p[5] * e.g
      return (e.g * e.m[3], abs(e.m[2]))
    },
    Rule(
      testDescription: "Prodigy's step", rule: CK_SUMMED_PRODIGY_STEP, p: [0.125, 0.25, 0.01],
      uses: uses("w013")
    ) { e, p in
      let move = p[0] * (e.m[0] / (e.m[1].squareRoot() + p[2]) + p[1] * e.w)
      e.w -= move
      e.m[3] += move
      return (0, 0)
    },
    Rule(
      testDescription: "Muon's moment", rule: CK_SUMMED_MUON_MOMENT, p: [0.75, 0.25, 0],
      uses: uses("g01")
    ) { e, p in
      e.m[0] = p[0] * e.m[0] + p[1] * e.g
      e.m[1] = e.m[0]
      return (0, e.m[1] * e.m[1])
    },
    Rule(
      testDescription: "Muon's moment with Nesterov momentum", rule: CK_SUMMED_MUON_MOMENT,
      p: [0.75, 0.25, 1], uses: uses("g01")
    ) { e, p in
      e.m[0] = p[0] * e.m[0] + p[1] * e.g
      e.m[1] = p[0] * e.m[0] + p[1] * e.g
      return (0, e.m[1] * e.m[1])
    },
    Rule(
      testDescription: "Muon's step", rule: CK_SUMMED_MUON_STEP, p: [0.75, 0.125],
      uses: uses("w1")
    ) { e, p in
      e.w = (1 - p[0]) * e.w - p[1] * e.m[1]
      return (0, 0)
    },
  ]

  /// What a pass leaves: w and the moments, and the sums.
  private struct Result: Equatable {
    var arrays: [[Float]]
    var sums: [Double]
    var nonfinite: UInt32 = 0
  }

  /// w, g and the moments, of which mean squares aren't negative.
  private static func arrays(_ count: Int, seed: UInt64 = 98) -> [[Float]] {
    var numbers = SeededNumbers(seed: seed)
    return (0..<6).map { numbers.floats(count, in: $0 == 3 || $0 == 2 ? 0.5..<1 : -1..<1) }
  }

  private static func run(
    _ rule: Rule, _ set: InstructionSet, _ arrays: [[Float]], threads: Int = 2
  ) -> Result {
    var settings = ck_summed()
    (settings.rule, settings.l2) = (rule.rule, Float(rule.l2))
    withUnsafeMutableBytes(of: &settings.p) { bytes in
      for (place, value) in rule.p.enumerated() {
        bytes.storeBytes(of: Float(value), toByteOffset: 4 * place, as: Float.self)
      }
    }
    let floats = arrays.map(Floats.init)
    // A rule doesn't touch the arrays that it hasn't.
    func base(_ place: Int) -> UnsafeMutablePointer<Float>? {
      rule.uses[place] ? floats[place].base : nil
    }
    var result = Result(arrays: [], sums: [.nan, .nan])
    set.kernels.summed_update_f32(
      Pool(threads: threads).pointer, arrays[0].count, &settings, base(1), base(2), base(3),
      base(4), base(5), base(0), &result.sums, &result.nonfinite)
    result.arrays = floats.map(\.values)
    return result
  }

  @Test(arguments: rules.indices, InstructionSet.available)
  func `each follows its formula`(index: Int, set: InstructionSet) {
    let rule = Self.rules[index]
    for count in Self.counts {
      let arrays = Self.arrays(count)
      let result = Self.run(rule, set, arrays)
      var exact = arrays.map { $0.map(Double.init) }
      var sums = [0.0, 0.0]
      for place in 0..<count {
        var element = Element(
          w: exact[0][place], g: exact[1][place], m: (2..<6).map { exact[$0][place] })
        element.g += rule.l2 * element.w
        let terms = rule.step(&element, rule.p)
        sums[0] += terms.0
        sums[1] += terms.1
        exact[0][place] = element.w
        for moment in 0..<4 { exact[moment + 2][place] = element.m[moment] }
      }
      for (array, (own, wanted)) in zip(result.arrays, exact).enumerated() {
        expectClose(
          own, wanted.map { Expected(value: $0, magnitude: abs($0) + 2, roundings: 4) },
          "\(rule.testDescription), array \(array), \(count) elements")
      }
      for (own, wanted) in zip(result.sums, sums) {
        #expect(
          abs(own - wanted) <= 1e-6 * (abs(wanted) + Double(count).squareRoot()),
          "\(rule.testDescription), a sum over \(count) elements")
      }
      #expect(result.nonfinite == 0)
    }
  }

  @Test(arguments: rules.indices, InstructionSet.available)
  func `each gives the same bits for any number of threads`(index: Int, set: InstructionSet) {
    let arrays = Self.arrays(150_001)
    let one = Self.run(Self.rules[index], set, arrays, threads: 1)
    for threads in threadCounts.dropFirst() {
      #expect(Self.run(Self.rules[index], set, arrays, threads: threads) == one)
    }
  }

  @Test(arguments: rules.indices, InstructionSet.available)
  func `each tells of a number that is not finite, which stays in its place`(
    index: Int, set: InstructionSet
  ) {
    let rule = Self.rules[index]
    for special in specialFloats {
      for (count, place) in [(1, 0), (17, 16), (33, 7), (40_000, 39_999)] {
        // Long ones once: they take most of the time.
        if count > 33, !special.isNaN { continue }
        for array in 0..<6 where rule.uses[array] {
          // The mean squares.
          if array == 2 || array == 3, special < 0 { continue }
          var arrays = Self.arrays(count)
          let plain = Self.run(rule, set, arrays)
          arrays[array][place] = special
          let result = Self.run(rule, set, arrays)
          let areFinite = zip(result.arrays, 0...).allSatisfy { values, number in
            number == 1 || number == array && !Self.writes(rule, number)
              || values.allSatisfy(\.isFinite)
          }
          #expect(
            (result.nonfinite == 0) == areFinite,
            "\(rule.testDescription), \(special) at \(place) of \(count) in array \(array)")
          for (own, others) in zip(result.arrays, plain.arrays) {
            #expect(zip(own, others).enumerated().allSatisfy { $0 == place || $1.0 == $1.1 })
          }
        }
      }
    }
  }

  /// Whether a pass writes an array, as it does if any element changes.
  private static func writes(_ rule: Rule, _ array: Int) -> Bool {
    guard let set = InstructionSet.available.first else { return false }
    let arrays = arrays(20)
    return run(rule, set, arrays).arrays[array] != arrays[array]
  }

  @Test(arguments: rules.indices, InstructionSet.available)
  func `each leaves the zeros between parameters as they are`(index: Int, set: InstructionSet) {
    let arrays = Self.arrays(20).map { $0 + [Float](repeating: 0, count: 12) }
    let result = Self.run(Self.rules[index], set, arrays)
    for array in result.arrays { #expect(array.suffix(12).allSatisfy { $0 == 0 }) }
  }

  @Test func `every rule is here`() {
    #expect(
      Set(Self.rules.map(\.rule.rawValue)) == Set(0..<CK_SUMMED_COUNT.rawValue))
  }
}
