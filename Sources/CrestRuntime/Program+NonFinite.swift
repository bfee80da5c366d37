public import CrestGraph
import CrestTensor

extension ParameterStore {
  /// The running statistics that aren't finite, each with its first such number.
  public var nonFiniteStatistics: [Program.NonFinite] {
    nonFinite(statistics, in: .statistics) { .statistic($0) }
  }

  /// The parameters that aren't finite, each with its first such number.
  public var nonFiniteParameters: [Program.NonFinite] {
    nonFinite(parameters, in: .parameters) { .parameter($0) }
  }

  func nonFinite(
    _ entries: [Entry], in buffer: Buffer, _ source: (String) -> Program.NonFinite.Source
  ) -> [Program.NonFinite] {
    withBuffer(buffer) { floats in
      guard Self.holdsNonFinite(floats) else { return [] }
      return entries.compactMap { entry in
        Program.NonFinite.first(in: floats[entry.range]).map { found in
          Program.NonFinite(source: source(entry.name), found, in: entry.shape)
        }
      }
    }
  }

  // Without a branch in it, so that it is compiled to vector instructions.
  private static func holdsNonFinite(_ floats: UnsafeMutableBufferPointer<Float>) -> Bool {
    let exponent: UInt32 = 0x7f80_0000
    var found: UInt32 = 0
    for float in floats { found |= float.bitPattern & exponent == exponent ? 1 : 0 }
    return found != 0
  }
}

extension Program {
  /// Where a non-finite number first appeared.
  public struct NonFinite: Sendable, Equatable {
    /// What it was found in.
    public enum Source: Sendable, Equatable {
      /// An input, by name.
      case input(String)
      /// The target.
      case target
      /// A parameter, by name.
      case parameter(String)
      /// A running statistic, by name.
      case statistic(String)
      /// A moment that the optimiser keeps of a parameter, by the parameter's name.
      case moment(String)
      /// The result of an operation in the layer at a path, in a stage.
      case operation(String, path: String, stage: Graph.Stage)
    }

    /// What it was found in.
    public let source: Source
    /// The number: NaN or an infinity.
    public let value: Float
    /// Its place along the first axis, of an input or the target that of an example in the batch.
    public let row: Int

    /// A number that was found.
    public init(source: Source, value: Float, row: Int) {
      self.source = source
      self.value = value
      self.row = row
    }

    fileprivate init(source: Source, _ found: (place: Int, number: Float), in shape: Shape) {
      self.init(
        source: source, value: found.number,
        row: found.place / max(shape.dropFirst().reduce(1, *), 1))
    }

    /// The first number that isn't finite, and its place from the first.
    fileprivate static func first(
      in values: some RandomAccessCollection<Float>
    ) -> (place: Int, number: Float)? {
      values.enumerated().first { !$0.element.isFinite }.map { ($0.offset, $0.element) }
    }
  }

  /// The first non-finite number among those that the loss is computed from, in the order the
  /// program computes: inputs, target, parameters and statistics, then node by node; nil when all
  /// are finite.
  ///
  /// If the loss is finite, among those that the predictions are computed from, otherwise any
  /// gradient. Numbers that don't reach them, such as a NaN that the model itself replaces, are
  /// ignored.
  ///
  /// - Precondition: the program was compiled with ``Program/Request/isDiagnosing``, and its stages
  ///   have run.
  public func firstNonFinite() -> NonFinite? {
    programmerError(
      unless: request.isDiagnosing, "only a diagnosing program keeps what it computed")
    let graph = compiled.graph
    let starts =
      [compiled.loss.map { [$0] } ?? [], compiled.predictions, graph.outputs.map(\.value)]
      .lazy.map { values in values.filter { self.nonFinite(in: $0) != nil } }
      .first { !$0.isEmpty }
    guard let starts else { return nil }
    var reached = Set(starts)
    var pending = starts
    while let value = pending.popLast() {
      guard case .node(let node, _) = graph.values[value.index].origin else { continue }
      for input in graph.nodes[node].inputs
      where !reached.contains(input) && nonFinite(in: input) != nil {
        reached.insert(input)
        pending.append(input)
      }
    }
    guard let first = reached.min(by: { rank(of: $0) < rank(of: $1) }),
      let found = nonFinite(in: first)
    else { return nil }
    return NonFinite(source: source(of: first), found, in: graph.type(of: first).shape)
  }

  /// Inputs first, variables next, and then nodes, each in their order.
  private func rank(of value: Graph.ValueID) -> (Int, Int) {
    switch compiled.graph.values[value.index].origin {
    case .input, .constant: (0, value.index)
    case .variable(let number): (1, number)
    case .node(let node, _): (2, node)
    }
  }

  private func source(of value: Graph.ValueID) -> NonFinite.Source {
    let graph = compiled.graph
    switch graph.values[value.index].origin {
    case .input(let name):
      return inputs.contains { $0.name == name } ? .input(name) : .target
    case .variable(let number):
      let variable = graph.variables[number]
      return variable.role == nil ? .statistic(variable.name) : .parameter(variable.name)
    case .node(let number, _):
      let node = graph.nodes[number]
      return .operation(node.operation.name, path: node.path, stage: node.stage)
    case .constant:
      programmerError("\(value), a constant, is not searched")
    }
  }

  /// The first number in a value that isn't finite; nil when there is none, and of constants, in which a mask's
  /// infinities are meant.
  private func nonFinite(in value: Graph.ValueID) -> (place: Int, number: Float)? {
    let graph = compiled.graph
    let type = graph.type(of: value)
    guard type.elementType == .float32 else { return nil }
    let count = type.shape.elementCount
    switch graph.values[value.index].origin {
    case .constant: return nil
    case .input(let name):
      let buffer = inputs.first { $0.name == name }?.buffer ?? target?.buffer
      return buffer.flatMap { nonFinite(memory.floats($0), count: count) }
    case .variable(let number):
      guard let entry = store.entry(named: graph.variables[number].name) else { return nil }
      let buffer: ParameterStore.Buffer = entry.role == nil ? .statistics : .parameters
      return nonFinite(store.address(buffer) + entry.range.lowerBound, count: count)
    case .node(let node, let output):
      let buffers = nodeBuffers[node].suffix(graph.nodes[node].outputs.count)
      // A reshape has no memory of its own: its numbers are those of its input.
      if buffers.isEmpty {
        return graph.nodes[node].inputs.lazy.compactMap { self.nonFinite(in: $0) }.first
      }
      let place = buffers.startIndex + output
      guard buffers.indices.contains(place) else { return nil }
      return nonFinite(memory.floats(buffers[place]), count: count)
    }
  }

  private func nonFinite(
    _ values: UnsafeMutablePointer<Float>, count: Int
  ) -> (place: Int, number: Float)? {
    NonFinite.first(in: UnsafeBufferPointer(start: values, count: count))
  }
}
