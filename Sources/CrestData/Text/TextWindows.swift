import CrestTensor

/// Windows of a text, each with the tokens that follow its own: what a language model learns from.
///
/// Example i has the tokens from i · length on; its target is the token after each.
struct TextWindows: Dataset {
  let name: String
  let texts: Preprocessing.Texts
  /// The tokens of the text.
  let ids: [Int32]

  /// What an input of tokens is called.
  static let inputName = "tokens"

  var count: Int { max((ids.count - 1) / texts.length, 0) }

  var inputs: [Field] {
    [Field(name: Self.inputName, elementType: .int64, shape: [texts.length])]
  }

  var target: Target { .classes(names: texts.tokens, shape: [texts.length]) }

  var preprocessing: Preprocessing { .of(texts: texts) }

  var fingerprint: String {
    var hash = Fingerprint()
    hash.add("windows \(texts.json)")
    ids.withUnsafeBytes { hash.add($0) }
    return hash.text
  }

  func write(_ examples: ArraySlice<Int>, into batch: inout Batch) {
    batch.require(examples.count, of: self)
    func write(to tensor: inout Tensor, shiftedBy shift: Int) {
      tensor.withMutableElements(as: Int64.self) { numbers in
        for (row, example) in examples.enumerated() {
          programmerError(
            unless: (0..<count).contains(example), "example \(example) of \(count)")
          for place in 0..<texts.length {
            numbers[row * texts.length + place] = Int64(
              ids[example * texts.length + place + shift])
          }
        }
      }
    }
    write(to: &batch.inputs[0], shiftedBy: 0)
    write(to: &batch.targets, shiftedBy: 1)
  }
}
