import CrestData
import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor

/// The parts of a learner's data.
enum DataPart: Hashable {
  case train
  case valid
}

extension Learner {
  /// What to look for in each input of `dataset`.
  static func searches(for model: Model, _ dataset: any Dataset) -> [DataError.UnusualNumbers
    .Search]
  {
    // Inputs in another number or of other names are refused elsewhere.
    let order = (try? inputOrder(of: model, for: dataset)) ?? nil
    var searches = dataset.inputs.map { _ in DataError.UnusualNumbers.Search() }
    let ranges = model.graph.indexRanges
    for (place, port) in model.graph.inputs.enumerated() {
      let place = order?[place] ?? place
      guard searches.indices.contains(place) else { continue }
      searches[place] = DataError.UnusualNumbers.Search(indexBound: ranges[port.value]?.count)
    }
    return searches
  }

  /// The notes on unusual numbers.
  ///
  /// - Throws: ``LearnerError/unusualNumbers(_:)`` when nothing is to be computed from them.
  func note(
    on numbers: DataError.UnusualNumbers, isTraining: Bool
  ) throws(LearnerError) -> Note? {
    switch (numbers.kind, numbers.input) {
    case (.nan, nil), (.infinite, nil):
      // Your own losses may ignore some targets.
      guard case .any = loss.targets else { throw .unusualNumbers(numbers) }
      return .unusualNumbers(numbers)
    case (.nan, _):
      guard model.graph.looksForNaN else { throw .unusualNumbers(numbers) }
      return .unusualNumbers(numbers)
    case (.infinite, _): return .unusualNumbers(numbers)
    case (.negativeIndex, _):
      guard !isTraining else { throw .unusualNumbers(numbers) }
      return .unusualNumbers(numbers)
    case (.indexOutOfRange, _): throw .unusualNumbers(numbers)
    }
  }

  /// Looks through the numbers of a set that lies in memory; see ``checkNumbers(isTraining:)``.
  ///
  /// - Returns: Whether it does.
  func checkNumbers(of dataset: any Dataset, isTraining: Bool) throws(LearnerError) -> Bool {
    guard let found = dataset.unusualNumbers(searches) else { return false }
    try check(found, isTraining: isTraining)
    return true
  }

  /// Whether the numbers of a part are still to be looked through, batch by batch.
  func needsNumberCheck(_ part: DataPart) -> Bool {
    guard !checkedParts.contains(part) else { return false }
    let stored = (part == .train ? data.train : data.valid).storedNumbers
    // Bytes are finite.
    return stored.map { !$0.inputs.isEmpty || $0.targets != nil } ?? true
  }

  /// Checks the numbers of a batch, as ``checkNumbers(isTraining:)`` does those of a set in memory.
  ///
  /// - Parameters:
  ///   - inputs: The numbers, in the model's order.
  ///   - inputOrder: The place of each in the set, as ``inputOrder(of:for:)`` gave it.
  ///   - targets: What the model should answer.
  ///   - dataset: The set.
  ///   - isTraining: Whether it is to be trained on.
  ///   - example: The example of the set in a row of the batch.
  /// - Throws: ``LearnerError/unusualNumbers(_:)``.
  func checkNumbers(
    _ inputs: [Tensor], by inputOrder: [Int]?, _ targets: Tensor, of dataset: any Dataset,
    isTraining: Bool, example: (Int) -> Int
  ) throws(LearnerError) {
    for (place, tensor) in inputs.enumerated() {
      let field = inputOrder?[place] ?? place
      let found = DataError.UnusualNumbers.find(
        in: tensor, searches[field], input: model.inputs[place].name, of: dataset.name)
      guard !found.isEmpty else { continue }
      try check(
        found.map { $0.moved(to: example($0.firstExample), of: dataset) }, isTraining: isTraining)
    }
    guard targets.elementType.isFloat else { return }
    let found = DataError.UnusualNumbers.find(in: targets, input: nil, of: dataset.name)
    try check(
      found.map { $0.moved(to: example($0.firstExample), of: dataset) }, isTraining: isTraining)
  }

  private func check(_ found: [DataError.UnusualNumbers], isTraining: Bool) throws(LearnerError) {
    for numbers in found {
      guard let note = try note(on: numbers, isTraining: isTraining),
        // One note of a kind, of the first batch with such numbers.
        !notes.contains(where: { $0.isOfSameNumbers(as: note) })
      else { continue }
      add(note)
    }
  }
}

extension Learner.Note {
  /// Whether both are of numbers of one kind in one place.
  fileprivate func isOfSameNumbers(as other: Learner.Note) -> Bool {
    guard case .unusualNumbers(let own) = self, case .unusualNumbers(let other) = other else {
      return false
    }
    return own.kind == other.kind && own.input == other.input && own.dataset == other.dataset
  }
}

extension Graph {
  /// Whether something is compared with itself, which finds NaN.
  fileprivate var looksForNaN: Bool {
    nodes.contains { $0.function == .equal && $0.inputs[0] == $0.inputs[1] }
  }
}
