import CrestTensor

extension DataSplit.Description: CustomStringConvertible {
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
    case .lastPart: "the end of the text"
    case .trainingExamples: "none, training examples are used"
    }
  }

  private var classLines: [String] {
    guard let classNames, let trainCounts = train.classCounts, let validCounts = valid.classCounts
    else { return [] }
    let isEmpty = { (index: Int) in trainCounts[index] == 0 && validCounts[index] == 0 }
    let (empty, filled) = (
      classNames.indices.filter(isEmpty), classNames.indices.filter { !isEmpty($0) }
    )
    let listed = filled.prefix(DataSplit.Description.listedClassLimit)
    let width = Swift.max(5, listed.map { classNames[$0].count }.max() ?? 0)
    var lines = ["", pad("class", width) + "     train  validation"]
    for index in listed {
      lines.append(
        pad(classNames[index], width) + leftPad("\(trainCounts[index])", 10)
          + leftPad("\(validCounts[index])", 12))
    }
    if listed.count < filled.count {
      lines.append("and \(filled.count - listed.count) more classes")
    }
    if !empty.isEmpty { lines.append(emptyLine(empty.map { classNames[$0] })) }
    return lines
  }

  private func emptyLine(_ names: [String]) -> String {
    let named = names.prefix(10)
    let rest = names.count - named.count
    return
      (names.count == 1 ? "1 class has no examples: " : "\(names.count) classes have no examples: ")
      + named.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
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
