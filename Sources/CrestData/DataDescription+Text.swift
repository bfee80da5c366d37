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
    lines.append("normalisation  \(normalisationText)")
    return (lines + classLines).joined(separator: "\n")
  }

  private var originText: String {
    switch origin {
    case .ownValidation: "the set's own"
    case .drawnFifth: "a fifth drawn at random by a fixed key"
    case .trainingExamples: "none, training examples are measured"
    }
  }

  private var normalisationText: String {
    if preprocessing.isIdentity { return "none" }
    let scaled = "x / \(short(preprocessing.divisor))"
    if preprocessing.mean.isEmpty { return scaled }
    return "(\(scaled) - \(list(preprocessing.mean))) / \(list(preprocessing.standardDeviation))"
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
      let divided = preprocessing.divisor == 1 ? "" : " / \(short(preprocessing.divisor))"
      text += ", values\(divided): mean \(list(mean)), standard deviation \(list(deviation))"
    }
    if values.nonFiniteCount > 0 { text += ", \(values.nonFiniteCount) values NaN or infinite" }
    return text
  }

  private func list(_ values: [Double]) -> String {
    values.count == 1
      ? short(values[0]) : "[\(values.map(short).joined(separator: ", "))]"
  }

  /// Five decimals at most, for reading; the encoded form has them all.
  private func short(_ value: Double) -> String {
    guard value.magnitude < 1e9, value.magnitude >= 1e-3 || value == 0 else { return "\(value)" }
    if value == value.rounded() { return String(Int(value)) }
    return "\((value * 1e5).rounded() / 1e5)"
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: Swift.max(width - text.count, 0))
  }

  private func leftPad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: Swift.max(width - text.count, 0)) + text
  }
}
