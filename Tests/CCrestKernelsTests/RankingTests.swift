import CCrestKernels
import Testing

struct RankingTests {
  static let kernels = ["search", "top_f32"]

  static let shapes: [(outer: Int, length: Int, inner: Int)] = [
    (1, 1, 1), (4, 7, 1), (2, 5, 3), (0, 3, 2), (3, 40, 17), (1, 5000, 1), (300, 30, 1),
  ]

  /// The places in a line, the best first and the first of equals; NaN counts as the largest.
  private func ranked(_ line: [Float], largest: Bool) -> [Int64] {
    func isLess(_ a: Float, _ b: Float) -> Bool { a < b || !a.isNaN && b.isNaN }
    return line.indices.sorted { i, j in
      let (a, b) = (line[i], line[j])
      if isLess(a, b) { return !largest }
      if isLess(b, a) { return largest }
      return i < j
    }.map(Int64.init)
  }

  private func lines<Element>(
    _ x: [Element], _ shape: (outer: Int, length: Int, inner: Int)
  ) -> [[Element]] {
    (0..<shape.outer * shape.inner).map { line in
      (0..<shape.length).map {
        x[(line / shape.inner * shape.length + $0) * shape.inner + line % shape.inner]
      }
    }
  }

  /// Floats of which many are equal, with some special ones.
  private func floats(_ count: Int, _ numbers: inout SeededNumbers) -> [Float] {
    let few = (0..<count).map { _ in Float(numbers.next() % 9) - 4 }
    return numbers.placing(specialFloats + [.nan, .nan], in: few)
  }

  @Test(arguments: InstructionSet.available)
  func `the best of a line come in order, NaN as the largest, on any number of threads`(
    set: InstructionSet
  ) {
    var numbers = SeededNumbers(seed: 87)
    for shape in Self.shapes {
      for x in [
        floats(shape.outer * shape.length * shape.inner, &numbers),
        numbers.floats(shape.outer * shape.length * shape.inner),
      ] {
        let lines = lines(x, shape)
        for count in Set([0, 1, 2, shape.length / 2, shape.length - 1, shape.length])
        where (0...shape.length).contains(count) {
          for largest in [true, false] {
            let ranks = lines.map { ranked($0, largest: largest) }
            var expected = [Int64](repeating: 0, count: lines.count * count)
            for (line, ranks) in ranks.enumerated() {
              for rank in 0..<count {
                let place = (line / shape.inner * count + rank) * shape.inner + line % shape.inner
                expected[place] = ranks[rank]
              }
            }
            for threads in [1, 3] {
              var y = [Int64](repeating: -9, count: expected.count + 1)
              set.kernels.top_f32(
                Pool(threads: threads).pointer, largest, count, shape.outer, shape.length,
                shape.inner, x, &y)
              #expect(y == expected + [-9], "\(count) of \(shape), largest \(largest)")
            }
          }
        }
      }
    }
  }

  private func checkSearch<Element: Comparable & BitwiseCopyable>(
    _ type: ck_type, _ x: [Element], _ shape: (outer: Int, length: Int, inner: Int),
    isNaN: (Element) -> Bool, _ set: InstructionSet
  ) {
    for largest in [true, false] {
      for takesLast in [true, false] {
        let expected = lines(x, shape).map { line -> Int64 in
          let wanted = line.contains(where: isNaN) ? nil : largest ? line.max() : line.min()
          let winners = line.indices.filter { place in
            wanted.map { $0 == line[place] } ?? isNaN(line[place])
          }
          return Int64((takesLast ? winners.last : winners.first) ?? -1)
        }
        var y = [Int64](repeating: -9, count: expected.count + 1)
        set.kernels.search(
          Pool(threads: 2).pointer, type, largest, takesLast, shape.outer, shape.length,
          shape.inner, x, &y)
        #expect(
          y == expected + [-9],
          "\(shape), \(Element.self), largest \(largest), takes the last \(takesLast)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `the first or last extreme of a line is found, NaN before all`(set: InstructionSet) {
    var numbers = SeededNumbers(seed: 88)
    for shape in Self.shapes {
      let count = shape.outer * shape.length * shape.inner
      let x = floats(count, &numbers)
      checkSearch(CK_FLOAT32, x, shape, isNaN: \.isNaN, set)
      checkSearch(CK_FLOAT32, numbers.floats(count), shape, isNaN: \.isNaN, set)
      let whole = (0..<count).map { _ in Int64(numbers.next() % 7) - 3 }
      checkSearch(CK_INT64, whole, shape, isNaN: { _ in false }, set)
      checkSearch(CK_INT32, whole.map(Int32.init), shape, isNaN: { _ in false }, set)
      checkSearch(CK_INT16, whole.map(Int16.init), shape, isNaN: { _ in false }, set)
      checkSearch(CK_INT8, whole.map(Int8.init), shape, isNaN: { _ in false }, set)
      checkSearch(
        CK_UINT8, whole.map { UInt8($0 + 250) }, shape, isNaN: { _ in false }, set)
    }
  }
}
