public import CrestTensor

/// The training and validation parts of a data set.
public struct DataSplit: Sendable {
  /// Where the validation part comes from.
  public enum Origin: String, Sendable, Hashable, Codable {
    /// The set's author made it.
    case ownValidation
    /// A part of the set, drawn at random.
    case drawnPart
    /// The end of a set whose examples follow each other.
    case lastPart
    /// There is none: validation uses the training examples.
    case trainingExamples
  }

  /// The training examples.
  public let train: any Dataset
  /// The validation examples.
  public let valid: any Dataset
  /// The examples for a last measurement, which take no part in training; nil unless they were asked for.
  public package(set) var test: (any Dataset)?
  /// Where ``valid`` comes from.
  public let origin: Origin
  /// The fraction of a set that was drawn for ``valid``; nil if none was.
  public let drawnFraction: Double?
  /// The set from which both parts were drawn; nil if the set has its own validation part.
  public let whole: (any Dataset)?
  /// What the user should know about how the set was interpreted.
  public package(set) var notes: [Note] = []

  /// A set with its own validation part.
  public init(train: any Dataset, valid: any Dataset) {
    self.train = train
    self.valid = valid
    origin = .ownValidation
    drawnFraction = nil
    whole = nil
  }

  /// A set whose end is held out.
  init(train: any Dataset, lastPart valid: any Dataset) {
    self.train = train
    self.valid = valid
    origin = .lastPart
    drawnFraction = nil
    whole = nil
  }

  /// A set without a validation part, all of which is used for both training and validation.
  ///
  /// The metrics then show how well these examples were learned, and nothing about others.
  public init(measuringOn whole: any Dataset) {
    train = whole
    valid = whole
    origin = .trainingExamples
    drawnFraction = nil
    self.whole = whole
  }

  /// A part of `whole` for validation, and the rest for training.
  ///
  /// The part is drawn at random, because the order of a file often hides a shift; stratified by
  /// class if each example has one; and with a fixed key, so it is the same in every run, whatever
  /// the seed. Each class gives the fraction of its examples, rounded to the nearest integer. If
  /// classes are so small that none gives any, the part is drawn from all examples, at least one,
  /// and one example of each class stays for training as long as enough are left.
  ///
  /// - Parameters:
  ///   - whole: The set.
  ///   - fraction: The fraction for validation (fastai `valid_pct`, Keras `validation_split`).
  /// - Throws: ``DataError/tooFewExamples(name:count:)`` if there are too few examples for both.
  /// - Precondition: `fraction` lies between 0 and 1.
  public init(dividing whole: any Dataset, fraction: Double = 0.2) throws(DataError) {
    programmerError(
      unless: fraction > 0 && fraction < 1, "the fraction \(fraction) is not between 0 and 1")
    programmerError(unless: whole.count >= 0, "a data set of \(whole.count) examples")
    let chosen = DataSplit.part(fraction, ofCount: whole.count, labels: whole.checkedLabels)
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

  /// The held-out indices, ascending.
  ///
  /// This must not change for sets that are split today, or runs would no longer be comparable.
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

  /// A fraction of a number, rounded to the nearest integer.
  private static func nearest(_ fraction: Double, of count: Int) -> Int {
    Int((Double(count) * fraction).rounded())
  }

  /// A part of examples whose classes are too small to give any.
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

  private init(
    _ other: DataSplit, train: any Dataset, valid: any Dataset, test: (any Dataset)?,
    whole: (any Dataset)?
  ) {
    (self.train, self.valid, self.test, self.whole) = (train, valid, test, whole)
    (origin, drawnFraction, notes) = (other.origin, other.drawnFraction, other.notes)
  }

  /// Both parts with other preprocessing.
  ///
  /// - Throws: ``DataError/unsuitablePreprocessing(name:reason:)`` if it doesn't fit one of them.
  public func prepared(by preprocessing: Preprocessing) throws(DataError) -> DataSplit {
    try mapped { (dataset) throws(DataError) in try dataset.prepared(by: preprocessing) }
  }

  /// Both parts with the axes of their only input's images reordered, with a note in ``notes``.
  ///
  /// - Throws: ``DataError/unsuitableShape(name:stored:wanted:)`` when `shape` isn't a
  ///   rearrangement of their axes.
  public func rearranged(to shape: Shape) throws(DataError) -> DataSplit {
    let stored = train.inputs.first?.shape ?? []
    guard stored != shape else { return self }
    var split = try mapped { (dataset) throws(DataError) in try dataset.rearranged(to: shape) }
    split.notes.append(.rearranged(from: stored, to: shape))
    return split
  }

  /// The split with a note if nothing shows whether its images' channels are first or last, so that
  /// they are taken to be first.
  package var notingAssumedChannels: DataSplit {
    let shape = train.inputs.first?.shape ?? []
    // Fewer channels than rows and columns is the usual case.
    guard shape.rank == 3, Preprocessing.Layout(ofImages: shape) == nil,
      shape[0] >= min(shape[1], shape[2])
    else { return self }
    var split = self
    split.notes.append(.channelsAssumed(shape))
    return split
  }

  /// The split with each set transformed once by `change`.
  func mapped(
    _ change: (any Dataset) throws(DataError) -> any Dataset
  ) throws(DataError) -> DataSplit {
    var test: (any Dataset)?
    if let own = self.test { test = try change(own) }
    guard let whole else {
      return DataSplit(
        self, train: try change(train), valid: try change(valid), test: test, whole: nil)
    }
    let changed = try change(whole)
    func part(_ dataset: any Dataset) -> any Dataset {
      guard let subset = dataset as? Subset else { return changed }
      return Subset(changed, indices: subset.indices, name: subset.name)
    }
    return DataSplit(self, train: part(train), valid: part(valid), test: test, whole: changed)
  }
}
