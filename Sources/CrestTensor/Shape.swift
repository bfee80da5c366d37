/// The sizes of a tensor's dimensions, outermost first; `[]` is the shape of a scalar.
public struct Shape: Sendable, Hashable, Codable, ExpressibleByArrayLiteral,
  RandomAccessCollection, CustomStringConvertible
{
  /// The size of each dimension, none negative.
  public let dimensions: [Int]

  /// A shape of these sizes.
  ///
  /// - Precondition: no size is negative, and the element count fits in an `Int`.
  public init(_ dimensions: [Int]) {
    programmerError(
      unless: dimensions.allSatisfy { $0 >= 0 }, "a size is negative in \(dimensions)")
    programmerError(
      unless: Shape.elementCount(of: dimensions) != nil,
      "the element count of \(dimensions) overflows")
    self.dimensions = dimensions
  }

  /// A shape written as its sizes, as in `[64, 3, 32, 32]`.
  public init(arrayLiteral elements: Int...) {
    self.init(elements)
  }

  /// A shape from untrusted sizes, as from a file; nil if one is negative or their product
  /// overflows.
  public init?(checking dimensions: [Int]) {
    guard dimensions.allSatisfy({ $0 >= 0 }), Shape.elementCount(of: dimensions) != nil else {
      return nil
    }
    self.dimensions = dimensions
  }

  /// Decodes sizes, which a file may have wrong.
  ///
  /// - Throws: `DecodingError` when one is negative or the element count overflows.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let dimensions = try container.decode([Int].self, forKey: .dimensions)
    guard let shape = Shape(checking: dimensions) else {
      throw DecodingError.dataCorruptedError(
        forKey: .dimensions, in: container,
        debugDescription:
          "expected sizes of at least 0 whose product fits in 64 bits, got \(dimensions)")
    }
    self = shape
  }

  /// The product of sizes, or nil if it overflows even without sizes of zero, so that a shape can't
  /// hide an absurd size behind a zero.
  private static func elementCount(of dimensions: [Int]) -> Int? {
    var product = 1
    var isEmpty = false
    for size in dimensions {
      if size == 0 {
        isEmpty = true
        continue
      }
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      product = next
    }
    return isEmpty ? 0 : product
  }

  /// The number of dimensions.
  public var rank: Int { dimensions.count }

  /// The product of the sizes; 1 for a scalar.
  public var elementCount: Int { dimensions.reduce(1, *) }

  /// The number of elements to skip per step in each dimension, in row-major order.
  public var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * dimensions[axis + 1]
    }
    return strides
  }

  /// 0.
  public var startIndex: Int { 0 }
  /// The rank.
  public var endIndex: Int { dimensions.count }
  /// The size of dimension `axis`, counted from the outermost.
  public subscript(axis: Int) -> Int {
    programmerError(unless: dimensions.indices.contains(axis), "axis \(axis) of the shape \(self)")
    return dimensions[axis]
  }

  /// As in `[64, 3, 32, 32]`.
  public var description: String { "[\(dimensions.map(String.init).joined(separator: ", "))]" }

  /// The shape to which both broadcast by NumPy's rule (ONNX multidirectional broadcasting); nil if
  /// a pair of sizes differs and neither is 1.
  public func broadcast(with other: Shape) -> Shape? {
    let rank = Swift.max(self.rank, other.rank)
    var sizes = [Int](repeating: 1, count: rank)
    for position in 1...Swift.max(rank, 1) where position <= rank {
      let mine = position <= self.rank ? dimensions[self.rank - position] : 1
      let theirs = position <= other.rank ? other.dimensions[other.rank - position] : 1
      guard mine == theirs || mine == 1 || theirs == 1 else { return nil }
      sizes[rank - position] = mine == 1 ? theirs : mine
    }
    return Shape(checking: sizes)
  }

  /// Strides that read a tensor of this shape as if it had `shape`: zero where it is repeated.
  ///
  /// - Precondition: this shape broadcasts to `shape`.
  public func strides(broadcastTo shape: Shape) -> [Int] {
    programmerError(
      unless: broadcast(with: shape) == shape, "\(self) does not broadcast to \(shape)")
    let own = strides
    return (0..<shape.rank).map { axis in
      let mine = axis - (shape.rank - rank)
      return mine < 0 || dimensions[mine] == 1 && shape[axis] != 1 ? 0 : own[mine]
    }
  }

  /// The axis for `axis`, where negative ones count from the end (ONNX); nil if out of range.
  public func resolved(axis: Int) -> Int? {
    let resolved = axis < 0 ? axis + rank : axis
    return (0..<rank).contains(resolved) ? resolved : nil
  }
}
