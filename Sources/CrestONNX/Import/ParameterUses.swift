import CrestGraph

/// Where a node reads a value.
struct InputEdge: Hashable, Sendable {
  /// The node's place in ``CheckedModel/nodes``.
  let node: Int
  /// The place among its inputs.
  let input: Int
}

/// What each value of a model is read as, found by following it to the operations that use it, through
/// those that only rearrange it.
struct ParameterUses {
  /// What a value is read as along each edge that matters, in the nodes' order.
  private(set) var edges: [String: [(edge: InputEdge, slots: Set<ParameterSlot>)]] = [:]

  init(_ model: CheckedModel) {
    let imports = model.nodes.map { OperatorTable.find($0, opsets: model.opsets) }
    let data = Self.valuesOfData(model)
    var slots: [String: Set<ParameterSlot>] = [:]
    for place in model.nodes.indices.reversed() {
      guard let operation = imports[place] else { continue }
      let node = model.nodes[place]
      let passed: Set<ParameterSlot> =
        operation.passesThrough
        ? node.outputs.reduce(into: []) { $0.formUnion(slots[$1] ?? []) } : []
      for (number, name) in node.inputs.enumerated() where !name.isEmpty {
        var found = passed
        if let slot = operation.slots[number] {
          let meetsData = node.inputs.enumerated().contains { other, input in
            other != number && data.contains(input)
          }
          if case .arithmetic = slot, !meetsData {} else { found.insert(slot) }
        }
        guard !found.isEmpty else { continue }
        slots[name, default: []].formUnion(found)
        edges[name, default: []].append((InputEdge(node: place, input: number), found))
      }
    }
    edges = edges.mapValues { $0.reversed() }
  }

  /// The values that depend on what is given at a run, not only on its shape.
  private static func valuesOfData(_ model: CheckedModel) -> Set<String> {
    var data = Set(model.inputs.map(\.name))
    for node in model.nodes where node.operation != "Shape" && node.operation != "Size" {
      if node.inputs.contains(where: data.contains) { data.formUnion(node.outputs) }
    }
    data.remove("")
    return data
  }
}
