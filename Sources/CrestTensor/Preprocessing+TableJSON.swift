extension Preprocessing.Table {
  /// The form in a model's file.
  var jsonValue: JSONValue {
    .object([
      "format": format.jsonValue,
      "categories": .list(categories.map(\.jsonValue)),
      "numbers": .list(numbers.map(\.jsonValue)),
      "target": .object(["column": .text(targetColumn)].merging(target.members) { $1 }),
    ])
  }

  /// The JSON in a checkpoint.
  var json: String { jsonValue.json }

  /// Reads the form in a model's file; nil if it is another.
  init?(json: JSONValue) {
    guard case .object(let members) = json, members.count == 4,
      let format = members["format"].flatMap(TableFormat.init(json:)),
      case .list(let categories) = members["categories"],
      case .list(let numbers) = members["numbers"],
      case .object(let goal) = members["target"], goal.count == 2,
      let column = goal["column"]?.text, let target = Target(members: goal)
    else { return nil }
    self.format = format
    self.categories = categories.compactMap(Category.init(json:))
    self.numbers = numbers.compactMap(Number.init(json:))
    (targetColumn, self.target) = (column, target)
    guard self.categories.count == categories.count, self.numbers.count == numbers.count,
      objection == nil
    else { return nil }
  }
}

extension Preprocessing.Table.Category {
  private static let kinds: [(name: String, kind: Kind)] =
    [("text", .text), ("missing", .missing)]
    + DatePart.allCases.filter(\.isCategory).map { ($0.rawValue, .date($0)) }

  fileprivate var jsonValue: JSONValue {
    let kindName = Self.kinds.first { $0.kind == kind }?.name ?? ""
    return .object([
      "column": .text(column), "kind": .text(kindName), "values": .list(values.map { .text($0) }),
    ])
  }

  fileprivate init?(json: JSONValue) {
    guard case .object(let members) = json, members.count == 3,
      let column = members["column"]?.text, let name = members["kind"]?.text,
      let kind = Self.kinds.first(where: { $0.name == name })?.kind,
      let values = members["values"]?.texts
    else { return nil }
    self.init(column: column, kind: kind, values: values)
  }
}

extension Preprocessing.Table.Number {
  fileprivate var jsonValue: JSONValue {
    var members: [String: JSONValue] = [
      "column": .text(column), "median": JSONValue(median), "mean": JSONValue(mean),
      "deviation": JSONValue(deviation),
    ]
    if let part { members["part"] = .text(part.rawValue) }
    return .object(members)
  }

  fileprivate init?(json: JSONValue) {
    guard case .object(let members) = json, let column = members["column"]?.text,
      let median = members["median"]?.number, let mean = members["mean"]?.number,
      let deviation = members["deviation"]?.number
    else { return nil }
    var part: DatePart?
    if let text = members["part"] {
      guard let found = text.text.flatMap(DatePart.init(rawValue:)), !found.isCategory else {
        return nil
      }
      part = found
    }
    guard members.count == (part == nil ? 4 : 5) else { return nil }
    self.init(column: column, part: part, median: median, mean: mean, deviation: deviation)
  }
}

extension Preprocessing.Table.Target {
  fileprivate var members: [String: JSONValue] {
    switch self {
    case .classes(let names): ["classes": .list(names.map { .text($0) })]
    case .values(let mean, let deviation):
      ["values": .object(["mean": JSONValue(mean), "deviation": JSONValue(deviation)])]
    }
  }

  fileprivate init?(members: [String: JSONValue]) {
    if let names = members["classes"]?.texts {
      self = .classes(names)
    } else if case .object(let figures) = members["values"], figures.count == 2,
      let mean = figures["mean"]?.number, let deviation = figures["deviation"]?.number
    {
      self = .values(mean: mean, deviation: deviation)
    } else {
      return nil
    }
  }
}

extension TableFormat {
  fileprivate var jsonValue: JSONValue {
    var members: [String: JSONValue] = [
      "decimal": .text(String(decimal)), "dates": .text(dateOrder.rawValue),
    ]
    if let delimiter { members["delimiter"] = .text(String(delimiter)) }
    if let columns { members["columns"] = .list(columns.map { .text($0) }) }
    if let comment { members["comment"] = .text(comment) }
    if let missing { members["missing"] = .list(missing.map { .text($0) }) }
    if let trimmedEnd { members["trimmedEnd"] = .text(trimmedEnd) }
    return .object(members)
  }

  fileprivate init?(json: JSONValue) {
    guard case .object(var members) = json,
      let decimal = members.removeValue(forKey: "decimal")?.text, decimal.count == 1,
      let order = members.removeValue(forKey: "dates")?.text.flatMap(DateOrder.init(rawValue:))
    else { return nil }
    (self.decimal, dateOrder) = (Character(decimal), order)
    var known = 0
    func text(_ key: String) -> String? {
      guard let text = members[key]?.text else { return nil }
      known += 1
      return text
    }
    func texts(_ key: String) -> [String]? {
      guard let texts = members[key]?.texts else { return nil }
      known += 1
      return texts
    }
    let delimiter = text("delimiter")
    guard delimiter?.count ?? 1 == 1 else { return nil }
    self.delimiter = delimiter.map { Character($0) }
    (comment, trimmedEnd) = (text("comment"), text("trimmedEnd"))
    (columns, missing) = (texts("columns"), texts("missing"))
    guard known == members.count, objection == nil else { return nil }
  }
}
