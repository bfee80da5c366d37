import CCrestKernels
import Testing

struct ChangeKernelTests {
  static let kernels = ["change_sums_f32", "sgd_watched_f32"]

  private func sums(_ first: [Double], _ second: [Double], _ old: Double, _ rate: Double)
    -> [Double]
  {
    zip(first, second).reduce([0, 0, 0, 0, 0, 0]) { sums, pair in
      let (c, d) = pair
      let (difference, scaled) = (c - d, c / old - d / rate)
      let terms = [
        abs(d), d * d, abs(difference), difference * difference, abs(scaled), scaled * scaled,
      ]
      return zip(sums, terms).map { $0 + $1 }
    }
  }

  private func expect(_ got: [Double], _ expected: [Double], _ what: String) {
    for (got, expected) in zip(got, expected) {
      #expect(abs(got - expected) <= 1e-11 * expected, "\(what): \(got) instead of \(expected)")
    }
  }

  static let counts = [0, 1, 3, 4, 15, 16, 17, 40, 33_000, 5_000_000]

  @Test(arguments: InstructionSet.available)
  func `changes are summed in double, with the same bits for any number of threads`(
    set: InstructionSet
  ) {
    for count in Self.counts {
      var numbers = SeededNumbers(seed: 95)
      let (now, before, change) = (
        numbers.floats(count), numbers.floats(count), numbers.floats(count)
      )
      let second = zip(now, before).map { $0 - $1 }
      let exact = sums(change.map(Double.init), second.map(Double.init), 0.25, 0.1)
      let alone = sums([Double](repeating: 0, count: count), second.map(Double.init), 1, 1)
      var bits = Set<[UInt64]>()
      for threads in count > 1_000_000 ? [1, 3] : threadCounts {
        let pool = Pool(threads: threads)
        var (old, last) = (before, change)
        var got = [Double](repeating: .nan, count: Int(CK_CHANGE_SUMS))
        set.kernels.change_sums_f32(
          pool.pointer, count, now, &old, &last, 0.25, 0.1, &got)
        expect(got, exact, "\(count) changes")
        #expect(old == now && last == second, "\(count) changes")
        bits.insert(got.map(\.bitPattern))
        old = before
        set.kernels.change_sums_f32(pool.pointer, count, now, &old, nil, 1, 1, &got)
        expect(got, alone, "\(count) changes of nothing before")
        #expect(old == now)
      }
      #expect(bits.count == 1, "\(count) changes: bits depend on the threads")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a watched step of SGD has the bits of one that isn't`(set: InstructionSet) {
    var settings = ck_update()
    (settings.rule, settings.rate, settings.l2) = (CK_RULE_SGD, 0.125, 0.01)
    settings.p.0 = 0.9
    for count in Self.counts {
      var numbers = SeededNumbers(seed: 96)
      let (g, v, w) = (numbers.floats(count), numbers.floats(count), numbers.floats(count))
      var (plainV, plainW, plainBad) = (v, w, UInt32(0))
      set.kernels.update_f32(
        Pool(threads: 2).pointer, count, &settings, g, &plainV, nil, nil, nil, &plainW, &plainBad)
      let exact = sums(
        v.map { 0.25 * Double($0) }, plainV.map { 0.125 * Double($0) }, 0.25, 0.125)
      var bits = Set<[UInt64]>()
      for threads in count > 1_000_000 ? [1, 3] : threadCounts {
        var (watchedV, watchedW, bad) = (v, w, UInt32(0))
        var got = [Double](repeating: .nan, count: Int(CK_CHANGE_SUMS))
        set.kernels.sgd_watched_f32(
          Pool(threads: threads).pointer, count, &settings, 0.25, g, &watchedV, &watchedW, &bad,
          &got)
        #expect(watchedV == plainV && watchedW == plainW && bad == 0, "\(count) parameters")
        expect(got, exact, "\(count) parameters")
        bits.insert(got.map(\.bitPattern))
      }
      #expect(bits.count == 1, "\(count) parameters: bits depend on the threads")
    }
  }
}
