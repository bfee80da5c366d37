/// What a caller can do wrong, and what the program must say when it ends.
struct Misuse: Sendable {
  let name: String
  /// Words of the message, among them the values that the caller gave.
  let words: String
  /// Does it.
  let run: @Sendable () throws -> Void

  init(_ name: String, says words: String, _ run: @escaping @Sendable () throws -> Void) {
    self.name = name
    self.words = words
    self.run = run
  }
}

let misuses: [Misuse] =
  tensorMisuses + graphMisuses + layerMisuses + runtimeMisuses + optimizerMisuses + dataMisuses
  + ownDataMisuses + textMisuses + trainingMisuses + hookMisuses + callbackMisuses + onnxMisuses
