extension Tensor {
  /// A copy of a range along an axis.
  ///
  /// - Precondition: `places` lie within the axis.
  package func slice(_ places: Range<Int>, along axis: Int) -> Tensor {
    programmerError(
      unless: places.lowerBound >= 0 && places.upperBound <= shape[axis],
      "\(places) of axis \(axis) of \(shape)")
    var sizes = shape.dimensions
    sizes[axis] = places.count
    var result = Tensor(zeros: Shape(sizes), elementType: elementType)
    let width = shape.dimensions[(axis + 1)...].reduce(elementType.byteCount, *)
    let (row, part) = (shape[axis] * width, places.count * width)
    withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        for block in 0..<shape.dimensions[..<axis].reduce(1, *) {
          let start = block * row + places.lowerBound * width
          UnsafeMutableRawBufferPointer(rebasing: target[block * part..<(block + 1) * part])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<start + part]))
        }
      }
    }
    return result
  }

  /// The rows with the last one repeated until there are `count`.
  ///
  /// - Precondition: there are at least 1 and at most `count` rows.
  package func filledUp(to count: Int) -> Tensor {
    let rowCount = shape[0]
    guard rowCount < count else { return self }
    programmerError(unless: rowCount > 0, "no row of \(typeDescription) to fill up to \(count)")
    let last = slice(rowCount - 1..<rowCount, along: 0)
    return Tensor(joining: [self] + (rowCount..<count).map { _ in last }, along: 0)
  }

  /// The concatenation of tensors along an axis.
  ///
  /// - Precondition: there is at least one, and all have the same type and, except along the axis,
  ///   the same shape.
  package init(joining parts: [Tensor], along axis: Int) {
    programmerError(unless: !parts.isEmpty, "nothing to join")
    var sizes = parts[0].shape.dimensions
    sizes[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    var result = Tensor(zeros: Shape(sizes), elementType: parts[0].elementType)
    let width = sizes[(axis + 1)...].reduce(result.elementType.byteCount, *)
    let row = sizes[axis] * width
    result.withUnsafeMutableBytes { target in
      var place = 0
      for part in parts {
        var expected = sizes
        expected[axis] = part.shape[axis]
        programmerError(
          unless: part.shape.dimensions == expected && part.elementType == parts[0].elementType,
          "\(part) beside \(parts[0]) along axis \(axis)")
        let length = part.shape[axis] * width
        part.withUnsafeBytes { source in
          for block in 0..<sizes[..<axis].reduce(1, *) {
            let start = block * row + place
            UnsafeMutableRawBufferPointer(rebasing: target[start..<start + length])
              .copyMemory(
                from: UnsafeRawBufferPointer(
                  rebasing: source[block * length..<(block + 1) * length]))
          }
        }
        place += length
      }
    }
    self = result
  }
}
