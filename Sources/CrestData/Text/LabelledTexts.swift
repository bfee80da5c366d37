package import CrestTensor

/// Texts of one class each, as ids filled up to one length with padding.
struct LabelledTexts: Dataset {
  let name: String
  let texts: Preprocessing.Texts
  let classNames: [String]
  /// The class of every text.
  let classes: [Int64]
  /// The tokens of all texts, one after the other.
  private let ids: [Int32]
  /// Where the tokens of each text begin, and of the last one end.
  private let starts: [Int]
  /// How many texts were cut off at their ends.
  let cutCount: Int
  /// How many tokens are unknown.
  let unknownCount: Int

  var tokenCount: Int { ids.count }

  /// Texts of classes.
  ///
  /// - Throws: What `check` throws of a text without tokens, by its place.
  init(
    name: String, _ rows: [String], classes: [Int64], classNames: [String],
    by tokenizer: Tokenizer, empty: (Int) -> DataError
  ) throws(DataError) {
    let cut = try CutTexts(rows, by: tokenizer, empty: empty)
    (self.name, self.classes, self.classNames) = (name, classes, classNames)
    texts = tokenizer.texts
    (ids, starts) = (cut.ids, cut.starts)
    cutCount = cut.cutCount
    unknownCount = cut.ids.count { tokenizer.texts.unknown == Int($0) }
  }

  var count: Int { classes.count }

  var inputs: [Field] {
    [Field(name: TextWindows.inputName, elementType: .int64, shape: [texts.length])]
  }

  var target: Target { .classes(names: classNames, shape: []) }

  var labels: [Int64]? { classes }

  var preprocessing: Preprocessing { .of(texts: texts) }

  var fingerprint: String {
    var hash = Fingerprint()
    hash.add("texts \(texts.json) \(classNames)")
    ids.withUnsafeBytes { hash.add($0) }
    for start in starts { hash.add(UInt64(start)) }
    classes.withUnsafeBytes { hash.add($0) }
    return hash.text
  }

  func write(_ examples: ArraySlice<Int>, into batch: inout Batch) {
    batch.require(examples.count, of: self)
    batch.inputs[0].withMutableElements(as: Int64.self) { numbers in
      for (row, example) in examples.enumerated() {
        programmerError(unless: (0..<count).contains(example), "example \(example) of \(count)")
        let range = starts[example]..<starts[example + 1]
        for place in 0..<texts.length {
          numbers[row * texts.length + place] =
            place < range.count ? Int64(ids[range.lowerBound + place]) : Int64(texts.padding)
        }
      }
    }
    batch.targets.withMutableElements(as: Int64.self) { numbers in
      for (row, example) in examples.enumerated() { numbers[row] = classes[example] }
    }
  }
}

/// Texts as ids, no longer than a network takes.
package struct CutTexts: Sendable {
  let ids: [Int32]
  let starts: [Int]
  /// How many texts were cut off at their ends.
  package let cutCount: Int
  private let texts: Preprocessing.Texts

  /// Cuts texts.
  ///
  /// - Throws: What `empty` says of a text without tokens, by its place.
  package init(
    _ rows: [String], by tokenizer: Tokenizer, empty: (Int) -> DataError
  ) throws(DataError) {
    var (ids, starts, cutCount): ([Int32], [Int], Int) = ([], [0], 0)
    for (place, row) in rows.enumerated() {
      let (own, missing) = tokenizer.boundedIDs(of: row)
      let around = tokenizer.texts.prefix.count + tokenizer.texts.suffix.count
      guard own.count > around || missing > 0 else { throw empty(place) }
      ids += own
      starts.append(ids.count)
      if missing > 0 { cutCount += 1 }
    }
    (self.ids, self.starts, self.cutCount) = (ids, starts, cutCount)
    texts = tokenizer.texts
  }

  /// The ids as a tensor [N, length], filled up with padding.
  package var tensor: Tensor {
    let count = starts.count - 1
    var tensor = Tensor(zeros: [count, texts.length], elementType: .int64)
    tensor.withMutableElements(as: Int64.self) { numbers in
      for row in 0..<count {
        for place in 0..<texts.length {
          let index = starts[row] + place
          numbers[row * texts.length + place] =
            index < starts[row + 1] ? Int64(ids[index]) : Int64(texts.padding)
        }
      }
    }
    return tensor
  }
}
