import CrestGraph
import CrestTensor

/// Lowers a compiled graph stage by stage, and pins what outlives a stage.
struct ProgramPlan {
  let lowering: Lowering
  /// The buffers of inputs, outputs and reads.
  private(set) var places: [Graph.ValueID: BufferID] = [:]
  private var pinned: Set<BufferID> = []
  private let compiled: CompiledGraph
  private let store: ParameterStore

  init(_ compiled: CompiledGraph, store: ParameterStore, engine: Engine) {
    self.compiled = compiled
    self.store = store
    let graph = compiled.graph
    var external: [Graph.ValueID: Buffer.Placement] = [:]
    for (variable, value) in compiled.gradients {
      if let value, external[value] == nil, graph.producer(of: value) != nil {
        external[value] = Self.gradient(graph.variables[variable].name, in: store)
      }
    }
    lowering = Lowering(graph, engine: engine, external: external)
    for (index, value) in graph.values.enumerated() {
      let id = graph.id(ofValue: index)
      switch value.origin {
      case .input: lowering.place(id, at: .pinned)
      case .variable(let number):
        lowering.place(id, at: Self.variable(graph.variables[number], in: store))
      case .constant: lowering.place(id, at: .constant(id))
      case .node: continue
      }
    }
    for port in graph.inputs { places[port.value] = lowering.buffer(port.value) }

    for stage in Graph.Stage.allCases {
      for (number, node) in graph.nodes.enumerated() where node.stage == stage {
        lowering.lower(number)
      }
      lowering.enter(stage)
      finish(stage)
    }
  }

  private static func entry(_ name: String, _ store: ParameterStore) -> ParameterStore.Entry {
    guard let entry = store.entry(named: name) else {
      programmerError("the store has no variable \(name): it was made from another graph")
    }
    return entry
  }

  private static func variable(
    _ variable: Graph.Variable, in store: ParameterStore
  ) -> Buffer.Placement {
    let entry = entry(variable.name, store)
    programmerError(
      unless: entry.shape == variable.type.shape,
      "\(entry.name) is \(entry.shape) in the store, and \(variable.type.shape) in the graph")
    return .store(
      entry.role == nil ? .statistics : .parameters, offset: entry.range.lowerBound)
  }

  private static func gradient(_ name: String, in store: ParameterStore) -> Buffer.Placement {
    .store(.gradients, offset: entry(name, store).range.lowerBound)
  }

  /// What must be done before hooks look at the results of a stage.
  private mutating func finish(_ stage: Graph.Stage) {
    let graph = compiled.graph
    switch stage {
    case .forward:
      for update in graph.updates {
        let byteCount = graph.type(of: update.value).shape.elementCount * 4
        let variable = graph.variables[update.variable]
        lowering.copy(
          from: lowering.buffer(update.value),
          to: lowering.fixed(byteCount: byteCount, Self.variable(variable, in: store)),
          byteCount: byteCount)
      }
    case .loss: break
    case .backward: finishGradients()
    }
    let kept =
      compiled.predictions
      + [compiled.loss, compiled.lossWeight?.sum, compiled.lossWeight?.each].compactMap(\.self)
      + compiled.reads.values
    for value in kept where (graph.producer(of: value)?.stage ?? .forward) == stage { pin(value) }
  }

  /// Brings gradients that were not computed in place to the store.
  private func finishGradients() {
    for (variable, value) in compiled.gradients {
      let declaration = compiled.graph.variables[variable]
      let placement = Self.gradient(declaration.name, in: store)
      let count = declaration.type.shape.elementCount
      guard let value else {
        let target = lowering.fixed(byteCount: count * 4, placement)
        lowering.fill(target, count: count, with: Tensor(scalar: 0 as Float))
        continue
      }
      let source = lowering.buffer(value)
      guard lowering.buffers[source.index].placement != placement else { continue }
      lowering.copy(
        from: source, to: lowering.fixed(byteCount: count * 4, placement), byteCount: count * 4)
    }
  }

  private mutating func pin(_ value: Graph.ValueID) {
    let buffer = lowering.buffer(value)
    places[value] = buffer
    pinned.insert(buffer)
  }

  /// Plans the memory once everything is lowered.
  mutating func finish(sharing: Bool) -> MemoryPlan {
    for buffer in pinned { lowering.pin(buffer) }
    return MemoryPlan(lowering.buffers, lowering.steps, sharing: sharing)
  }
}
