extension Preprocessing {
  /// The JSON in a model's file: keys in alphabetical order, and numbers with the fewest digits
  /// that read back the same.
  package var json: String {
    func list(_ values: [Double]) -> String {
      "[\(values.map(Self.jsonNumber).joined(separator: ","))]"
    }
    return "{\"divisor\":\(Self.jsonNumber(divisor)),\"layout\":\(layout.rawValue.jsonQuoted),"
      + "\"mean\":\(list(mean)),\"standardDeviation\":\(list(standardDeviation))}"
  }

  private static func jsonNumber(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
  }

  /// Reads the JSON in a model's file.
  ///
  /// - Throws: A fault if the text isn't what ``json`` writes, with its keys in any order.
  package init(json: String) throws(JSONScanner.Fault) {
    var reader = PreprocessingReader()
    try json.scanning { (scanner) throws(JSONScanner.Fault) in try reader.read(&scanner) }
    guard let layout = reader.layout, let divisor = reader.divisor, let mean = reader.mean,
      let deviation = reader.standardDeviation,
      let preprocessing = Preprocessing(
        checking: layout, divisor: divisor, mean: mean, standardDeviation: deviation)
    else { throw JSONScanner.Fault(offset: 0, expected: Self.expectation) }
    self = preprocessing
  }
}

/// The members of a preprocessing's object that have been read so far.
private struct PreprocessingReader {
  var layout: Preprocessing.Layout?
  var divisor: Double?
  var mean: [Double]?
  var standardDeviation: [Double]?

  mutating func read(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) {
    try scanner.expect("{")
    repeat {
      let start = scanner.position
      let name = try scanner.string()
      try scanner.expect(":")
      switch name {
      case "layout" where layout == nil:
        layout = Preprocessing.Layout(rawValue: try scanner.string())
      case "divisor" where divisor == nil: divisor = try number(&scanner)
      case "mean" where mean == nil: mean = try list(&scanner)
      case "standardDeviation" where standardDeviation == nil:
        standardDeviation = try list(&scanner)
      default:
        throw JSONScanner.Fault(
          offset: start, expected: "each of layout, divisor, mean and standardDeviation once")
      }
    } while scanner.accept(",")
    try scanner.expect("}")
    try scanner.expectEnd()
  }

  private func list(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> [Double] {
    var values: [Double] = []
    try scanner.expect("[")
    if scanner.accept("]") { return values }
    repeat { values.append(try number(&scanner)) } while scanner.accept(",")
    try scanner.expect("]")
    return values
  }

  private func number(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> Double {
    let start = scanner.position
    guard let value = Double(try scanner.number()) else {
      throw JSONScanner.Fault(offset: start, expected: "a number of 64 bits")
    }
    return value
  }
}

extension [String] {
  /// The strings as a JSON array.
  package var json: String { "[\(map(\.jsonQuoted).joined(separator: ","))]" }

  /// Reads a JSON array of strings.
  package init(json: String) throws(JSONScanner.Fault) {
    var texts: [String] = []
    try json.scanning { (scanner) throws(JSONScanner.Fault) in
      try scanner.expect("[")
      if !scanner.accept("]") {
        repeat { texts.append(try scanner.string()) } while scanner.accept(",")
        try scanner.expect("]")
      }
      try scanner.expectEnd()
    }
    self = texts
  }
}

extension String {
  /// Calls `body` with a scanner of the text.
  fileprivate func scanning(
    _ body: (inout JSONScanner) throws(JSONScanner.Fault) -> Void
  ) throws(JSONScanner.Fault) {
    var text = self
    let result = text.withUTF8 { bytes in
      Result { () throws(JSONScanner.Fault) in
        var scanner = JSONScanner(UnsafeRawBufferPointer(bytes))
        try body(&scanner)
      }
    }
    try result.get()
  }
}
