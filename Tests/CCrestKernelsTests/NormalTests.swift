import CCrestKernels
import Foundation
import Testing

struct NormalTests {
  static let kernels = ["normal_f32"]

  /// Box and Muller's number of an element, in double precision.
  private static func exact(_ seed: UInt64, _ stream: UInt32, _ step: UInt32, _ element: Int)
    -> Double
  {
    let words = philoxReference(
      counter: [UInt32(element / 4), 0, step, stream],
      key: [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)])
    let (first, second) = (words[element % 4 / 2 * 2], words[element % 4 / 2 * 2 + 1])
    let radius = (-2 * log((Double(first) + 0.5) * 0x1p-32)).squareRoot()
    let angle = 2 * Double.pi * Double(second) * 0x1p-32
    return radius * (element % 2 == 0 ? cos(angle) : sin(angle))
  }

  @Test(arguments: InstructionSet.available)
  func `normal numbers are those of Box and Muller`(set: InstructionSet) {
    for (count, seed) in [
      (0, 1), (1, 2), (3, 3), (4, 4), (15, 5), (17, 6), (63, 7), (65, 1 << 40), (257, 9),
      (200_000, 10),
    ] as [(Int, UInt64)] {
      var y = [Float](repeating: 9, count: count + 1)
      set.kernels.normal_f32(Pool(threads: 2).pointer, count, seed, 7, 11, &y)
      #expect(y[count] == 9)
      let wrong = (0..<count).first { element in
        let exact = Self.exact(seed, 7, 11, element)
        return abs(Double(y[element]) - exact) > 0x1p-20 && unitsInLastPlace(y[element], exact) > 8
      }
      #expect(
        wrong == nil,
        "element \(wrong ?? 0) of \(count), seed \(seed): \(wrong.map { y[$0] } ?? 0), not \(wrong.map { Self.exact(seed, 7, 11, $0) } ?? 0)"
      )
    }
  }

  @Test(arguments: InstructionSet.available)
  func `normal numbers have the moments of their distribution`(set: InstructionSet) {
    var y = [Float](repeating: 0, count: 400_000)
    set.kernels.normal_f32(Pool(threads: 2).pointer, y.count, 3, 1, 2, &y)
    let values = y.map(Double.init)
    let moments = (1...4).map { power in
      values.reduce(0) { $0 + pow($1, Double(power)) } / Double(y.count)
    }
    for (moment, (wanted, bound)) in zip(
      moments, [(0, 0.008), (1, 0.012), (0, 0.03), (3, 0.08)] as [(Double, Double)])
    {
      #expect(abs(moment - wanted) < bound, "\(moments)")
    }
    let neighbours = zip(values, values.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(neighbours / Double(y.count)) < 0.008)
    #expect(values.contains { $0 > 4 } && values.contains { $0 < -4 })
  }

  @Test(arguments: InstructionSet.available)
  func `normal numbers have the same bits for any number of threads`(set: InstructionSet) {
    expectSameBits("normal numbers") { pool in
      var y = [Float](repeating: 0, count: 150_001)
      set.kernels.normal_f32(pool.pointer, y.count, 1, 2, 3, &y)
      return y
    }
  }
}
