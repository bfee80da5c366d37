public import CrestTensor

/// The two parts of a data set: what is learned from, and what tells whether it was learned.
public struct DataSplit: Sendable {
  /// Where the validation part comes from.
  public enum Origin: String, Sendable, Hashable, Codable {
    /// The set's author made it.
    case ownValidation
    /// A part of the set, drawn at random.
    case drawnPart
    /// There is none: what is learned from is measured.
    case trainingExamples
  }

  /// The examples to learn from.
  public let train: any Dataset
  /// The examples to measure by.
  public let valid: any Dataset
  /// Where ``valid`` comes from.
  public let origin: Origin
  /// How much of a set was drawn for ``valid``; nil when none was.
  public let drawnFraction: Double?
  /// The set that both parts were drawn from; nil when the validation part is the set's own.
  public let whole: (any Dataset)?
  /// What whoever reads the set should know of how it was taken.
  public package(set) var notes: [DataNote] = []

  /// A set that has a validation part of its own.
  public init(train: any Dataset, valid: any Dataset) {
    self.train = train
    self.valid = valid
    origin = .ownValidation
    drawnFraction = nil
    whole = nil
  }

  /// A set without a validation part, all of which is learned from and measured by.
  ///
  /// What is measured tells how well the examples were learned, and nothing of others.
  public init(measuringOn whole: any Dataset) {
    train = whole
    valid = whole
    origin = .trainingExamples
    drawnFraction = nil
    self.whole = whole
  }

  /// A part of `whole` to measure by, and the rest to learn from.
  ///
  /// The part is drawn at random, since the order of a file often hides a shift, stratified by class
  /// when each example has one, and by a fixed key: it is the same in every run, whatever its seed.
  /// Each class gives the whole number nearest to the fraction of its examples. Where classes are so small
  /// that none gives any, it is drawn from all, at least one, and of each class an example stays to learn
  /// from as long as that leaves enough.
  ///
  /// - Parameters:
  ///   - whole: The set.
  ///   - fraction: How much of it is measured (fastai `valid_pct`, Keras `validation_split`).
  /// - Throws: ``DataError/tooFewExamples(name:count:)`` when there are too few for both.
  /// - Precondition: `fraction` lies between 0 and 1.
  public init(dividing whole: any Dataset, fraction: Double = 0.2) throws(DataError) {
    programmerError(
      unless: fraction > 0 && fraction < 1, "the fraction \(fraction) is not between 0 and 1")
    let chosen = DataSplit.part(fraction, ofCount: whole.count, labels: whole.labels)
    let isChosen = Set(chosen)
    let rest = (0..<whole.count).filter { !isChosen.contains($0) }
    guard !chosen.isEmpty, !rest.isEmpty else {
      throw .tooFewExamples(name: whole.name, count: whole.count)
    }
    train = Subset(whole, indices: rest, name: whole.name + " (train)")
    valid = Subset(whole, indices: chosen, name: whole.name + " (validation)")
    origin = .drawnPart
    drawnFraction = fraction
    self.whole = whole
  }

  /// The indices set apart, ascending.
  ///
  /// Nothing of this may change for sets that are split today: runs would no longer be comparable.
  private static func part(
    _ fraction: Double, ofCount count: Int, labels: [Int64]?
  ) -> [Int] {
    let classes = labels.map { labels in
      Dictionary(grouping: 0..<count) { labels[$0] }.sorted { $0.key < $1.key }
    }
    var chosen: [Int] = []
    for (label, members) in classes ?? [(0, Array(0..<count))] {
      let generator = Philox(
        seed: 0, stream: Philox.Stream.split, step: UInt32(truncatingIfNeeded: label))
      let order = generator.permutation(members.count)
      chosen += order.prefix(nearest(fraction, of: members.count)).map { members[$0] }
    }
    guard chosen.isEmpty, count > 1 else { return chosen.sorted() }
    return part(fraction, ofSmallClasses: labels ?? Array(repeating: 0, count: count))
  }

  /// The whole number nearest to a fraction of a number.
  private static func nearest(_ fraction: Double, of count: Int) -> Int {
    Int((Double(count) * fraction).rounded())
  }

  /// A part of examples of classes that are too small to give any.
  private static func part(_ fraction: Double, ofSmallClasses labels: [Int64]) -> [Int] {
    let wanted = max(nearest(fraction, of: labels.count), 1)
    let order = Philox(seed: 0, stream: Philox.Stream.split, step: 0).permutation(labels.count)
    var left = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
    var (chosen, lone): ([Int], [Int]) = ([], [])
    for example in order {
      if let count = left[labels[example]], count > 1 {
        left[labels[example]] = count - 1
        chosen.append(example)
      } else {
        lone.append(example)
      }
    }
    return (chosen + lone).prefix(wanted).sorted()
  }

  private init(_ other: DataSplit, train: any Dataset, valid: any Dataset, whole: (any Dataset)?) {
    (self.train, self.valid, self.whole) = (train, valid, whole)
    (origin, drawnFraction, notes) = (other.origin, other.drawnFraction, other.notes)
  }

  /// Both parts, prepared by `preprocessing` in place of their own.
  ///
  /// - Throws: ``DataError/unsuitablePreprocessing(name:reason:)`` when one can't be prepared so.
  public func prepared(by preprocessing: Preprocessing) throws(DataError) -> DataSplit {
    try mapped { (dataset) throws(DataError) in try dataset.prepared(by: preprocessing) }
  }

  /// Both parts with the images of their only input in another order of axes, which ``notes`` say.
  ///
  /// - Throws: ``DataError/unsuitableShape(name:stored:wanted:)`` when `shape` is no order of their axes.
  public func rearranged(to shape: Shape) throws(DataError) -> DataSplit {
    let stored = train.inputs.first?.shape ?? []
    guard stored != shape else { return self }
    var split = try mapped { (dataset) throws(DataError) in try dataset.rearranged(to: shape) }
    split.notes.append(.rearranged(from: stored, to: shape))
    return split
  }

  /// The split with a note where nothing tells whether the channels of its images lie first or last, and they are
  /// taken to lie first.
  package var notingAssumedChannels: DataSplit {
    let shape = train.inputs.first?.shape ?? []
    // Fewer channels than rows and columns are as usual.
    guard shape.rank == 3, Preprocessing.Layout(ofImages: shape) == nil,
      shape[0] >= min(shape[1], shape[2])
    else { return self }
    var split = self
    split.notes.append(.channelsAssumed(shape))
    return split
  }

  /// The split of what `change` makes of the sets, each of which is changed once.
  func mapped(
    _ change: (any Dataset) throws(DataError) -> any Dataset
  ) throws(DataError) -> DataSplit {
    guard let whole else {
      return DataSplit(self, train: try change(train), valid: try change(valid), whole: nil)
    }
    let changed = try change(whole)
    func part(_ dataset: any Dataset) -> any Dataset {
      guard let subset = dataset as? Subset else { return changed }
      return Subset(changed, indices: subset.indices, name: subset.name)
    }
    return DataSplit(self, train: part(train), valid: part(valid), whole: changed)
  }
}
