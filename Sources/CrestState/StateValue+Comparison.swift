extension StateValue {
  /// The names of its fields; none when it has none.
  package var names: [String] {
    if case .fields(let fields) = self { fields.keys.sorted() } else { [] }
  }

  /// The field called `name` of a whole state.
  package func field(_ name: String) throws(StateError) -> StateValue {
    guard let value = self[name] else { throw .missing(Path([name])) }
    return value
  }

  /// Refuses other fields than these.
  package func checkNames(_ expected: [String], at path: Path) throws(StateError) {
    guard case .fields(let fields) = self else {
      throw .mistyped(path, expected: "fields", got: kind)
    }
    for name in expected.sorted() where fields[name] == nil {
      throw .missing(path.appending(name))
    }
    for name in fields.keys.sorted() where !expected.contains(name) {
      throw .unexpected(path.appending(name))
    }
  }

  /// Refuses a value that isn't `now`, and names the first field in which it differs.
  package func check(equals now: StateValue, at path: Path) throws(StateError) {
    if case .fields(let expected) = now, case .fields = self {
      try checkNames(Array(expected.keys), at: path)
      for (name, value) in expected.sorted(by: { $0.key < $1.key }) {
        try (self[name] ?? .null).check(equals: value, at: path.appending(name))
      }
      return
    }
    guard self == now else {
      throw .differs(path, saved: json { _, _ in "…" }, now: now.json { _, _ in "…" })
    }
  }

  /// Takes what lies at `place` from `now`, or away where `now` has nothing.
  package mutating func skip(_ place: String, for now: StateValue) throws(StateError) {
    var path: Path?
    for leaves in [leaves, now.leaves] where path == nil {
      path = leaves.lazy.compactMap { $0.prefix(writtenAs: place) }.first
    }
    guard let path else { throw .nothingToSkip(place, known: names) }
    self[path] = now[path]
  }
}

extension StateValue.Path {
  /// The beginning of the path that is written as `text`; nil when there is none.
  fileprivate func prefix(writtenAs text: String) -> StateValue.Path? {
    guard lies(at: text) else { return nil }
    return (1...components.count).lazy
      .map { StateValue.Path(Array(components.prefix($0))) }
      .first { $0.description == text }
  }
}
