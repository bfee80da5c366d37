import CCrestKernels
import Testing

struct CopyTests {
  static let kernels = ["copy_box", "fill"]

  struct Box: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let sizes: [Int]
    let xStrides: [Int]
    let yStrides: [Int]
    var xOrigin = 0
    var yOrigin = 0

    /// Elements an array with these strides and origin must have.
    private func length(_ strides: [Int], _ origin: Int) -> Int {
      guard !sizes.contains(0) else { return 1 }
      return origin + 1 + zip(sizes, strides).map { max(0, ($0 - 1) * $1) }.reduce(0, +)
    }
    var xLength: Int { length(xStrides, xOrigin) }
    var yLength: Int { length(yStrides, yOrigin) }
  }

  /// A transpose of dense images (N, C, P) to (N, P, C), or back.
  private static func images(_ n: Int, _ c: Int, _ p: Int, channelsLast: Bool) -> Box {
    let planes = [c * p, p, 1]
    let pixels = [c * p, 1, c]
    return Box(
      testDescription: "\(n) images of \(c) · \(p), \(channelsLast ? "to" : "from") channels-last",
      sizes: [n, c, p], xStrides: channelsLast ? planes : pixels,
      yStrides: channelsLast ? pixels : planes)
  }

  static let boxes =
    [
      Box(testDescription: "nothing", sizes: [3, 0], xStrides: [1, 1], yStrides: [1, 1]),
      Box(testDescription: "one element", sizes: [], xStrides: [], yStrides: []),
      Box(testDescription: "a vector", sizes: [100_000], xStrides: [1], yStrides: [1]),
      Box(testDescription: "backwards", sizes: [50], xStrides: [-1], yStrides: [1], xOrigin: 49),
      Box(
        testDescription: "both backwards", sizes: [9, 7], xStrides: [7, -1], yStrides: [-7, 1],
        xOrigin: 6, yOrigin: 56),
      Box(testDescription: "a scalar", sizes: [70, 30], xStrides: [0, 0], yStrides: [30, 1]),
      Box(testDescription: "a column", sizes: [70, 30], xStrides: [1, 0], yStrides: [30, 1]),
      Box(testDescription: "a row", sizes: [70, 30], xStrides: [0, 1], yStrides: [30, 1]),
      Box(testDescription: "a slice", sizes: [20, 30], xStrides: [64, 1], yStrides: [30, 1]),
      Box(testDescription: "every third", sizes: [20, 30], xStrides: [90, 3], yStrides: [30, 1]),
      Box(
        testDescription: "into padding", sizes: [5, 8, 9], xStrides: [72, 9, 1],
        yStrides: [132, 12, 1], yOrigin: 14),
      Box(
        testDescription: "a transpose", sizes: [300, 130], xStrides: [130, 1], yStrides: [1, 300]),
      Box(
        testDescription: "a transpose with gaps", sizes: [45, 33], xStrides: [40, 1],
        yStrides: [2, 100]),
      Box(
        testDescription: "a rotation of eight dimensions", sizes: [2, 3, 2, 2, 3, 2, 2, 3],
        xStrides: [432, 144, 72, 36, 12, 6, 3, 1], yStrides: [1, 2, 6, 12, 24, 72, 144, 288]),
    ]
    + [(2, 3, 100), (3, 16, 64), (2, 17, 35), (1, 64, 1024), (5, 1, 9), (2, 5, 1)].flatMap {
      [images($0.0, $0.1, $0.2, channelsLast: true), images($0.0, $0.1, $0.2, channelsLast: false)]
    }

  private func copy<Element: FixedWidthInteger>(
    _ box: Box, as: Element.Type, _ set: InstructionSet, _ pool: Pool
  ) -> (actual: [Element], expected: [Element]) {
    var numbers = SeededNumbers(seed: 71)
    let x = (0..<box.xLength).map { _ in Element(truncatingIfNeeded: numbers.next()) }
    var actual = [Element](repeating: 0x55, count: box.yLength)
    var expected = actual
    var index = [Int](repeating: 0, count: box.sizes.count)
    for element in 0..<box.sizes.reduce(1, *) {
      var rest = element
      for dimension in box.sizes.indices.reversed() {
        index[dimension] = rest % box.sizes[dimension]
        rest /= box.sizes[dimension]
      }
      let from = zip(index, box.xStrides).reduce(box.xOrigin) { $0 + $1.0 * $1.1 }
      let to = zip(index, box.yStrides).reduce(box.yOrigin) { $0 + $1.0 * $1.1 }
      expected[to] = x[from]
    }
    x.withUnsafeBufferPointer { source in
      actual.withUnsafeMutableBufferPointer { target in
        guard let source = source.baseAddress, let target = target.baseAddress else { return }
        set.kernels.copy_box(
          pool.pointer, MemoryLayout<Element>.size, box.sizes.count, box.sizes, box.xStrides,
          box.yStrides, source + box.xOrigin, target + box.yOrigin)
      }
    }
    return (actual, expected)
  }

  @Test(arguments: boxes, InstructionSet.available)
  func `a box copies every element and touches no other`(box: Box, set: InstructionSet) {
    let pool = Pool(threads: 2)
    let bytes = copy(box, as: UInt8.self, set, pool)
    #expect(bytes.actual == bytes.expected, "one byte")
    let shorts = copy(box, as: UInt16.self, set, pool)
    #expect(shorts.actual == shorts.expected, "two bytes")
    let words = copy(box, as: UInt32.self, set, pool)
    #expect(words.actual == words.expected, "four bytes")
    let longs = copy(box, as: UInt64.self, set, pool)
    #expect(longs.actual == longs.expected, "eight bytes")
  }

  @Test(arguments: InstructionSet.available)
  func `fill repeats an element of any size, and nothing behind the end`(set: InstructionSet) {
    func check<Element: FixedWidthInteger>(_ value: Element) {
      for count in [0, 1, 2, 3, 15, 16, 17, 33, 40_000] {
        var y = [Element](repeating: 1, count: count + 1)
        withUnsafePointer(to: value) {
          set.kernels.fill(Pool(threads: 2).pointer, MemoryLayout<Element>.size, count, $0, &y)
        }
        #expect(y == [Element](repeating: value, count: count) + [1], "\(count) of \(value)")
      }
    }
    check(0x12 as UInt8)
    check(0x1234 as UInt16)
    check(0x1234_5678 as UInt32)
    check(0x1234_5678_9abc_def0 as UInt64)
  }

  @Test(arguments: InstructionSet.available)
  func `copies give the same bytes for any number of threads`(set: InstructionSet) {
    let box = Self.images(4, 30, 900, channelsLast: true)
    for threads in threadCounts {
      let result = copy(box, as: UInt32.self, set, Pool(threads: threads))
      #expect(result.actual == result.expected, "\(threads) threads")
    }
  }
}
