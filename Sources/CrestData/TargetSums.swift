import CrestTensor

/// Along which axes targets sum to 1, which tells where classes lie.
package struct TargetSums {
  /// The axes along which all sums are 1.
  private var exact: Set<Int>
  /// The axes along which all sums are 1, but for lines of zeros, as padding has them.
  private var padded: Set<Int>
  /// The axes with a sum of 1.
  private var some: Set<Int> = []
  /// Whether all are 0 or 1.
  package private(set) var areBinary = true

  /// Sums of float32 targets lose some of their last bits.
  private static let tolerance = 1e-3

  private init(among axes: [Int]) {
    exact = Set(axes)
    padded = Set(axes)
  }

  /// The axes along which all sums are 1.
  package var exactAxes: Set<Int> { exact }

  /// The axes along which all sums are 1; where there is none, those along which all but lines of zeros do.
  package var axes: Set<Int> { exact.isEmpty ? padded.intersection(some) : exact }

  private mutating func add(_ values: [Double], _ shape: Shape) {
    areBinary = areBinary && values.allSatisfy { $0 == 0 || $0 == 1 }
    for axis in padded {
      let size = shape[axis]
      let inner = shape.dimensions[(axis + 1)...].reduce(1, *)
      for start in stride(from: 0, to: values.count, by: size * inner) {
        for place in start..<start + inner {
          var (sum, isZero) = (0.0, true)
          for index in stride(from: place, to: place + size * inner, by: inner) {
            sum += values[index]
            isZero = isZero && values[index] == 0
          }
          if abs(sum - 1) <= Self.tolerance {
            some.insert(axis)
          } else {
            exact.remove(axis)
            // NaN is no line of zeros.
            if !isZero { padded.remove(axis) }
          }
        }
        guard padded.contains(axis) else { break }
      }
    }
  }

  /// The sums of the targets of both parts of a set.
  ///
  /// - Parameters:
  ///   - data: The set, whose targets have an axis more in a batch than in an example.
  ///   - axes: Axes of a batch of targets.
  /// - Throws: What the set throws when its examples are read.
  package init(of data: DataSplit, among axes: [Int]) throws {
    self.init(among: axes)
    try add(data.train)
    if data.origin != .trainingExamples { try add(data.valid) }
  }

  private mutating func add(_ dataset: any Dataset) throws {
    let shape = dataset.target.shape
    // Of targets alone no batch need be made where they lie in memory.
    if let stored = dataset.storedNumbers, let targets = stored.allTargets {
      let size = shape.elementCount
      for row in stored.rows ?? Array(0..<dataset.count) where size > 0 && !isDecided {
        add(targets.slice(row..<row + 1, along: 0).doubles, Shape([1] + shape.dimensions))
      }
      return
    }
    for start in stride(from: 0, to: dataset.count, by: 64) where !isDecided {
      let examples = Array(start..<Swift.min(start + 64, dataset.count))
      var batch = Batch(zerosFor: dataset, count: examples.count)
      try dataset.write(examples[...], into: &batch)
      add(batch.targets.doubles, batch.targets.shape)
    }
  }

  /// Whether nothing that follows can change anything.
  private var isDecided: Bool { padded.isEmpty && !areBinary }
}

extension Dataset {
  /// The same examples with whole targets of 0 and 1 as probabilities; nil of sets that don't lie in tensors.
  package func withTargetProbabilities() -> (any Dataset)? {
    switch self {
    case let examples as TensorExamples: examples.givingProbabilities
    case let part as Subset:
      part.base.withTargetProbabilities().map { Subset($0, indices: part.indices, name: part.name) }
    default: nil
    }
  }
}

extension DataSplit {
  /// The same sets with whole targets as probabilities, where they are one-hot: all are 0 or 1, and along one of
  /// some axes they sum to 1.
  ///
  /// - Parameter axes: Axes of a batch of targets.
  /// - Returns: The sets; nil when their targets aren't one-hot.
  /// - Throws: What the sets throw when their examples are read.
  package func withOneHotTargets(along axes: [Int]) throws -> DataSplit? {
    guard case .classes(let names, let shape) = train.target, names.count <= 2, !shape.isEmpty
    else {
      return nil
    }
    let sums = try TargetSums(of: self, among: axes)
    guard sums.areBinary, !sums.exactAxes.isEmpty, train.withTargetProbabilities() != nil,
      valid.withTargetProbabilities() != nil
    else { return nil }
    var split = try mapped { (dataset) throws(DataError) in
      guard let result = dataset.withTargetProbabilities() else {
        programmerError("\(dataset.name) gave probabilities before")
      }
      return result
    }
    split.notes.append(.oneHotLabels(name: train.name, shape: shape))
    return split
  }
}
