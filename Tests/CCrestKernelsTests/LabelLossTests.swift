import CCrestKernels
import Foundation
import Testing

struct LabelLossTests {
  static let kernels = [
    "label_loss_f32", "label_loss_gradient_f32", "one_hot_labels_f32", "ctc_loss_f32",
    "ctc_loss_gradient_f32",
  ]

  /// How a loss of labels is computed.
  struct Form: Sendable, CustomTestStringConvertible {
    var smoothing: Float = 0
    var isOfLogarithms = false
    var ignored: Int64?
    var isWeighted = false

    var testDescription: String {
      "smoothing \(smoothing), logarithms \(isOfLogarithms), ignored \(ignored ?? 999), weights \(isWeighted)"
    }
  }

  static let forms = [
    Form(isWeighted: true), Form(ignored: -100), Form(smoothing: 0.25, ignored: 1),
    Form(smoothing: 0.25, ignored: -100, isWeighted: true), Form(smoothing: 1, isWeighted: true),
    Form(isOfLogarithms: true, ignored: 0), Form(isOfLogarithms: true, isWeighted: true),
    Form(smoothing: 0.5, isOfLogarithms: true, isWeighted: true),
  ]

  @Test(arguments: forms, InstructionSet.available)
  func `losses of labels agree with the definition`(form: Form, set: InstructionSet) {
    for (rows, classes) in [(0, 4), (5, 1), (7, 3), (9, 16), (6, 17), (3, 33), (2, 1000)] {
      var numbers = SeededNumbers(seed: 51)
      let labels = (0..<rows).map { row -> Int64 in
        if row % 4 == 3, let ignored = form.ignored { return ignored }
        let label = Int64(numbers.next() % UInt64(classes))
        // Some count from the end.
        return row % 5 == 4 ? label - Int64(classes) : label
      }
      let weights = numbers.floats(classes, in: 0..<3).enumerated().map { $0 % 4 == 1 ? 0 : $1 }
      let rowGradient = numbers.floats(rows)
      for x in [
        numbers.floats(rows * classes, in: -5..<5), numbers.floats(rows * classes, in: 9e3..<1e4),
      ] {
        var (loss, dx) = (
          [Float](repeating: .nan, count: rows), [Float](repeating: .nan, count: rows * classes)
        )
        run(form, set, x, labels, weights, rowGradient, &loss, &dx, threads: 2)
        var (losses, gradients) = ([Expected](), [Expected]())
        for row in 0..<rows {
          let line = Array(x[row * classes..<(row + 1) * classes])
          let (own, slope) = definition(form, line, labels[row], weights)
          losses.append(own)
          gradients += slope.map {
            Expected(
              value: $0.value * Double(rowGradient[row]),
              magnitude: $0.magnitude * abs(Double(rowGradient[row])), roundings: $0.roundings)
          }
        }
        expectClose(loss, losses, "\(rows) rows of \(classes)")
        expectClose(dx, gradients, "gradient, \(rows) rows of \(classes)")
      }
    }
  }

  /// The loss of a row and its gradient.
  private func definition(
    _ form: Form, _ x: [Float], _ label: Int64, _ weights: [Float]
  ) -> (Expected, [Expected]) {
    if label == form.ignored {
      let nothing = Expected(value: 0, magnitude: 0, roundings: 0)
      return (nothing, x.map { _ in nothing })
    }
    let reference = SoftmaxReference(x)
    let logarithms = form.isOfLogarithms ? x.map(Double.init) : reference.logarithms
    let own = Int(label < 0 ? label + Int64(x.count) : label)
    let targets = x.indices.map { place in
      (form.isWeighted ? Double(weights[place]) : 1)
        * (Double(form.smoothing) / Double(x.count)
          + (place == own ? 1 - Double(form.smoothing) : 0))
    }
    let terms = zip(targets, logarithms).map { $0 == 0 ? 0 : -$0 * $1 }
    let total = targets.reduce(0, +)
    return (
      Expected(
        value: terms.reduce(0, +), magnitude: terms.reduce(total) { $0 + abs($1) }, roundings: 4),
      zip(form.isOfLogarithms ? x.map { _ in 0 } : reference.probabilities, targets).map {
        Expected(value: $0 * total - $1, magnitude: total + abs($1), roundings: 4)
      }
    )
  }

  private func run(
    _ form: Form, _ set: InstructionSet, _ x: [Float], _ labels: [Int64], _ weights: [Float],
    _ rowGradient: [Float], _ loss: inout [Float], _ dx: inout [Float], threads: Int
  ) {
    let (pool, rows, classes) = (Pool(threads: threads), labels.count, weights.count)
    let ignored = form.ignored.map { [$0] }
    weights.withUnsafeBufferPointer { weights in
      let weights = form.isWeighted ? weights.baseAddress : nil
      set.kernels.label_loss_f32(
        pool.pointer, rows, classes, form.smoothing, form.isOfLogarithms, ignored, weights, x,
        labels, &loss)
      set.kernels.label_loss_gradient_f32(
        pool.pointer, rows, classes, form.smoothing, form.isOfLogarithms, ignored, weights, x,
        labels, rowGradient, &dx)
    }
  }

  @Test(arguments: InstructionSet.available)
  func `labels become vectors, and the ignored one becomes none`(set: InstructionSet) {
    let labels: [Int64] = [2, 0, 1, 255, 1, 2]
    var y = [Float](repeating: .nan, count: 18)
    set.kernels.one_hot_labels_f32(Pool(threads: 2).pointer, 2, 3, 3, [255], labels, &y)
    #expect(y == [0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1])
    set.kernels.one_hot_labels_f32(Pool(threads: 2).pointer, 2, 3, 3, [1], labels, &y)
    #expect(y == [0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
  }

  @Test(arguments: InstructionSet.available)
  func `connectionist temporal classification agrees with a sum over all paths`(
    set: InstructionSet
  ) {
    var numbers = SeededNumbers(seed: 52)
    for (steps, classes, labels) in [
      (1, 2, [[1], [0], [0]]), (4, 3, [[1, 2], [2, 2], [1, 0], [0, 0]]),
      (5, 3, [[1, 1, 2], [2, 0, 1], [1, 1, 1]]), (6, 2, [[1, 1], [0, 1]]),
      (3, 4, [[3, 3, 0], [1, 2, 3], [2, 2, 2]]), (2, 3, [[], []]),
    ] as [(Int, Int, [[Int64]])] {
      let (count, width) = (labels.count, labels[0].count)
      let x = numbers.floats(count * steps * classes, in: -3..<3)
      let rowGradient = numbers.floats(count)
      for zeroInfinity in [false, true] {
        let results = ctc(set, steps, classes, labels, x, rowGradient, zeroInfinity, threads: 2)
        for example in 0..<count {
          let line = Array(x[example * steps * classes..<(example + 1) * steps * classes])
          let own = labels[example].filter { $0 != 0 }
          let (loss, posterior) = Self.paths(line, steps, classes, own)
          let context = "\(steps) steps, \(classes) classes, labels \(labels[example]) of \(width)"
          let wanted = loss.isInfinite && zeroInfinity ? 0 : loss
          #expect(
            Double(results.loss[example]) == wanted
              || abs(Double(results.loss[example]) - wanted) < 1e-5, "\(context)")
          for place in line.indices {
            let got = Double(results.dx[example * steps * classes + place])
            if loss.isInfinite {
              #expect(zeroInfinity ? got == 0 : got.isNaN, "\(context)")
            } else {
              let slope = posterior[place] * Double(rowGradient[example])
              #expect(abs(got - slope) < 1e-6, "\(context), \(place): \(got), not \(slope)")
            }
          }
        }
      }
    }
  }

  private func ctc(
    _ set: InstructionSet, _ steps: Int, _ classes: Int, _ labels: [[Int64]], _ x: [Float],
    _ rowGradient: [Float], _ zeroInfinity: Bool, threads: Int
  ) -> (loss: [Float], dx: [Float]) {
    let (count, width) = (labels.count, labels[0].count)
    let bytes = ck_ctc_scratch_bytes(steps, classes, width, threads)
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    defer { scratch.deallocate() }
    var loss = [Float](repeating: .nan, count: count)
    var dx = [Float](repeating: .nan, count: x.count)
    let all = labels.flatMap { $0 }
    set.kernels.ctc_loss_f32(
      Pool(threads: threads).pointer, count, steps, classes, width, 0, 0, zeroInfinity, x, all,
      &loss, scratch)
    set.kernels.ctc_loss_gradient_f32(
      Pool(threads: threads).pointer, count, steps, classes, width, 0, 0, zeroInfinity, x, all,
      rowGradient, &dx, scratch)
    return (loss, dx)
  }

  /// -log of the probability of all paths that become the labels, and p less the share of them in each class.
  private static func paths(
    _ x: [Float], _ steps: Int, _ classes: Int, _ labels: [Int64]
  ) -> (loss: Double, gradient: [Double]) {
    let p = (0..<steps).map {
      SoftmaxReference(x[$0 * classes..<($0 + 1) * classes]).probabilities
    }
    var (total, through) = (0.0, [Double](repeating: 0, count: x.count))
    var count = 1
    for _ in 0..<steps { count *= classes }
    for number in 0..<count {
      var (rest, path) = (number, [Int]())
      for _ in 0..<steps {
        path.append(rest % classes)
        rest /= classes
      }
      let merged = path.indices.filter { $0 == 0 || path[$0] != path[$0 - 1] }.map { path[$0] }
      guard merged.filter({ $0 != 0 }).map(Int64.init) == labels else { continue }
      let chance = path.enumerated().reduce(1) { $0 * p[$1.offset][$1.element] }
      total += chance
      for (step, label) in path.enumerated() { through[step * classes + label] += chance }
    }
    let flat = p.flatMap { $0 }
    return (-log(total), zip(flat, through).map { $0 - $1 / total })
  }

  @Test(arguments: InstructionSet.available)
  func `losses of labels give the same bits for any number of threads`(set: InstructionSet) {
    var numbers = SeededNumbers(seed: 53)
    let (rows, classes) = (700, 90)
    let x = numbers.floats(rows * classes)
    let labels = (0..<rows).map { Int64($0 % classes) }
    let weights = numbers.floats(classes, in: 0..<2)
    let dy = numbers.floats(rows)
    expectSameBits("label losses") { pool in
      var (loss, dx) = ([Float](repeating: .nan, count: rows), x)
      run(
        Form(smoothing: 0.1, ignored: 7, isWeighted: true), set, x, labels, weights, dy, &loss,
        &dx, threads: pool.threads)
      let sequences = ctc(
        set, 30, 10, (0..<20).map { [Int64($0 % 9 + 1), 3, 3] }, Array(x[..<6000]),
        Array(dy[..<20]), false, threads: pool.threads)
      return loss + dx + sequences.loss + sequences.dx
    }
  }
}
