import CrestTensor

/// What numbers give away about the array that they stand in: patterns that no training leaves.
struct ArrayValues {
  private let values: [Float]
  private let sizes: [Int]

  /// Looks at a `float32` array.
  init(_ tensor: Tensor) {
    values = tensor.array(as: Float.self)
    sizes = tensor.shape.dimensions
  }

  /// Why the array can't be learned; nil when its numbers don't say.
  var reasonToFix: TrainingReadiness.FixedReason? {
    if isIdentity { return .identity }
    if isMask { return .mask }
    if isSinusoids { return .sinusoids }
    return reasonToFixSeries ?? (isWholeNumbers || isEquallySpaced ? .positions : nil)
  }

  /// Why numbers in a row can't be learned; nil when they don't say.
  var reasonToFixSeries: TrainingReadiness.FixedReason? {
    guard sizes.count(where: { $0 > 1 }) == 1 else { return nil }
    return isGeometric ? .frequencies : isEquallySpaced ? .positions : nil
  }

  /// Attention adds large negative numbers, and training would undo them.
  private static let maskMagnitude: Float = 1e4
  private static let leastMasking: Float = -10

  /// Numbers that only mask: beyond all scores, or 0 and one other that is 1 or far below.
  private var isMask: Bool {
    if values.contains(where: { !($0.magnitude < Self.maskMagnitude) }) { return true }
    guard values.contains(0), let other = values.first(where: { $0 != 0 }),
      other == 1 || other <= Self.leastMasking
    else { return false }
    return values.allSatisfy { $0 == 0 || $0 == other }
  }

  /// A unit matrix, perhaps flattened.
  private var isIdentity: Bool {
    let wide = sizes.filter { $0 > 1 }
    let side =
      wide.count == 2 && wide[0] == wide[1]
      ? wide[0] : wide.count == 1 ? Int(Double(wide[0]).squareRoot().rounded()) : 0
    guard side > 1, side * side == values.count else { return false }
    return values.indices.allSatisfy { values[$0] == ($0 / side == $0 % side ? 1 : 0) }
  }

  /// Three different integers at least, and no others.
  private var isWholeNumbers: Bool {
    guard values.allSatisfy({ $0 == $0.rounded() }) else { return false }
    var different: Set<Float> = []
    for value in values where different.count < 3 { different.insert(value) }
    return different.count == 3
  }

  /// Lines of four numbers or more along the last long axis, each equally spaced, and not all equal.
  private var isEquallySpaced: Bool {
    guard let count = sizes.last(where: { $0 > 1 }), count >= 4 else { return false }
    let starts = Array(stride(from: 0, to: values.count, by: count))
    return starts.contains(where: { values[$0] != values[$0 + 1] })
      && starts.allSatisfy { start in
        let distance = Double(values[start + 1]) - Double(values[start])
        let reach = max(abs(distance) * Double(count), Double(values[start].magnitude))
        return (1..<count).allSatisfy {
          abs(Double(values[start + $0]) - Double(values[start]) - Double($0) * distance)
            <= 1e-5 * reach
        }
      }
  }

  /// Numbers in a row, each the same multiple of the one before.
  private var isGeometric: Bool {
    guard values.count >= 3, values[0] != 0 else { return false }
    let ratio = Double(values[1]) / Double(values[0])
    guard ratio.isFinite, ratio > 0, abs(ratio - 1) > 1e-3 else { return false }
    return zip(values, values.dropFirst()).allSatisfy { before, after in
      abs(Double(after) - ratio * Double(before)) <= 1e-5 * abs(Double(after))
    }
  }

  /// A table of sines and cosines, by row or by column.
  ///
  /// Sines of equally spaced angles follow vᵢ₊₁ + vᵢ₋₁ = 2 cos ω · vᵢ, whatever their frequency ω.
  private var isSinusoids: Bool {
    let wide = sizes.filter { $0 > 1 }
    guard wide.count == 2, values.allSatisfy({ $0.magnitude <= 1 + 1e-6 }),
      values.contains(where: { $0.magnitude > 0.5 }), values.contains(where: { $0 != values[0] })
    else { return false }
    let (rows, columns) = (wide[0], wide[1])
    return followsWaves(lines: columns, step: columns, between: 1, count: rows)
      || followsWaves(lines: rows, step: 1, between: columns, count: columns)
      || isPairsOfUnitLength(rows: rows, columns: columns)
  }

  private func followsWaves(lines: Int, step: Int, between: Int, count: Int) -> Bool {
    guard count >= 4 else { return false }
    return (0..<lines).allSatisfy { line in
      let wave = (0..<count).map { Double(values[line * between + $0 * step]) }
      var (product, square) = (0.0, 0.0)
      for place in 1..<count - 1 {
        product += wave[place] * (wave[place - 1] + wave[place + 1])
        square += wave[place] * wave[place]
      }
      let factor = square == 0 ? 2 : product / square
      return factor.magnitude <= 2 + 1e-3
        && (1..<count - 1).allSatisfy {
          abs(wave[$0 - 1] + wave[$0 + 1] - factor * wave[$0]) <= 1e-4
        }
    }
  }

  /// Whether each row is sines and then their cosines, or both by turns.
  private func isPairsOfUnitLength(rows: Int, columns: Int) -> Bool {
    guard columns.isMultiple(of: 2), rows > 1 else { return false }
    func isUnit(_ first: Int, _ second: Int) -> Bool {
      let (a, b) = (Double(values[first]), Double(values[second]))
      return abs(a * a + b * b - 1) <= 1e-4
    }
    let half = columns / 2
    return (0..<rows).allSatisfy { row in
      (0..<half).allSatisfy { isUnit(row * columns + $0, row * columns + half + $0) }
    }
      || (0..<rows).allSatisfy { row in
        (0..<half).allSatisfy { isUnit(row * columns + 2 * $0, row * columns + 2 * $0 + 1) }
      }
  }

  /// Whether one row of a matrix is exactly 0, and no other.
  var hasOneZeroRow: Bool {
    guard sizes.count == 2, sizes[0] > 2, sizes[1] > 1 else { return false }
    let zeroRows = (0..<sizes[0]).lazy.filter { row in
      values[row * sizes[1]..<(row + 1) * sizes[1]].allSatisfy { $0 == 0 }
    }
    return zeroRows.prefix(2).count == 1
  }

  /// Whether a part of the numbers is exactly 0, and the others differ.
  var hasManyZeros: Bool {
    let zeros = values.count { $0 == 0 }
    return zeros >= 4 && zeros >= values.count / 8 && values.count - zeros >= 4
  }

  /// Whether a product's weights have numbers as filters and transforms that are made have them, and none
  /// that were drawn: few different ones, or lines that are waves, orthogonal or averages.
  var isPattern: Bool {
    let wide = sizes.filter { $0 > 1 }
    guard values.count >= 4, values.allSatisfy(\.isFinite),
      values.contains(where: { $0.bitPattern != values[0].bitPattern })
    else { return false }
    if hasFewMagnitudes || isAveraging { return true }
    guard wide.count == 2 else { return false }
    let (rows, columns) = (wide[0], wide[1])
    if rows == columns, rows >= 3, isSymmetric(rows) { return true }
    return isOrthonormal(rows, columns) || isOrthonormal(columns, rows, isTransposed: true)
  }

  /// The most different sizes of numbers that a made filter has: those of a blur of 11 × 11 are 21.
  private static let magnitudeLimit = 24

  private var hasFewMagnitudes: Bool {
    var found: Set<Float> = []
    for value in values {
      found.insert(value.magnitude)
      if found.count > Self.magnitudeLimit { return false }
    }
    return found.count * 3 <= values.count
  }

  /// Whether each filter, or each row or column of a matrix, takes a weighted mean.
  private var isAveraging: Bool {
    guard values.allSatisfy({ $0 >= 0 }), let count = sizes.first, count > 0 else { return false }
    let size = values.count / count
    func isMean(_ sum: Double) -> Bool { abs(sum - 1) <= 1e-5 }
    func sum(_ places: some Sequence<Int>) -> Double {
      places.reduce(0) { $0 + Double(values[$1]) }
    }
    if size > 1, (0..<count).allSatisfy({ isMean(sum($0 * size..<($0 + 1) * size)) }) {
      return true
    }
    return sizes.count == 2 && count > 1
      && (0..<size).allSatisfy { isMean(sum(stride(from: $0, to: values.count, by: size))) }
  }

  private func isSymmetric(_ side: Int) -> Bool {
    (1..<side).allSatisfy { row in
      (0..<row).allSatisfy { values[row * side + $0] == values[$0 * side + row] }
    }
  }

  /// Whether lines are of unit length, and orthogonal to each other; not told of more than the first few.
  private func isOrthonormal(_ lines: Int, _ count: Int, isTransposed: Bool = false) -> Bool {
    guard lines >= 2, count >= 4, lines <= count else { return false }
    let (line, step) = isTransposed ? (1, lines) : (count, 1)
    func product(_ a: Int, _ b: Int) -> Double {
      (0..<count).reduce(0) {
        $0 + Double(values[a * line + $1 * step]) * Double(values[b * line + $1 * step])
      }
    }
    let looked = min(lines, 64)
    return (0..<looked).allSatisfy { a in
      abs(product(a, a) - 1) <= 1e-4 && (0..<a).allSatisfy { abs(product(a, $0)) <= 1e-4 }
    }
  }

  /// Whether a convolution's filters are one that is repeated: blur, edges.
  var isRepeatedFilter: Bool {
    let size = sizes.dropFirst(2).reduce(1, *)
    guard sizes.count >= 3, size > 1, values.count > size,
      values[..<size].contains(where: { $0 != values[0] })
    else { return false }
    return values.indices.allSatisfy { values[$0].bitPattern == values[$0 % size].bitPattern }
  }
}
