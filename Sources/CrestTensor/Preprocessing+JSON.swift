extension Preprocessing {
  /// The JSON in a model's file: keys in alphabetical order, and numbers with the fewest digits
  /// that read back the same.
  package var json: String {
    var members: [String: JSONValue] = [
      "divisor": JSONValue(divisor), "layout": .text(layout.rawValue),
      "mean": .list(mean.map { JSONValue($0) }),
      "standardDeviation": .list(standardDeviation.map { JSONValue($0) }),
    ]
    if let images { members["images"] = images.jsonValue }
    if let texts { members["texts"] = .text(texts.json) }
    if let table { members["table"] = table.jsonValue }
    return JSONValue.object(members).json
  }

  /// Reads the JSON in a model's file.
  ///
  /// - Throws: A fault if the text isn't what ``json`` writes, with its keys in any order.
  package init(json: String) throws(JSONScanner.Fault) {
    guard case .object(let members) = try JSONValue(parsing: json, within: .metadata),
      members.count
        == 4 + ["images", "table", "texts"].count(where: { members[$0] != nil }),
      let layout = members["layout"]?.text.flatMap(Layout.init(rawValue:)),
      let divisor = members["divisor"]?.number, let mean = members["mean"]?.numbers,
      let deviation = members["standardDeviation"]?.numbers,
      members["images"].map({ Images(json: $0) != nil }) ?? true,
      members["texts"].map({ $0.text != nil }) ?? true,
      let preprocessing = Preprocessing(
        checking: layout, divisor: divisor, mean: mean, standardDeviation: deviation,
        images: members["images"].flatMap(Images.init(json:)),
        texts: try members["texts"]?.text.map({ (json) throws(JSONScanner.Fault) in
          try Texts(json: json)
        }))
    else { throw JSONScanner.Fault(offset: 0, expected: Self.expectation) }
    self = preprocessing
    guard let form = members["table"] else { return }
    guard let table = Table(json: form) else {
      throw JSONScanner.Fault(offset: 0, expected: Self.expectation)
    }
    self.table = table
  }
}

extension Preprocessing.Images {
  fileprivate var jsonValue: JSONValue {
    .object([
      "channels": JSONValue(Double(channels)), "filter": .text(filter.rawValue),
      "fit": .text(fit.rawValue), "height": JSONValue(Double(height)),
      "width": JSONValue(Double(width)),
    ])
  }

  fileprivate init?(json: JSONValue) {
    guard case .object(let members) = json, members.count == 5,
      let sizes = ["channels", "height", "width"].map({
        members[$0]?.number.flatMap(Int.init(exactly:))
      })
        as? [Int],
      let fit = members["fit"]?.text.flatMap(Fit.init(rawValue:)),
      let filter = members["filter"]?.text.flatMap(Filter.init(rawValue:)),
      Self.isPossible(sizes[0], sizes[1], sizes[2])
    else { return nil }
    self.init(channels: sizes[0], height: sizes[1], width: sizes[2], fit: fit, filter: filter)
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
  /// Of what a model's file says of its data: lists of channels and classes, and of the categories of a table.
  static let metadata = JSONValue.Limits(
    depth: 5, count: 2_000_000, numbers: .asValues)
}
