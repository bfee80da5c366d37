import CrestTensor

/// The two parts of a data set: what is learned from, and what tells whether it was learned.
public struct DataSplit: Sendable {
  /// Where the validation part comes from.
  public enum Origin: String, Sendable, Hashable, Codable {
    /// The set's author made it.
    case ownValidation
    /// A fifth of the set, drawn at random.
    case drawnFifth
    /// There is none: what is learned from is measured.
    case trainingExamples
  }

  /// The examples to learn from.
  public let train: any Dataset
  /// The examples to measure by.
  public let valid: any Dataset
  /// Where ``valid`` comes from.
  public let origin: Origin
  /// The set that both parts were drawn from; nil when the validation part is the set's own.
  public let whole: (any Dataset)?

  /// A set that has a validation part of its own.
  public init(train: any Dataset, valid: any Dataset) {
    self.train = train
    self.valid = valid
    origin = .ownValidation
    whole = nil
  }

  /// Other parts of the same origin.
  init(
    train: any Dataset, valid: any Dataset, like other: DataSplit, whole: (any Dataset)?
  ) {
    self.train = train
    self.valid = valid
    origin = other.origin
    self.whole = whole
  }

  /// A set without a validation part, all of which is learned from and measured by.
  ///
  /// What is measured tells how well the examples were learned, and nothing of others.
  public init(measuringOn whole: any Dataset) {
    train = whole
    valid = whole
    origin = .trainingExamples
    self.whole = whole
  }

  /// Four fifths of `whole` to learn from and a fifth to measure by.
  ///
  /// The fifth is drawn at random, since the order of a file often hides a shift, stratified by class
  /// when each example has one, and by a fixed key: it is the same in every run, whatever its seed.
  /// Each class gives the whole number nearest to a fifth of its examples.
  ///
  /// - Throws: ``DataError/tooFewExamples(name:count:)`` when either part would be empty.
  public init(dividing whole: any Dataset) throws(DataError) {
    let chosen = DataSplit.fifth(ofCount: whole.count, labels: whole.labels)
    let isChosen = Set(chosen)
    let rest = (0..<whole.count).filter { !isChosen.contains($0) }
    guard !chosen.isEmpty, !rest.isEmpty else {
      throw .tooFewExamples(name: whole.name, count: whole.count)
    }
    train = Subset(whole, indices: rest, name: whole.name + " (train)")
    valid = Subset(whole, indices: chosen, name: whole.name + " (validation)")
    origin = .drawnFifth
    self.whole = whole
  }

  /// The indices set apart, ascending.
  private static func fifth(ofCount count: Int, labels: [Int64]?) -> [Int] {
    let classes = labels.map { labels in
      Dictionary(grouping: 0..<count) { labels[$0] }.sorted { $0.key < $1.key }
    }
    var chosen: [Int] = []
    for (label, members) in classes ?? [(0, Array(0..<count))] {
      let generator = Philox(
        seed: 0, stream: Philox.Stream.split, step: UInt32(truncatingIfNeeded: label))
      let order = generator.permutation(members.count)
      chosen += order.prefix((members.count + 2) / 5).map { members[$0] }
    }
    return chosen.sorted()
  }
}
