extension Tensor {
  /// A matrix of `rows`.
  ///
  /// - Precondition: all rows have the same length.
  public init<Element: TensorElement>(_ rows: [[Element]]) {
    self.init(stacking: rows.map { Tensor($0) }, of: Element.elementType)
  }

  /// A tensor of `matrices`.
  ///
  /// - Precondition: all matrices, and all their rows, have the same length.
  public init<Element: TensorElement>(_ matrices: [[[Element]]]) {
    self.init(stacking: matrices.map { Tensor($0) }, of: Element.elementType)
  }

  /// A tensor of stacks of matrices, as a batch of images is.
  ///
  /// - Precondition: all stacks, all their matrices and all rows of these have the same length.
  public init<Element: TensorElement>(_ stacks: [[[[Element]]]]) {
    self.init(stacking: stacks.map { Tensor($0) }, of: Element.elementType)
  }

  /// Tensors of one shape along a new first dimension.
  private init(stacking parts: [Tensor], of elementType: ElementType) {
    guard let first = parts.first else {
      self.init(zeros: [0], elementType: elementType)
      return
    }
    if let other = parts.first(where: { $0.shape != first.shape }) {
      programmerError(
        "a tensor of nested arrays: all must be as long, got \(first.shape) and \(other.shape)")
    }
    self.init(
      joining: parts.map { $0.reshaped(to: Shape([1] + $0.shape.dimensions)) }, along: 0)
  }

  /// The part at `indices` of the first dimensions, as in NumPy and PyTorch: for a matrix, `x[1]`
  /// is a row and `x[1, 2]` a scalar.
  ///
  /// - Precondition: there are at most as many indices as dimensions, each within its dimension.
  public subscript(indices: Int...) -> Tensor {
    programmerError(
      unless: indices.count <= shape.rank, "\(indices.count) indices of a tensor of shape \(shape)")
    return indices.reduce(self) { part, index in
      programmerError(
        unless: (0..<part.shape[0]).contains(index),
        "index \(index) of a dimension of \(part.shape[0]), in [\(indices.map(String.init).joined(separator: ", "))] of "
          + "shape \(shape)")
      return part.slice(index..<index + 1, along: 0)
        .reshaped(to: Shape(Array(part.shape.dropFirst())))
    }
  }

  /// The part at `places` of the first dimension.
  ///
  /// - Precondition: the places are within it.
  public subscript(places: Range<Int>) -> Tensor {
    programmerError(
      unless: shape.rank > 0 && places.lowerBound >= 0 && places.upperBound <= shape[0],
      "\(places) of the first dimension of a tensor of shape \(shape)")
    return slice(places, along: 0)
  }

  /// The only element (PyTorch `item`).
  ///
  /// - Precondition: there is one element, of the type `Element`.
  public func item<Element: TensorElement>(as type: Element.Type = Float.self) -> Element {
    programmerError(
      unless: elementCount == 1, "the only element of a tensor of shape \(shape)")
    return array(as: type)[0]
  }

  /// The element type and shape, as in `float32 [64, 3, 32, 32]`.
  package var typeDescription: String { "\(elementType) \(shape)" }
}

extension Tensor: CustomStringConvertible {
  /// The values as NumPy prints them, then type and shape; with more than 1,000 elements, only the
  /// first and last three along each dimension.
  ///
  ///     [[1.0, 2.0],
  ///      [3.0, 4.0]] float32 [2, 2]
  public var description: String {
    guard elementCount > 0 else { return "[] \(typeDescription)" }
    return text(indent: 1, isWhole: elementCount <= 1000) + " \(typeDescription)"
  }

  private func text(indent: Int, isWhole: Bool) -> String {
    guard shape.rank > 0 else {
      if elementType == .bool { return integers?[0] == 0 ? "false" : "true" }
      if let whole = integers?[0] { return "\(whole)" }
      return elementType == .float64 ? "\(doubles[0])" : "\(Float(doubles[0]))"
    }
    let count = shape[0]
    let places = isWhole || count <= 6 ? Array(0..<count) : Array(0..<3) + Array(count - 3..<count)
    var parts = places.map { self[$0].text(indent: indent + 1, isWhole: isWhole) }
    if places.count < count { parts.insert("…", at: 3) }
    let separator =
      shape.rank == 1
      ? ", "
      : "," + String(repeating: "\n", count: shape.rank - 1)
        + String(repeating: " ", count: indent)
    return "[" + parts.joined(separator: separator) + "]"
  }
}
