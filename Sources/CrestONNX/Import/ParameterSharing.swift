/// Tells what a network reads twice from what an exporter wrote once since it was equal.
///
/// Exporters merge arrays with equal elements, as biases and scales of new networks are. A network that
/// uses a layer twice reads all of that layer twice, so that two places share an array with equal elements
/// when they share others whose elements no accident makes equal at the same operation, when the file says
/// that they are of one module, or else when the nearest operations before them share such arrays. PyTorch's
/// older exporter leaves the names of what it merges, so that what is read without such a name is the network's.
struct ParameterSharing {
  private let model: CheckedModel
  private let data: Set<String>
  private let program: ExportedProgram
  private var makers: [String: Int] = [:]
  private var readers: [String: [InputEdge]] = [:]
  /// The arrays that no accident makes equal which each value without data follows from.
  private var sources: [String: Set<String>] = [:]
  private var neighbours: [Int: Neighbour] = [:]
  private var modules: NodeModules

  private struct Neighbour: Equatable {
    var arrays: Set<String> = []
    var nodes: Set<Int> = []

    /// Whether the same arrays are read, at other nodes.
    func repeats(_ other: Neighbour) -> Bool {
      !arrays.isEmpty && arrays == other.arrays && nodes.isDisjoint(with: other.nodes)
    }
  }

  /// How many nodes are looked at on the way to the nearest that has such arrays.
  private static let reach = 256
  /// More arrays than these tell no more.
  private static let sourceLimit = 16

  /// Takes the parameters and statistics that no accident makes equal, `distinctive`, for evidence.
  init(
    _ model: CheckedModel, _ program: ExportedProgram, data: Set<String>, distinctive: Set<String>
  ) {
    self.model = model
    self.program = program
    self.data = data
    modules = NodeModules(model)
    for name in distinctive { sources[name] = [name] }
    for (place, node) in model.nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { makers[output] = place }
      for (input, name) in node.inputs.enumerated() where !name.isEmpty {
        readers[name, default: []].append(InputEdge(node: place, input: input))
      }
      guard !node.inputs.contains(where: data.contains) else { continue }
      let found = node.inputs.reduce(into: Set<String>()) { $0.formUnion(sources[$1] ?? []) }
      guard !found.isEmpty, found.count <= Self.sourceLimit else { continue }
      for output in node.outputs { sources[output, default: []].formUnion(found) }
    }
  }

  /// Of an array that more places read nothing is told: pairs of places are compared.
  static let placeLimit = 1 << 11

  /// The edges of an array in groups of which the file says that they are several arrays of the program; one
  /// group when it says nothing.
  func toldGroups(_ edges: [InputEdge], of array: String) -> [[InputEdge]] {
    var groups: [[InputEdge]] = []
    for edge in edges {
      let answers = groups.map { tells($0[0], edge, of: array) }
      if let place = answers.firstIndex(of: true) ?? answers.firstIndex(of: nil) {
        groups[place].append(edge)
      } else {
        groups.append([edge])
      }
    }
    return groups
  }

  /// Whether the file says of all places whether they read one array of the program.
  func tells(_ edges: [InputEdge], of array: String) -> Bool {
    edges.dropFirst().allSatisfy { program.areSame(edges[0], $0, array, model.nodes) != nil }
  }

  /// Whether two places read one array of the program, by what exporters write of it; nil when they don't.
  private func tells(_ a: InputEdge, _ b: InputEdge, of array: String) -> Bool? {
    if let isSame = program.areSame(a, b, array, model.nodes) { return isSame }
    let (first, second) = (mergedName(a), mergedName(b))
    if first == nil, second == nil { return isOwnRead(a) && isOwnRead(b) ? true : nil }
    if first != nil, second != nil { return first == second }
    return isOwnRead(first == nil ? a : b) ? false : nil
  }

  /// The name under which PyTorch's older exporter has merged an array with the one that an edge reads.
  private func mergedName(_ edge: InputEdge) -> String? {
    let node = model.nodes[edge.node]
    guard node.operation == "Identity", node.module == nil, node.name.hasPrefix("Identity"),
      let name = node.outputs.first, !ArrayNames.isMadeUp(name)
    else { return nil }
    return name
  }

  /// The edges of an array with equal elements in groups that share it, in the order given.
  mutating func groups(_ edges: [InputEdge]) -> [[InputEdge]] {
    var groups: [(ends: [InputEdge], edges: [InputEdge])] = []
    for edge in edges {
      let ends = ends(of: edge)
      let places = groups.indices.filter { place in
        ends.contains { end in groups[place].ends.contains { shares($0, end) } }
          || isOwnRead(edge) && groups[place].edges.contains(where: isOwnRead)
      }
      guard let first = places.first else {
        groups.append((ends, [edge]))
        continue
      }
      groups[first].ends += ends
      groups[first].edges.append(edge)
      for place in places.dropFirst().reversed() {
        groups[first].ends += groups[place].ends
        groups[first].edges += groups[place].edges
        groups.remove(at: place)
      }
    }
    let order = Dictionary(uniqueKeysWithValues: edges.enumerated().map { ($1, $0) })
    return groups.map { group in
      group.edges.sorted { order[$0, default: 0] < order[$1, default: 0] }
    }
  }

  /// Whether a node of PyTorch's older exporter reads an array itself: what that exporter merges it reads through an
  /// `Identity` under the other's name.
  private func isOwnRead(_ edge: InputEdge) -> Bool {
    let node = model.nodes[edge.node]
    return node.module == nil && node.name.hasPrefix("/") && node.operation != "Identity"
  }

  /// Where what an edge reads meets data.
  private func ends(of edge: InputEdge) -> [InputEdge] {
    var ends: [InputEdge] = []
    var pending = [edge]
    var seen: Set<InputEdge> = [edge]
    while let next = pending.popLast(), ends.count < Self.reach, seen.count < Self.reach {
      let node = model.nodes[next.node]
      if node.inputs.contains(where: data.contains) {
        ends.append(next)
        continue
      }
      for output in node.outputs {
        for reader in readers[output] ?? [] where seen.insert(reader).inserted {
          pending.append(reader)
        }
      }
    }
    return ends
  }

  /// Whether a network uses one layer at both places.
  private mutating func shares(_ a: InputEdge, _ b: InputEdge) -> Bool {
    let (first, second) = (model.nodes[a.node], model.nodes[b.node])
    guard a.node != b.node, a.input == b.input, first.operation == second.operation else {
      return false
    }
    let (own, other) = (arrays(of: a.node), arrays(of: b.node))
    if !own.isEmpty, own == other { return true }
    if let isSame = modules.areSame(first, second, input: a.input) { return isSame }
    return neighbour(of: a.node).repeats(neighbour(of: b.node))
  }

  private func arrays(of place: Int) -> Set<String> {
    model.nodes[place].inputs.reduce(into: []) { found, name in
      if !data.contains(name) { found.formUnion(sources[name] ?? []) }
    }
  }

  /// The nearest nodes before one that read such arrays.
  private mutating func neighbour(of place: Int) -> Neighbour {
    if let known = neighbours[place] { return known }
    var found = Neighbour()
    var level = [place]
    var seen: Set = [place]
    while found.arrays.isEmpty, !level.isEmpty, seen.count < Self.reach {
      var next: [Int] = []
      for node in level {
        for name in model.nodes[node].inputs where data.contains(name) {
          guard let maker = makers[name], seen.insert(maker).inserted else { continue }
          let arrays = arrays(of: maker)
          if arrays.isEmpty {
            next.append(maker)
          } else {
            found.arrays.formUnion(arrays)
            found.nodes.insert(maker)
          }
        }
      }
      level = next
    }
    neighbours[place] = found
    return found
  }
}
