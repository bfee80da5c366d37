import CCrestKernels
import Testing

struct ChoiceTests {
  static let kernels = ["gather", "scatter_f32", "gather_elements", "scatter_elements_f32"]

  /// Rows (outer, size, inner) of which `count` are named.
  struct Rows: CustomTestStringConvertible, Sendable {
    let outer: Int
    let size: Int
    let count: Int
    let inner: Int
    var testDescription: String { "\(count) of (\(outer), \(size), \(inner))" }
  }

  /// An embedding, columns, single elements; nothing; and those that are cut into parts.
  static let rows = [
    (1, 7, 4, 3), (3, 5, 2, 1), (2, 4, 6, 5), (1, 3, 0, 4), (0, 3, 2, 4), (2, 3, 4, 0),
    (1, 1, 9, 17),
    (1, 50, 300, 16), (1, 40, 700, 129), (1, 3, 900, 64), (5, 9, 200, 33), (1, 9, 40_000, 1),
  ].map { Rows(outer: $0.0, size: $0.1, count: $0.2, inner: $0.3) }

  static let joinings: [ck_joining] = [
    CK_JOIN_REPLACE, CK_JOIN_ADD, CK_JOIN_MULTIPLY, CK_JOIN_MAXIMUM, CK_JOIN_MINIMUM,
  ]

  /// Indices below a size, some of them from the end.
  private static func indices(
    _ count: Int, below size: Int, _ numbers: inout SeededNumbers
  ) -> [Int64] {
    (0..<count).map { _ in Int64.random(in: -Int64(size)..<Int64(size), using: &numbers) }
  }

  /// Calls `body` with the indices as either type.
  private func withEachType(
    _ indices: [Int64], _ body: (ck_type, UnsafeRawPointer, String) -> Void
  ) {
    (indices + [0]).withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      body(CK_INT64, base, "int64")
    }
    (indices + [0]).map(Int32.init).withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      body(CK_INT32, base, "int32")
    }
  }

  /// An update joined, by its definition.
  private func joined<Real: BinaryFloatingPoint>(
    _ joining: ck_joining, _ old: Real, _ update: Real
  ) -> Real {
    switch joining {
    case CK_JOIN_REPLACE: update
    case CK_JOIN_ADD: old + update
    case CK_JOIN_MULTIPLY: old * update
    case CK_JOIN_MAXIMUM: old.isNaN || update.isNaN ? .nan : max(old, update)
    default: old.isNaN || update.isNaN ? .nan : min(old, update)
    }
  }

  private func sameBits(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count
      && zip(a, b).allSatisfy { $0.isNaN && $1.isNaN || $0.bitPattern == $1.bitPattern }
  }

  @Test(arguments: rows, InstructionSet.available)
  func `rows are taken by their index, of elements of any size`(rows: Rows, set: InstructionSet) {
    var numbers = SeededNumbers(seed: 81)
    let indices = Self.indices(rows.count, below: rows.size, &numbers)
    func check<Element: FixedWidthInteger>(_: Element.Type) {
      let x = (0..<rows.outer * rows.size * rows.inner).map { _ in
        Element(truncatingIfNeeded: numbers.next())
      }
      var expected: [Element] = []
      for outer in 0..<rows.outer {
        for index in indices {
          let row = Int(index < 0 ? index + Int64(rows.size) : index)
          let start = (outer * rows.size + row) * rows.inner
          expected += x[start..<start + rows.inner]
        }
      }
      withEachType(indices) { type, base, name in
        var y = [Element](repeating: 0x55, count: expected.count + 1)
        set.kernels.gather(
          Pool(threads: 2).pointer, type, MemoryLayout<Element>.size, rows.outer, rows.size,
          rows.count, rows.inner, base, x, &y)
        #expect(y == expected + [0x55], "\(rows.testDescription), \(Element.self), \(name)")
      }
    }
    check(UInt8.self)
    check(UInt16.self)
    check(UInt32.self)
    check(UInt64.self)
  }

  @Test(arguments: rows, InstructionSet.available)
  func `updates join the rows that are named, in their order, on any number of threads`(
    rows: Rows, set: InstructionSet
  ) {
    var numbers = SeededNumbers(seed: 82)
    let indices = Self.indices(rows.count, below: rows.size, &numbers)
    let updates = numbers.placing(
      specialFloats, in: numbers.floats(rows.outer * rows.count * rows.inner))
    let data = numbers.placing(
      specialFloats, in: numbers.floats(rows.outer * rows.size * rows.inner))
    for joining in Self.joinings {
      var sums = data.map(Double.init)
      for outer in 0..<rows.outer {
        for (k, index) in indices.enumerated() {
          let row = Int(index < 0 ? index + Int64(rows.size) : index)
          for i in 0..<rows.inner {
            let place = (outer * rows.size + row) * rows.inner + i
            sums[place] = joined(
              joining, sums[place], Double(updates[(outer * rows.count + k) * rows.inner + i]))
          }
        }
      }
      let expected = sums.map(Float.init)
      withEachType(indices) { type, base, name in
        for threads in threadCounts {
          var y = data + [7]
          withScratch(bytes: ck_scatter_scratch_bytes(rows.size, rows.count)) { scratch in
            set.kernels.scatter_f32(
              Pool(threads: threads).pointer, type, joining, rows.outer, rows.size, rows.count,
              rows.inner, base, updates, &y, scratch)
          }
          #expect(
            sameBits(y, expected + [7]),
            "\(rows.testDescription), joining \(joining.rawValue), \(name), \(threads) threads")
        }
      }
    }
  }

  /// Elements of data chosen one by one along an axis.
  struct Elements: CustomTestStringConvertible, Sendable {
    let data: [Int]
    let axis: Int
    let indices: [Int]
    var testDescription: String { "\(indices) of \(data) along \(axis)" }

    var choice: ck_element_choice {
      var choice = ck_element_choice()
      choice.rank = data.count
      choice.axis = axis
      choice.size = data[axis]
      let strides = ElementwiseProgram.denseStrides(data)
      withUnsafeMutableBytes(of: &choice.sizes) { bytes in
        for (axis, size) in indices.enumerated() { bytes.bindMemory(to: Int.self)[axis] = size }
      }
      withUnsafeMutableBytes(of: &choice.strides) { bytes in
        for (axis, stride) in strides.enumerated() {
          bytes.bindMemory(to: Int.self)[axis] = stride
        }
      }
      return choice
    }

    /// Where each element comes from.
    func places(_ chosen: [Int64]) -> [Int] {
      let strides = ElementwiseProgram.denseStrides(data)
      return chosen.enumerated().map { element, index in
        var (rest, place) = (element, 0)
        for dimension in data.indices.reversed() {
          let own = rest % indices[dimension]
          rest /= indices[dimension]
          let along = Int(index < 0 ? index + Int64(data[axis]) : index)
          place += (dimension == axis ? along : own) * strides[dimension]
        }
        return place
      }
    }
  }

  static let elements: [Elements] = [
    ([5, 3], 1, [5, 1]), ([4, 3], 1, [2, 5]), ([4, 3], 0, [6, 2]), ([2, 3, 2], 1, [2, 4, 2]),
    ([3], 0, [0]), ([9], 0, [40]), ([6, 300], 0, [40, 290]), ([40, 30], 1, [40, 70]),
    ([70, 9], 1, [70, 300]), ([3, 4, 600], 0, [50, 3, 513]),
    ([3, 1, 2, 1, 4, 1, 2, 3], 4, [3, 1, 2, 1, 7, 1, 2, 3]),
    ([4, 2, 0], 0, [4, 2, 0]),
  ].map { Elements(data: $0.0, axis: $0.1, indices: $0.2) }

  @Test(arguments: elements, InstructionSet.available)
  func `single elements are taken and joined along an axis, on any number of threads`(
    elements: Elements, set: InstructionSet
  ) {
    var numbers = SeededNumbers(seed: 83)
    let count = elements.indices.reduce(1, *)
    let indices = Self.indices(count, below: elements.data[elements.axis], &numbers)
    let places = elements.places(indices)
    let data = numbers.placing(specialFloats, in: numbers.floats(elements.data.reduce(1, *)))
    let updates = numbers.placing(specialFloats, in: numbers.floats(count))
    var choice = elements.choice
    let context = elements.testDescription
    func checkTaken<Element: FixedWidthInteger>(_: Element.Type) {
      let x = data.indices.map { _ in Element(truncatingIfNeeded: numbers.next()) }
      withEachType(indices) { type, base, name in
        var y = [Element](repeating: 0x55, count: count + 1)
        set.kernels.gather_elements(
          Pool(threads: 2).pointer, type, MemoryLayout<Element>.size, &choice, base, x, &y)
        #expect(y == places.map { x[$0] } + [0x55], "\(context), \(Element.self), \(name)")
      }
    }
    checkTaken(UInt8.self)
    checkTaken(UInt16.self)
    checkTaken(UInt32.self)
    checkTaken(UInt64.self)
    for joining in Self.joinings {
      var expected = data
      for (place, update) in zip(places, updates) {
        expected[place] = joined(joining, expected[place], update)
      }
      withEachType(indices) { type, base, name in
        for threads in threadCounts {
          var y = data + [7]
          set.kernels.scatter_elements_f32(
            Pool(threads: threads).pointer, type, joining, &choice, base, updates, &y)
          #expect(
            sameBits(y, expected + [7]),
            "\(context), joining \(joining.rawValue), \(name), \(threads) threads")
        }
      }
    }
  }
}
