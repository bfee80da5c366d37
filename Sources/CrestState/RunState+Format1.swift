extension RunState {
  /// A state of a checkpoint of format 1 as it is written today: settings in words, and what a running fit
  /// has kept since.
  func upgradedFromFormat1() -> RunState {
    var fields = fields
    for path in leaves where path.isSetting {
      guard case .text(let text) = fields[path] else { continue }
      fields[path] = .text(wordsOfSetting(text))
    }
    let fit = StateValue.Path(["fit"])
    if case .fields(var values) = fields[fit], values["last"] == nil {
      // The results of the last epoch, which were kept by who printed them.
      values["last"] = .null
      fields[fit] = .fields(values)
    }
    fields[StateValue.Path(["callbacks", "EpochReport", "state", "last"])] = nil
    // Weights that were kept for what is told by their bits now.
    let measured = StateValue.Path(["callbacks", "EarlyStopping", "state", "measuredWeights"])
    if fields[measured] == .null { fields[measured] = nil }
    return RunState(fields)
  }
}

extension StateValue.Path {
  /// Whether it is that of a setting of the optimiser or a callback.
  fileprivate var isSetting: Bool {
    components == ["optimizer", "settings"]
      || (components.count == 4 && components[0] == "callbacks" && components[2] == "settings")
  }
}

/// A setting as Swift prints it, `A.B(c: D.E.f, g: h(1))`, in words: `c f, g h (1)`.
private func wordsOfSetting(_ text: String) -> String {
  let words =
    text.replacing(#/(?:[A-Z]\w*\.)*[A-Z]\w*\(/#, with: "(")
    .replacing(#/(?:[A-Z]\w*\.)+/#, with: "")
    .replacing(#/\b([a-z]\w*)\(/#) { "\($0.1) (" }
    .replacing(": ", with: " ")
    .replacing("percentStart ", with: "riseFraction ")
  return words.hasPrefix("(") && words.hasSuffix(")") ? String(words.dropFirst().dropLast()) : words
}
