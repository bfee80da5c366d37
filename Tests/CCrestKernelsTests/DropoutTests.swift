import CCrestKernels
import Testing

struct DropoutTests {
  static let kernels = ["dropout_f32", "dropout_mask"]

  @Test(arguments: InstructionSet.available)
  func `dropout keeps what its uniforms say, scaled`(set: InstructionSet) {
    var numbers = SeededNumbers(seed: 62)
    for count in [0, 1, 3, 4, 15, 16, 17, 63, 64, 65, 257, 33_000] {
      let x = numbers.floats(count)
      let seed = numbers.next()
      for rate: Float in [0, 0.1, 0.5, 0.9, 1] {
        var y = [Float](repeating: .nan, count: count)
        set.kernels.dropout_f32(Pool(threads: 2).pointer, count, rate, seed, 7, 9, x, &y)
        let expected = x.indices.map { index in
          ck_philox_uniform(seed, 7, 9, UInt64(index)) >= rate ? x[index] * (1 / (1 - rate)) : 0
        }
        #expect(y == expected, "\(count) elements, rate \(rate), seed \(seed)")
        var mask = [UInt8](repeating: 7, count: count + 1)
        set.kernels.dropout_mask(Pool(threads: 2).pointer, count, rate, seed, 7, 9, &mask)
        let kept = x.indices.map { index -> UInt8 in
          ck_philox_uniform(seed, 7, 9, UInt64(index)) >= rate ? 1 : 0
        }
        #expect(mask == kept + [7], "mask of \(count) elements, rate \(rate), seed \(seed)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `what is dropped is zero even where it was not finite`(set: InstructionSet) {
    let x = [Float](repeating: .nan, count: 50)
    var y = x
    set.kernels.dropout_f32(Pool().pointer, 50, 1, 5, 0, 0, x, &y)
    #expect(y == [Float](repeating: 0, count: 50))
  }

  @Test(arguments: InstructionSet.available)
  func `dropout gives the same bits for any number of threads`(set: InstructionSet) {
    var numbers = SeededNumbers(seed: 63)
    let x = numbers.floats(200_000)
    expectSameBits("dropout") { pool in
      var y = x
      set.kernels.dropout_f32(pool.pointer, x.count, 0.3, 1, 2, 3, x, &y)
      return y
    }
  }
}
