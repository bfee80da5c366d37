import CrestGraph

/// The modules of a program that nodes were exported from, as PyTorch's exporters tell them.
struct NodeModules {
  private let model: CheckedModel
  /// The scopes of all nodes by the older exporter, with all that they lie in.
  private let scopes: Set<Substring>
  /// The scopes that were brought to one form, by themselves.
  private var canonicals: [Substring: String] = [:]

  init(_ model: CheckedModel) {
    self.model = model
    var scopes: Set<Substring> = []
    for node in model.nodes where node.module == nil && node.name.hasPrefix("/") {
      var scope = node.name[...]
      while let end = scope.lastIndex(of: "/"), end > scope.startIndex {
        scope = scope[..<end]
        guard scopes.insert(scope).inserted else { break }
      }
    }
    self.scopes = scopes
  }

  /// Whether nodes of one operation are uses of one module, which reads its array as an input; nil when the
  /// file doesn't tell.
  mutating func areSame(_ a: NodeProto, _ b: NodeProto, input: Int) -> Bool? {
    if let first = a.module, let second = b.module {
      if first != second { return false }
      // A layer of the library has one such operation; arithmetic may be there for each of several arrays.
      return first.isEmpty || !isLayer(a, input) ? nil : true
    }
    guard a.name.hasPrefix("/"), b.name.hasPrefix("/"), a.module == nil, b.module == nil else {
      return nil
    }
    let (first, second) = (split(a.name), split(b.name))
    guard canonical(first.scope) == canonical(second.scope) else { return false }
    return first.scope != second.scope && first.operation == second.operation ? true : nil
  }

  private func isLayer(_ node: NodeProto, _ input: Int) -> Bool {
    switch OperatorTable.find(node, opsets: model.opsets)?.slot(input) {
    case .parameter, .statistic: true
    default: false
    }
  }

  private func split(_ name: String) -> (scope: Substring, operation: Substring) {
    guard let end = name.lastIndex(of: "/") else { return ("", name[...]) }
    return (name[..<end], name[name.index(after: end)...])
  }

  /// A scope without the numbers that tell further uses of a module from its first, as in
  /// `/branch/branch.1_1`.
  private mutating func canonical(_ scope: Substring) -> String {
    if let known = canonicals[scope] { return known }
    var canonical = ""
    var place = scope.startIndex
    while place < scope.endIndex {
      let start = scope.index(after: place)
      let end = scope[start...].firstIndex(of: "/") ?? scope.endIndex
      let part = scope[start..<end]
      let digits = part.reversed().prefix { $0.isNumber }.count
      let stem = part.dropLast(digits + 1)
      let isFurther =
        digits > 0 && !stem.isEmpty && part.dropLast(digits).hasSuffix("_")
        && scopes.contains(scope[..<start] + stem)
      canonical += "/" + (isFurther ? stem : part)
      place = end
    }
    canonicals[scope] = canonical
    return canonical
  }
}
