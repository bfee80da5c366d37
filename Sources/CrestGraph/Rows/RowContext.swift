package import CrestTensor

/// What an operation is asked about its rows: its inputs, none of which is mixed, and its outputs' shapes.
package struct RowContext {
  /// How each input depends on the examples.
  package let rows: [Rows]
  /// The inputs' shapes.
  package let inputs: [Shape]
  /// The outputs' shapes.
  package let outputs: [Shape]
  /// The number of examples, at least 2.
  package let count: Int

  /// Refuses inputs after the first that depend on examples.
  func requireShared(after first: Int = 0, _ what: String) throws(Graph.RowMixing) {
    for rows in rows.dropFirst(first + 1) {
      if case .along = rows { throw .unknown("has \(what) that depend on the examples") }
    }
  }

  /// The axis of the examples in an input; nil when it is shared.
  func axis(_ input: Int) -> Int? {
    if case .along(let axis, _) = rows[input] { axis } else { nil }
  }

  /// Whether all elements of an input along one of its axes are equal, or there is one.
  func isUniform(_ input: Int, along axis: Int) -> Bool {
    guard inputs[input][axis] != 1 else { return true }
    if case .shared(let uniform) = rows[input] { return uniform.contains(axis) }
    return false
  }

  /// The flow of an operation that works along `axes` of its first input and leaves the others as they are.
  ///
  /// - Parameters:
  ///   - operation: The operation.
  ///   - axes: The axes.
  ///   - removed: Those that the output hasn't.
  ///   - reason: What it does along them.
  /// - Returns: The flow, of one output.
  /// - Throws: `Graph.RowMixing` with the reason when the examples lie along one of `axes`.
  func flow(
    of operation: any GraphOperation, along axes: [Int], removing removed: [Int] = [],
    _ reason: String
  ) throws(Graph.RowMixing) -> RowFlow {
    func moved(_ axis: Int) -> Int { axis - removed.count { $0 < axis } }
    let found: Rows
    switch rows[0] {
    case .mixed(let mixing): throw mixing
    case .shared(let uniform):
      found = .shared(uniform: Set(uniform.filter { !axes.contains($0) }.map(moved)))
    case .along(let axis, let inner):
      guard !axes.contains(axis) else { throw .combined(reason) }
      found = .along(axis: moved(axis), inner: inner)
    }
    let sizes = axes.map { inputs[0][$0] } + [-1] + inputs.dropFirst().flatMap(\.dimensions)
    return RowFlow(
      [found], settings: AnyHashable([AnyHashable(operation), AnyHashable(sizes)]),
      keepsUniform: true)
  }

  /// The rows of what NumPy's broadcasting makes of all inputs.
  func broadcastRows() throws(Graph.RowMixing) -> Rows {
    let output = outputs[0]
    var found: (axis: Int, inner: Int)?
    for (input, rows) in rows.enumerated() {
      guard case .along(let axis, let inner) = rows else { continue }
      let aligned = axis + output.rank - inputs[input].rank
      guard inputs[input][axis] == output[aligned] else {
        throw .unknown("repeats the batch axis")
      }
      if let found, found != (aligned, inner) {
        throw found.axis == aligned
          ? .unknown("combines examples in different orders")
          : .combined("combines each example with the others")
      }
      found = (aligned, inner)
    }
    func isUniform(_ input: Int, _ axis: Int) -> Bool {
      let own = axis - output.rank + inputs[input].rank
      return own < 0 || self.isUniform(input, along: own)
    }
    guard let found else {
      let uniform = output.indices.filter { axis in
        output[axis] != 1 && inputs.indices.allSatisfy { isUniform($0, axis) }
      }
      return .shared(uniform: Set(uniform))
    }
    for (input, rows) in rows.enumerated() {
      guard case .shared = rows, !isUniform(input, found.axis) else { continue }
      throw output[found.axis] == count
        ? .combined("has a separate value for each index in the batch")
        : .unknown("has separate values along the batch axis")
    }
    return .along(axis: found.axis, inner: found.inner)
  }

  /// The rows of the first input's elements, in their order, in a shape of as many.
  func reshapedRows() throws(Graph.RowMixing) -> Rows {
    let (from, to) = (inputs[0], outputs[0])
    func suffix(_ shape: Shape, after axis: Int) -> Int {
      shape.dimensions[(axis + 1)...].reduce(1, *)
    }
    switch rows[0] {
    case .mixed(let mixing): throw mixing
    case .shared(let uniform):
      let isWhole = from.indices.allSatisfy { from[$0] == 1 || uniform.contains($0) }
      let kept = to.indices.filter { axis in
        to[axis] != 1
          && (isWhole
            || uniform.contains {
              from[$0] == to[axis] && suffix(from, after: $0) == suffix(to, after: axis)
            })
      }
      return .shared(uniform: Set(kept))
    case .along(let axis, let inner):
      // In row-major order example n begins at every multiple of `step` · N plus n · `step`.
      let step = inner * suffix(from, after: axis)
      for place in to.indices {
        let size = suffix(to, after: place)
        guard size > 0, step > 0, step % size == 0, to[place] % (count * (step / size)) == 0 else {
          continue
        }
        return .along(axis: place, inner: step / size)
      }
      throw .unknown("merges the batch axis with others in a way that the analysis doesn't follow")
    }
  }
}

extension GraphOperation {
  /// The flow of an operation that computes every element from those at the same place of its inputs.
  func elementwiseFlow(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    let rows = try context.broadcastRows()
    let reduced: (([Tensor]) -> [Tensor]?)? = isRandom ? nil : { evaluateReduced($0) }
    return RowFlow([rows], settings: AnyHashable(self), keepsUniform: true, reduced: reduced)
  }

  /// The outputs for constants; nil where an index names nothing.
  func evaluateReduced(_ constants: [Tensor]) -> [Tensor]? {
    let inputs = constants.map { ReferenceArray($0) }
    let outputs = try? evaluate(inputs, random: RandomKey(seed: 0, step: 0))
    return outputs?.map(\.tensor)
  }

  /// The flow of an operation that moves no element, whose attributes are the sizes of its output.
  func reshapingFlow(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    let rows = try context.reshapedRows()
    return RowFlow([rows], settings: AnyHashable("Reshape"), keepsUniform: true) { constants in
      guard case .shared(let uniform) = rows else { return nil }
      let sizes = context.outputs[0].enumerated().map { uniform.contains($0) ? 1 : $1 }
      return sizes.reduce(1, *) == constants[0].elementCount
        ? [constants[0].reshaped(to: Shape(sizes))] : nil
    }
  }
}

extension RowContext {
  /// The rows of an operation on inputs of one rank that lie side by side but for `axis`, along which indices,
  /// the second input, choose; the output is as long as the indices, or as the first input.
  func alignedRows(choosingAlong axis: Int) throws(Graph.RowMixing) -> Rows {
    var found: (axis: Int, inner: Int)?
    for case .along(let place, let inner) in rows {
      if let found, found != (place, inner) {
        throw .unknown("combines examples along different axes")
      }
      found = (place, inner)
    }
    guard let found else { return .shared }
    if found.axis == axis {
      // Each index chooses from the same data, if it is only the index that is the example's.
      guard rows.count == 2, self.axis(0) == nil else {
        throw .combined("selects among the examples by index")
      }
      return .along(axis: axis, inner: found.inner)
    }
    for (input, rows) in rows.enumerated() {
      guard inputs[input][found.axis] == outputs[0][found.axis] else {
        throw .unknown("uses only some of the examples")
      }
      guard case .shared = rows, !isUniform(input, along: found.axis) else { continue }
      throw .combined("has a separate value for each index in the batch")
    }
    return .along(axis: found.axis, inner: found.inner)
  }
}
