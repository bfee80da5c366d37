import CrestTensor

extension DataDescription: CustomStringConvertible {
  /// The most classes that the text lists one by one.
  public static let listedClassLimit = 100

  /// A few lines, and a table of the classes.
  public var description: String {
    var lines = [
      "set            \(name)",
      "train          \(train.count) examples, \(train.fingerprint)",
      "validation     \(valid.count) examples, \(valid.fingerprint), \(originText)",
    ]
    for input in inputs { lines.append("input          \(text(input))") }
    if let classNames {
      let perExample = target.shape.rank == 0 ? "" : " at each of \(target.shape) places"
      lines.append("target         one of \(classNames.count) classes\(perExample)")
    } else {
      lines.append("target         \(text(target))")
    }
    lines.append("normalisation  \(preprocessing)")
    for note in notes { lines.append("note           \(note)") }
    return (lines + classLines).joined(separator: "\n")
  }

  private var originText: String {
    switch origin {
    case .ownValidation: "the set's own"
    case .drawnPart:
      (drawnFraction.map { $0 == 0.2 ? "a fifth" : "\($0) of all" } ?? "a part")
        + " drawn at random with a fixed key"
    case .trainingExamples: "none, training examples are used"
    }
  }

  private var classLines: [String] {
    guard let classNames, let trainCounts = train.classCounts, let validCounts = valid.classCounts
    else { return [] }
    let listed = classNames.prefix(DataDescription.listedClassLimit)
    let width = Swift.max(5, listed.map(\.count).max() ?? 0)
    var lines = ["", pad("class", width) + "     train  validation"]
    for (index, name) in listed.enumerated() {
      lines.append(
        pad(name, width) + leftPad("\(trainCounts[index])", 10)
          + leftPad("\(validCounts[index])", 12))
    }
    if listed.count < classNames.count {
      lines.append("and \(classNames.count - listed.count) more classes")
    }
    return lines
  }

  private func text(_ values: Values) -> String {
    var text = "\(values.name) \(values.elementType) \(values.shape)"
    if let mean = values.mean, let deviation = values.standardDeviation {
      let divided =
        preprocessing.divisor == 1 ? "" : " / \(Preprocessing.short(preprocessing.divisor))"
      text +=
        ", values\(divided): mean \(Preprocessing.list(mean)), standard deviation \(Preprocessing.list(deviation))"
    }
    if values.nonFiniteCount > 0 { text += ", \(values.nonFiniteCount) values NaN or infinite" }
    return text
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: Swift.max(width - text.count, 0))
  }

  private func leftPad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: Swift.max(width - text.count, 0)) + text
  }
}
