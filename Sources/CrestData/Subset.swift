public import CrestTensor

/// Some examples of a set, in a given order.
public struct Subset: Dataset {
  /// The set that the examples belong to.
  public let base: any Dataset
  /// The examples, as indices into ``base``.
  public let indices: [Int]
  /// The name of the part.
  public let name: String

  /// The examples of `base` at `indices`, called `name`.
  ///
  /// - Precondition: every index is in `0 ..< base.count`.
  public init(_ base: any Dataset, indices: [Int], name: String) {
    if let index = indices.first(where: { $0 < 0 || $0 >= base.count }) {
      programmerError("index \(index) is not in 0 ..< \(base.count)")
    }
    self.base = base
    self.indices = indices
    self.name = name
  }

  /// The number of chosen examples.
  public var count: Int { indices.count }
  /// The whole set's.
  public var inputs: [Field] { base.inputs }
  /// The whole set's.
  public var target: Target { base.target }
  /// The whole set's.
  public var preprocessing: Preprocessing { base.preprocessing }
  /// The classes of the chosen examples.
  public var labels: [Int64]? {
    base.checkedLabels.map { labels in indices.map { labels[$0] } }
  }

  /// A hash of the whole set's and of the indices.
  public var fingerprint: String {
    var hash = Fingerprint()
    hash.add(base.fingerprint)
    for index in indices { hash.add(UInt64(index)) }
    return hash.text
  }

  /// Writes examples of the whole set, looked up by their index in this part.
  public func write(_ examples: ArraySlice<Int>, into batch: inout Batch) throws {
    try base.write(chosen(examples)[...], into: &batch)
  }

  /// The examples of the whole set.
  func chosen(_ examples: ArraySlice<Int>) -> [Int] {
    examples.map { example in
      programmerError(
        unless: indices.indices.contains(example), "example \(example) of \(count)")
      return indices[example]
    }
  }

  /// The same examples of the whole set with this preprocessing.
  public func prepared(by preprocessing: Preprocessing) throws(DataError) -> any Dataset {
    Subset(try base.prepared(by: preprocessing), indices: indices, name: name)
  }

  /// The same examples of the whole set, rearranged.
  public func rearranged(to shape: Shape) throws(DataError) -> any Dataset {
    Subset(try base.rearranged(to: shape), indices: indices, name: name)
  }
}
