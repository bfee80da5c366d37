extension Preprocessing {
  /// The JSON in a model's file: keys in alphabetical order, and numbers with the fewest digits
  /// that read back the same.
  package var json: String {
    JSONValue.object([
      "divisor": JSONValue(divisor), "layout": .text(layout.rawValue),
      "mean": .list(mean.map { JSONValue($0) }),
      "standardDeviation": .list(standardDeviation.map { JSONValue($0) }),
    ]).json
  }

  /// Reads the JSON in a model's file.
  ///
  /// - Throws: A fault if the text isn't what ``json`` writes, with its keys in any order.
  package init(json: String) throws(JSONScanner.Fault) {
    guard case .object(let members) = try JSONValue(parsing: json, within: .metadata),
      members.count == 4, let layout = members["layout"]?.text.flatMap(Layout.init(rawValue:)),
      let divisor = members["divisor"]?.number, let mean = members["mean"]?.numbers,
      let deviation = members["standardDeviation"]?.numbers,
      let preprocessing = Preprocessing(
        checking: layout, divisor: divisor, mean: mean, standardDeviation: deviation)
    else { throw JSONScanner.Fault(offset: 0, expected: Self.expectation) }
    self = preprocessing
  }
}

extension [String] {
  /// The strings as a JSON array.
  package var json: String { JSONValue.list(map { .text($0) }).json }

  /// Reads a JSON array of strings.
  package init(json: String) throws(JSONScanner.Fault) {
    guard let texts = try JSONValue(parsing: json, within: .metadata).texts else {
      throw JSONScanner.Fault(offset: 0, expected: "a list of strings")
    }
    self = texts
  }
}

extension JSONValue.Limits {
  /// Of what a model's file says of its data: lists of channels and classes.
  fileprivate static let metadata = JSONValue.Limits(
    depth: 2, count: 2_000_000, numbers: .asValues)
}
