import CrestTensor

/// What PyTorch's newer exporter notes in a file of the program that it exported: which arrays are parameters,
/// what others were computed from, and which of them each operation read.
struct ExportedProgram {
  /// What an array is in the program.
  enum Kind: Hashable {
    case parameter, buffer, constant

    fileprivate init?(_ name: Substring) {
      switch name {
      case "PARAMETER": self = .parameter
      case "BUFFER": self = .buffer
      case "CONSTANT_TENSOR": self = .constant
      default: return nil
      }
    }
  }

  /// Where an array of a file comes from.
  enum Origin: Equatable {
    /// It is one of the program's, or consists of some of one kind as they are.
    case own(Kind)
    /// The exporter computed it from some, of which this many are parameters.
    case computed(parameters: Int)
    /// The exporter wrote it once for a parameter, and for arrays that are none.
    case merged
  }

  /// The kinds by the names that operations have for arrays, `p_encoder_weight`.
  private var kinds: [String: Kind] = [:]
  /// These names by those of the arrays, `encoder.weight`.
  private var names: [String: String] = [:]
  /// The names of the arrays in the program's order.
  private var order: [String] = []
  /// What arrays of the file were computed from, by their names.
  private var folded: [String: [String]] = [:]
  /// Whether each of the program's arrays is in the file, itself or computed with, so that none was merged.
  private var hasAll = false

  /// Reads what a file says; nothing is known of one that says nothing.
  init(_ model: CheckedModel) {
    // As in p_encoder_weight: PARAMETER target='encoder.weight'.
    for line in (model.proto.graph.programSignature ?? "").split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let words = line[line.index(after: colon)...].split(separator: " ")
      guard let kind = words.first.flatMap(Kind.init) else { continue }
      let name = String(line[..<colon])
      kinds[name] = kind
      if let target = words.dropFirst().first(where: { $0.hasPrefix("target='") }) {
        let target = String(target.dropFirst("target='".count).prefix { $0 != "'" })
        names[target] = name
        order.append(target)
      }
    }
    for value in model.proto.graph.values where model.initializers[value.name] != nil {
      if !value.foldedFrom.isEmpty { folded[value.name] = value.foldedFrom }
      guard let name = value.programName, let word = value.programKind,
        let kind = Kind(word[...])
      else { continue }
      kinds[name] = kind
      names[value.name] = name
    }
    let found = Set(model.initializers.keys).union(folded.values.joined())
    hasAll = !names.isEmpty && names.keys.allSatisfy(found.contains)
  }

  /// Where an array that is read by `readers` comes from; nil when the file doesn't say.
  func origin(of array: String, readBy readers: [NodeProto]) -> Origin? {
    let foldedFrom = folded[array] ?? []
    let sources = foldedFrom.filter { names[$0] != nil }
    guard !sources.isEmpty else {
      guard let name = names[array], let kind = kinds[name] else { return nil }
      let found = Set(readers.map { self.kind(readBy: $0, insteadOf: name) ?? kind })
      guard found.count > 1 else { return found.first.map { .own($0) } ?? .own(kind) }
      return found.contains(.parameter) ? .merged : .own(kind)
    }
    let found = sources.compactMap { names[$0].flatMap { kinds[$0] } }
    let parameters = found.count { $0 == .parameter }
    guard parameters > 0 else { return .own(.buffer) }
    let steps = foldedFrom.filter { names[$0] == nil } + [array]
    // What is looked up in a parameter stays what it is, whatever the indices come from.
    let isComputed =
      !ArrayNames.isLookup(array)
      && (!steps.allSatisfy(ArrayNames.isArrangement)
        || parameters < found.count && !steps.contains(where: ArrayNames.isLookup))
    return isComputed ? .computed(parameters: parameters) : .own(.parameter)
  }

  /// The arrays of the program that one of the file consists of; empty when the file doesn't say.
  func sources(of array: String) -> Set<String> {
    let sources = Set((folded[array] ?? []).compactMap { names[$0] })
    return sources.isEmpty ? Set([names[array]].compactMap(\.self)) : sources
  }

  /// The program's parameters for which the file has no array, those of folded batch norm left out, in its order.
  func leftOut(_ model: CheckedModel) -> [String] {
    let found = Set(model.initializers.keys).union(folded.values.joined())
    var accounted: Set<String> = []
    for node in model.nodes {
      guard let read = arrays(of: node) else { continue }
      // What a node reads under another name, or computed with, may be what it read in the program.
      let isOther = node.inputs.contains { name in
        model.initializers[name]?.dataType.elementType?.isFloat ?? false
          && sources(of: name).isDisjoint(with: read)
      }
      if isOther { accounted.formUnion(read) }
    }
    return order.filter { name in
      guard let placeholder = names[name], kinds[placeholder] == .parameter,
        !found.contains(name), !accounted.contains(placeholder)
      else { return false }
      let module = name.lastIndex(of: ".").map { name[...$0] } ?? ""
      return names[module + "running_mean"] == nil
    }
  }

  /// What a node reads where the file has another array of equal elements; nil when it reads this, or what
  /// isn't told.
  private func kind(readBy node: NodeProto, insteadOf name: String) -> Kind? {
    guard let read = arrays(of: node), !read.isEmpty, !read.contains(name) else { return nil }
    let found = Set(read.compactMap { kinds[$0] })
    return found.count == 1 ? found.first : nil
  }

  /// Whether what a node's operation read in the program was a parameter among others.
  func readsParameter(_ node: NodeProto) -> Bool {
    arrays(of: node)?.contains { kinds[$0] == .parameter } ?? false
  }

  /// Whether two nodes that read one array of the file read one of the program; nil when it isn't told.
  func areSame(_ a: InputEdge, _ b: InputEdge, _ array: String, _ nodes: [NodeProto]) -> Bool? {
    let own = sources(of: array)
    let untold: Bool? = hasAll && !own.isEmpty ? true : nil
    let (first, second) = (nodes[a.node], nodes[b.node])
    guard let one = arrays(of: first), let other = arrays(of: second), !one.isEmpty, !other.isEmpty
    else { return untold }
    switch (own.isDisjoint(with: one), own.isDisjoint(with: other)) {
    case (false, false):
      // One operation that reads several is written as several nodes, none of which tells what it reads.
      let isPart = one == other && one.count > 1
      return isPart && (a.input != b.input || first.operation != second.operation) ? untold : true
    case (true, true):
      if one.isDisjoint(with: other) { return false }
      return one == other && a.input == b.input && first.operation == second.operation
        ? true : untold
    default:
      return own.isEmpty ? untold : false
    }
  }

  /// The arrays of the program that a node's operation read; nil when the file doesn't say.
  private func arrays(of node: NodeProto) -> Set<String>? {
    guard !kinds.isEmpty else { return nil }
    return node.programArrays?.filter { kinds[$0] != nil }
  }
}
