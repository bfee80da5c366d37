import CCrestKernels
import Testing

struct OptimizerKernelTests {
  static let kernels = ["update_f32"]

  static let counts = [0, 1, 3, 4, 15, 16, 17, 40, 33_000]

  private func close(_ values: [Double]) -> [Expected] {
    values.map { Expected(value: $0, magnitude: abs($0) + 2, roundings: 4) }
  }

  /// A rule's settings.
  private static func settings(
    _ rule: ck_rule, rate: Float, l2: Float = 0, decay: Float = 0, _ p: [Float]
  ) -> ck_update {
    var update = ck_update()
    (update.rule, update.rate, update.l2, update.decay) = (rule, rate, l2, decay)
    withUnsafeMutableBytes(of: &update.p) { bytes in
      for (place, value) in p.enumerated() {
        bytes.storeBytes(of: value, toByteOffset: 4 * place, as: Float.self)
      }
    }
    return update
  }

  struct SGDRow: Sendable {
    let rate, momentum, l2, decay: Float
    let nesterov: Bool

    var settings: ck_update {
      OptimizerKernelTests.settings(
        CK_RULE_SGD, rate: rate, l2: l2, decay: decay, [momentum, nesterov ? 1 : 0])
    }
  }

  static let sgd = [
    SGDRow(rate: 0.1, momentum: 0, l2: 0, decay: 0, nesterov: false),
    SGDRow(rate: 0.1, momentum: 0.9, l2: 0, decay: 0, nesterov: false),
    SGDRow(rate: 0.1, momentum: 0.9, l2: 0.01, decay: 0, nesterov: true),
    SGDRow(rate: 0.1, momentum: 0.5, l2: 0.01, decay: 0.05, nesterov: true),
  ]

  @Test(arguments: InstructionSet.available, sgd.indices)
  func `SGD follows PyTorch's formulas over three steps`(set: InstructionSet, row: Int) {
    let p = Self.sgd[row]
    var settings = p.settings
    let (rate, momentum) = (Double(p.rate), Double(p.momentum))
    for count in Self.counts {
      var numbers = SeededNumbers(seed: 91)
      var nonfinite: UInt32 = 0
      var w = numbers.floats(count)
      var v = [Float](repeating: 0, count: count)
      var exactW = w.map(Double.init)
      var exactV = v.map(Double.init)
      for _ in 0..<3 {
        let g = numbers.floats(count)
        let pool = Pool(threads: 2)
        set.kernels.update_f32(pool.pointer, count, &settings, g, &v, nil, nil, nil, &w, &nonfinite)
        for i in 0..<count {
          exactW[i] *= 1 - rate * Double(p.decay)
          let gradient = Double(g[i]) + Double(p.l2) * exactW[i]
          exactV[i] = momentum * exactV[i] + gradient
          exactW[i] -= rate * (p.nesterov ? gradient + momentum * exactV[i] : exactV[i])
        }
      }
      expectClose(w, close(exactW), "w, \(count) parameters")
      #expect(nonfinite == 0)
      expectClose(v, close(exactV), "v, \(count) parameters")
    }
  }

  @Test(arguments: InstructionSet.available, [(0, 0), (0.02, 0), (0, 0.1)] as [(Float, Float)])
  func `Adam follows the formulas of its paper over three steps`(
    set: InstructionSet, decays: (l2: Float, decoupled: Float)
  ) {
    let (beta1, beta2) = (0.9, 0.99)
    for count in Self.counts {
      var numbers = SeededNumbers(seed: 92)
      var nonfinite: UInt32 = 0
      var w = numbers.floats(count)
      var m = [Float](repeating: 0, count: count)
      var s = m
      var (exactW, exactM, exactS) = (w.map(Double.init), m.map(Double.init), s.map(Double.init))
      var (power1, power2) = (1.0, 1.0)
      for _ in 0..<3 {
        power1 *= beta1
        power2 *= beta2
        let g = numbers.floats(count)
        let (keep1, keep2, epsilon) = (Float(beta1), Float(beta2), Float(1e-5))
        let (correction1, correction2) = (Float(1 - power1), Float(1 - power2))
        var p = Self.settings(
          CK_RULE_ADAM, rate: 0.01, l2: decays.l2, decay: decays.decoupled,
          [keep1, keep2, epsilon, correction1, correction2])
        set.kernels.update_f32(
          Pool(threads: 2).pointer, count, &p, g, &m, &s, nil, nil, &w, &nonfinite)
        for i in 0..<count {
          exactW[i] *= 1 - Double(p.rate) * Double(p.decay)
          let gradient = Double(g[i]) + Double(p.l2) * exactW[i]
          exactM[i] = Double(keep1) * exactM[i] + (1 - Double(keep1)) * gradient
          exactS[i] = Double(keep2) * exactS[i] + (1 - Double(keep2)) * gradient * gradient
          let deviation =
            exactS[i].squareRoot() / Double(correction2).squareRoot() + Double(epsilon)
          exactW[i] -= Double(p.rate) / Double(correction1) * exactM[i] / deviation
        }
      }
      expectClose(w, close(exactW), "w, \(count) parameters")
      #expect(nonfinite == 0)
      expectClose(m, close(exactM), "m, \(count) parameters")
      expectClose(s, close(exactS), "s, \(count) parameters")
    }
  }

  @Test(arguments: InstructionSet.available, [(0, 0), (0.02, 0), (0, 0.1)] as [(Float, Float)])
  func `Lion follows the formulas of its paper over three steps`(
    set: InstructionSet, decays: (l2: Float, decoupled: Float)
  ) {
    for count in Self.counts {
      var numbers = SeededNumbers(seed: 94)
      var nonfinite: UInt32 = 0
      var w = numbers.floats(count)
      var m = [Float](repeating: 0, count: count)
      var (exactW, exactM) = (w.map(Double.init), m.map(Double.init))
      for _ in 0..<3 {
        let g = numbers.floats(count)
        var p = Self.settings(
          CK_RULE_LION, rate: 0.125, l2: decays.l2, decay: decays.decoupled, [0.75, 0.5])
        set.kernels.update_f32(
          Pool(threads: 2).pointer, count, &p, g, &m, nil, nil, nil, &w, &nonfinite)
        for i in 0..<count {
          exactW[i] *= 1 - 0.125 * Double(decays.decoupled)
          let gradient = Double(g[i]) + Double(decays.l2) * exactW[i]
          let direction = 0.75 * exactM[i] + 0.25 * gradient
          exactW[i] -= 0.125 * (direction > 0 ? 1 : direction < 0 ? -1 : 0)
          exactM[i] = 0.5 * exactM[i] + 0.5 * gradient
        }
      }
      expectClose(w, close(exactW), "w, \(count) parameters")
      #expect(nonfinite == 0)
      expectClose(m, close(exactM), "m, \(count) parameters")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a gradient that is not finite reaches its own parameter only`(set: InstructionSet) {
    var p = Self.sgd[0].settings
    var v = [Float](repeating: 0, count: 20)
    var g = [Float](repeating: 0, count: 20)
    g[13] = .nan
    var w = [Float](repeating: 1, count: 20)
    var nonfinite: UInt32 = 0
    set.kernels.update_f32(Pool().pointer, 20, &p, g, &v, nil, nil, nil, &w, &nonfinite)
    #expect(w.indices.filter { w[$0].isNaN } == [13])
    #expect(nonfinite == 1)
  }

  /// Where a number that isn't finite may be: the parameters, the gradients, either moment.
  @Test(arguments: InstructionSet.available, [0, 1, 2, 3])
  func `a number that is not finite is told wherever it is`(set: InstructionSet, buffer: Int) {
    for rule in [CK_RULE_SGD, CK_RULE_ADAM, CK_RULE_LION] {
      if buffer == 3 && rule != CK_RULE_ADAM { continue }
      for value in [Float.nan, .infinity, -.infinity] {
        for (count, place) in [(1, 0), (16, 15), (17, 16), (33, 7), (70_000, 69_999)] {
          // Adam's second moment is a mean of squares.
          if buffer == 3 && value < 0 { continue }
          var buffers = [[Float]](repeating: .init(repeating: 1, count: count), count: 4)
          buffers[buffer][place] = value
          var (w, m, s) = (buffers[0], buffers[2], buffers[3])
          var p = Self.settings(rule, rate: 0.01, [0.9, 0.99, 1e-5, 0.1, 0.01])
          var nonfinite: UInt32 = 0
          set.kernels.update_f32(
            Pool(threads: 2).pointer, count, &p, buffers[1], &m, &s, nil, nil, &w, &nonfinite)
          #expect(nonfinite == 1, "rule \(rule), \(value) at \(place) of \(count)")
          let finite = [Float](repeating: 1, count: count)
          (w, m, s) = (finite, finite, finite)
          nonfinite = 0
          set.kernels.update_f32(
            Pool(threads: 2).pointer, count, &p, finite, &m, &s, nil, nil, &w, &nonfinite)
          #expect(nonfinite == 0)
        }
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `optimiser steps give the same bits for any number of threads`(set: InstructionSet) {
    var numbers = SeededNumbers(seed: 93)
    let g = numbers.floats(120_000)
    let start = numbers.floats(120_000)
    expectSameBits("SGD, then Adam") { pool in
      var (w, v, m, s) = (start, g, g, start.map(abs))
      var nonfinite: UInt32 = 0
      var p = Self.sgd[3].settings
      var q = Self.settings(
        CK_RULE_ADAM, rate: 0.01, l2: 0.1, [0.9, 0.99, 1e-5, 0.1, 0.01])
      set.kernels.update_f32(pool.pointer, g.count, &p, g, &v, nil, nil, nil, &w, &nonfinite)
      set.kernels.update_f32(pool.pointer, g.count, &q, g, &m, &s, nil, nil, &w, &nonfinite)
      return w + v + m + s
    }
  }
}
