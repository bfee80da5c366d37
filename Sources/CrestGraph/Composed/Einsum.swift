import CrestTensor

extension GraphBuilder {
  /// Returns products of values summed over the axes that an equation doesn't name in the result (ONNX
  /// `Einsum`, opset 12; NumPy and PyTorch `einsum`).
  ///
  ///     "bij,bjk->bik"    a batch of matrix products
  ///
  /// Each letter names an axis; `…` written `...` stands for leading axes that broadcast. Without `->`
  /// the result has the letters that occur once, in alphabetical order. Two values at a time are
  /// multiplied, as batches of matrices.
  ///
  /// - Throws: ``GraphError`` when the equation can't be read or the shapes don't fit.
  public func einsum(_ equation: String, _ operands: [Symbol]) throws -> Symbol {
    for operand in operands { require(operand) }
    let parsed = try EinsumEquation(equation, operands, in: self)
    var terms = try zip(operands, parsed.terms).map { try $0.withDistinctAxes($1, in: parsed) }
    while terms.count > 1 {
      let rest = terms[2...].reduce(Set(parsed.result)) { $0.union($1.axes) }
      let product = try terms[0].multiplied(terms[1], keeping: rest, in: parsed)
      terms.replaceSubrange(0..<2, with: [product])
    }
    return try terms[0].summed(keeping: Set(parsed.result)).arranged(as: parsed.result)
  }
}

/// An equation with a name for each axis: a letter, or a negative number for one that `...` stands for.
private struct EinsumEquation {
  typealias Axis = Int32

  private(set) var terms: [[Axis]] = []
  private(set) var result: [Axis] = []
  private let path: String

  init(_ equation: String, _ operands: [Symbol], in builder: GraphBuilder) throws {
    path = builder.path
    let sides = equation.filter { !$0.isWhitespace }.split(
      separator: "->", omittingEmptySubsequences: false)
    let written = sides[0].split(separator: ",", omittingEmptySubsequences: false)
    guard sides.count <= 2, written.count == operands.count else {
      throw refused("an equation for \(operands.count) inputs", "\"\(equation)\"")
    }
    var widest = 0
    for (text, operand) in zip(written, operands) {
      let letters = try self.letters(text)
      let open = operand.shape.rank - letters.count { $0 != nil }
      guard open >= 0, open == 0 || letters.contains(nil) else {
        throw refused("letters for the axes of \(operand.shape)", "\"\(text)\"")
      }
      widest = max(widest, letters.contains(nil) ? open : 0)
      terms.append(Self.axes(letters, open))
    }
    if sides.count == 2 {
      result = Self.axes(try letters(sides[1]), widest)
      let known = Set(terms.joined())
      guard Set(result).count == result.count, known.isSuperset(of: result.filter { $0 > 0 }) else {
        throw refused("an output of different letters of the inputs", "\"\(sides[1])\"")
      }
    } else {
      let counts = terms.joined().reduce(into: [:]) { $0[$1, default: 0] += 1 }
      result =
        Self.axes([nil], widest) + counts.keys.filter { $0 > 0 && counts[$0] == 1 }.sorted()
    }
  }

  /// The letters of a term, nil for `...`.
  private func letters(_ text: Substring) throws -> [Axis?] {
    var rest = text
    var found: [Axis?] = []
    while let next = rest.first {
      if rest.hasPrefix("..."), !found.contains(nil) {
        found.append(nil)
        rest = rest.dropFirst(3)
      } else if next.isASCII, next.isLetter, let value = next.unicodeScalars.first {
        found.append(Axis(value.value))
        rest = rest.dropFirst()
      } else {
        throw refused("letters, and ... at most once in each term", "\"\(text)\"")
      }
    }
    return found
  }

  /// The axes of a term whose `...` stands for some number: counted from the last, which is -1.
  private static func axes(_ letters: [Axis?], _ open: Int) -> [Axis] {
    letters.flatMap { letter in letter.map { [$0] } ?? (0..<open).map { Axis($0 - open) } }
  }

  func refused(_ expected: String, _ got: String) -> GraphError {
    GraphError(path: path, operation: "Einsum", expected: expected, got: got)
  }
}

/// A value whose axes have names, each once.
private struct EinsumTerm {
  var value: Symbol
  var axes: [EinsumEquation.Axis]

  private func size(_ axis: EinsumEquation.Axis) -> Int {
    axes.firstIndex(of: axis).map { value.shape[$0] } ?? 1
  }

  /// Summed over the axes that nothing asks for.
  func summed(keeping kept: Set<EinsumEquation.Axis>) throws -> EinsumTerm {
    let places = axes.indices.filter { !kept.contains(axes[$0]) }
    guard !places.isEmpty else { return self }
    return EinsumTerm(value: try value.sum(axes: places), axes: axes.filter(kept.contains))
  }

  /// The value with its axes in an order; those it lacks have size 1.
  func arranged(as order: [EinsumEquation.Axis]) throws -> Symbol {
    let permutation = order.compactMap { axes.firstIndex(of: $0) }
    let moved = try value.transposed(permutation)
    return try moved.reshaped(exactlyTo: Shape(order.map(size)))
  }

  /// The product with another term, summed over what neither the rest nor the result has.
  func multiplied(
    _ other: EinsumTerm, keeping kept: Set<EinsumEquation.Axis>, in equation: EinsumEquation
  ) throws -> EinsumTerm {
    let left = try summed(keeping: kept.union(other.axes))
    let right = try other.summed(keeping: kept.union(left.axes))
    let shared = left.axes.filter(right.axes.contains)
    for axis in shared {
      let sizes = [left.size(axis), right.size(axis)]
      // Only what ... stands for broadcasts.
      guard sizes[0] == sizes[1] || axis < 0 && sizes.contains(1) else {
        throw equation.refused(
          "equal sizes of an axis", "\(left.value.shape) and \(right.value.shape)")
      }
    }
    let batch = shared.filter { kept.contains($0) || $0 < 0 }
    let summed = shared.filter { !batch.contains($0) }
    let rows = left.axes.filter { !shared.contains($0) }
    let columns = right.axes.filter { !shared.contains($0) }
    func count(_ axes: [EinsumEquation.Axis], of term: EinsumTerm) -> Int {
      axes.reduce(1) { $0 * term.size($1) }
    }
    let a = try left.arranged(as: batch + rows + summed).reshaped(
      exactlyTo: Shape(batch.map(left.size) + [count(rows, of: left), count(summed, of: left)]))
    let b = try right.arranged(as: batch + summed + columns).reshaped(
      exactlyTo: Shape(
        batch.map(right.size) + [count(summed, of: right), count(columns, of: right)]))
    let product = try a.matMul(b)
    let matrices = product.shape.rank - 2
    let sizes =
      Array(product.shape[..<matrices]) + rows.map(left.size) + columns.map(right.size)
    return EinsumTerm(
      value: try product.reshaped(exactlyTo: Shape(sizes)), axes: batch + rows + columns)
  }
}

extension Symbol {
  /// This with axes named, a diagonal taken where a name is there twice.
  fileprivate func withDistinctAxes(
    _ names: [EinsumEquation.Axis], in equation: EinsumEquation
  ) throws -> EinsumTerm {
    var term = EinsumTerm(value: self, axes: names)
    while let (first, second) = term.repeatedAxes {
      let shape = term.value.shape
      let size = shape[first]
      guard shape[second] == size else {
        throw equation.refused("equal sizes of an axis", "\(shape)")
      }
      try builder.makeRoom(forConstant: size, .int64, "Einsum")
      let others = shape.indices.filter { $0 != first && $0 != second }
      let plane = try term.value.transposed(others + [first, second]).reshaped(
        exactlyTo: Shape(others.map { shape[$0] } + [size * size]))
      let places = builder.constant(Tensor((0..<Int64(size)).map { $0 * Int64(size + 1) }))
      term = EinsumTerm(
        value: try plane.gathered(places, axis: -1),
        axes: others.map { term.axes[$0] } + [term.axes[first]])
    }
    return term
  }
}

extension EinsumTerm {
  /// Two places with one name.
  fileprivate var repeatedAxes: (Int, Int)? {
    for (place, axis) in axes.enumerated() {
      if let second = axes[(place + 1)...].firstIndex(of: axis) { return (place, second) }
    }
    return nil
  }
}
