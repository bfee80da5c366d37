public import CrestTensor

/// Builds a graph, one node at a time, checking every shape as it goes.
///
/// Not thread-safe; a trace belongs to one task.
public final class GraphBuilder {
  /// The part of a step that nodes are added to.
  public var stage: Graph.Stage = .forward
  private var graph = Graph()
  private var scopes: [String] = []
  /// How often each scope name was used, by full path: the second `dense` becomes `dense_1`.
  private var scopeUses: [String: Int] = [:]
  /// The variables by their names.
  private var variableSymbols: [String: Symbol] = [:]
  /// Where the first use of what is shared began.
  private var sharedUses: [ObjectIdentifier: SharedUse] = [:]
  /// Whether variables are those of a first use instead of new ones.
  private var isSharing = false
  /// How deep the layers that are being traced lie in each other.
  private var nesting = 0
  /// Far more than any network has, and little for a thread's stack.
  package static let nestingLimit = 256
  /// The updates so far, by their variables.
  private var updated: [Int: Graph.ValueID] = [:]
  private var randomStreamCount: UInt32 = 0
  private var foldingBudget: FoldingBudget
  /// How many bytes of constants operations may still make up; any number when nil.
  private var constantBytesLeft: Int?

  /// A builder with an empty graph.
  public init() { foldingBudget = FoldingBudget(elementCount: 0) }

  /// A builder for graphs from elsewhere, which may be made to exhaust memory.
  ///
  /// - Parameters:
  ///   - budget: As far as it goes, what depends on constants only is computed at once: such graphs
  ///     compute shapes from shapes, and a shape must be known when a node is added.
  ///   - constantByteLimit: How many bytes all constants may have that operations make up.
  package init(folding budget: FoldingBudget, constantByteLimit: Int) {
    foldingBudget = budget
    constantBytesLeft = constantByteLimit
  }

  /// The graph built so far.
  public var result: Graph { graph }

  /// The number of its nodes.
  package var nodeCount: Int { graph.nodes.count }

  /// The path of the layer being traced, as in `block1.conv`.
  public var path: String { scopes.joined(separator: ".") }

  /// Traces a layer: `body` in a scope named `name`, which a suffix makes unique when it was used
  /// before; what it returns is the layer's result in ``Graph/layers``.
  public func scoped(_ name: String, _ body: () throws -> Symbol) rethrows -> Symbol {
    let full = (scopes + [name]).joined(separator: ".")
    let uses = scopeUses[full, default: 0]
    scopeUses[full] = uses + 1
    scopes.append(uses == 0 ? name : "\(name)_\(uses)")
    defer { scopes.removeLast() }
    let result = try body()
    if !isSharing { layer(path, result) }
    return result
  }

  /// Where the first use of what is shared began.
  private struct SharedUse {
    /// Kept, so that no other object gets its identity.
    let owner: AnyObject
    let scopes: [String]
    let scopeUses: [String: Int]
  }

  /// Traces another use of the same variables: those that the first `body` of this owner declared are had again by
  /// the later ones, in the same scopes.
  ///
  /// - Parameters:
  ///   - owner: What is shared, by its identity.
  ///   - body: Traces a use.
  /// - Returns: What `body` returns.
  /// - Throws: ``GraphError`` when a later use asks for a variable that the first didn't declare, or in another shape.
  public func shared<Result>(by owner: AnyObject, _ body: () throws -> Result) throws -> Result {
    guard let first = sharedUses[ObjectIdentifier(owner)] else {
      sharedUses[ObjectIdentifier(owner)] = SharedUse(
        owner: owner, scopes: scopes, scopeUses: scopeUses)
      return try body()
    }
    let outer = (scopes, scopeUses, isSharing)
    (scopes, scopeUses, isSharing) = (first.scopes, first.scopeUses, true)
    defer { (scopes, scopeUses, isSharing) = outer }
    return try body()
  }

  /// A layer begins in the one that is being traced.
  ///
  /// - Throws: ``GraphError`` when they lie deeper in each other than the stack may bear.
  package func beginLayer() throws {
    guard nesting < Self.nestingLimit else {
      throw GraphError(
        path: path, operation: "layer",
        expected: "layers at most \(Self.nestingLimit) deep in each other", got: "one more",
        advice: "put them one after the other in one Sequential")
    }
    nesting += 1
  }

  /// The layer that began last has ended.
  package func endLayer() { nesting -= 1 }

  /// Names a value as the result of the layer at a path.
  package func layer(_ path: String, _ symbol: Symbol) {
    programmerError(unless: symbol.builder === self, "layer \(path) belongs to another graph")
    graph.layers.append(Graph.Port(name: path, value: symbol.id))
  }

  /// Traces `body` under another path and stage.
  package func placed<Result>(
    path: String, stage: Graph.Stage, _ body: () throws -> Result
  ) rethrows -> Result {
    let outer = (scopes, self.stage)
    (scopes, self.stage) = (path.isEmpty ? [] : [path], stage)
    defer { (scopes, self.stage) = outer }
    return try body()
  }

  /// Declares what is given at each run.
  public func input(_ name: String, _ type: ValueType) -> Symbol {
    let symbol = add(Graph.Value(type: type, origin: .input(name: name)))
    graph.inputs.append(Graph.Port(name: name, value: symbol.id))
    return symbol
  }

  /// Names a value as a result of the graph.
  public func output(_ name: String, _ symbol: Symbol) {
    programmerError(unless: symbol.builder === self, "output \(name) belongs to another graph")
    graph.outputs.append(Graph.Port(name: name, value: symbol.id))
  }

  /// Declares a parameter, `name` in the present scope.
  ///
  /// - Throws: ``GraphError`` when the name is taken.
  public func parameter(
    _ name: String, _ shape: Shape, role: Graph.ParameterRole,
    initialValue: @escaping @Sendable (Philox) -> Tensor
  ) throws -> Symbol {
    try variable(
      Graph.Variable(
        name: (scopes + [name]).joined(separator: "."), type: ValueType(shape), role: role,
        initialValue: initialValue))
  }

  /// Declares a running statistic, `name` in the present scope.
  ///
  /// - Throws: ``GraphError`` when the name is taken.
  public func statistic(
    _ name: String, _ shape: Shape, initialValue: @escaping @Sendable (Philox) -> Tensor
  ) throws -> Symbol {
    try variable(
      Graph.Variable(
        name: (scopes + [name]).joined(separator: "."), type: ValueType(shape), role: nil,
        initialValue: initialValue))
  }

  func variable(_ declaration: Graph.Variable) throws -> Symbol {
    if isSharing { return try sharedVariable(declaration) }
    guard variableSymbols[declaration.name] == nil else {
      throw GraphError(
        path: path, operation: "parameter", expected: "a unique name",
        got: "\"\(declaration.name)\" for the second time", advice: "name the layers differently")
    }
    graph.variables.append(declaration)
    let symbol = add(
      Graph.Value(type: declaration.type, origin: .variable(graph.variables.count - 1)))
    variableSymbols[declaration.name] = symbol
    return symbol
  }

  /// The variable that the first use of what is shared declared.
  private func sharedVariable(_ declaration: Graph.Variable) throws -> Symbol {
    guard let symbol = variableSymbols[declaration.name], symbol.type == declaration.type else {
      let first = variableSymbols[declaration.name].map { "\($0.type)" } ?? "none of that name"
      throw GraphError(
        path: path, operation: "parameter",
        expected: "\(declaration.name) as in the first use of the shared layer, \(first)",
        got: "\(declaration.type)", advice: "give every use an input of the same sizes")
    }
    return symbol
  }

  /// A stream of random numbers for one more operation, by its order in the trace.
  func makeRandomStream() -> UInt32 {
    defer { randomStreamCount += 1 }
    return Philox.Stream.dropout + randomStreamCount
  }

  /// Adds a fixed value.
  public func constant(_ tensor: Tensor) -> Symbol {
    add(
      Graph.Value(
        type: ValueType(tensor.shape, tensor.elementType), origin: .constant(tensor)))
  }

  /// Takes note of a constant of so many elements that an operation is about to make up.
  ///
  /// - Throws: ``GraphError`` when that is more than a graph from elsewhere may have.
  func makeRoom(
    forConstant elementCount: Int, _ type: ElementType, _ operation: String
  ) throws {
    guard let left = constantBytesLeft else { return }
    let (byteCount, overflow) = elementCount.multipliedReportingOverflow(by: type.byteCount)
    guard !overflow, byteCount <= left else {
      throw GraphError(
        path: path, operation: operation,
        expected: "at most \(left) bytes more in constants that follow from sizes",
        got: "\(elementCount) elements of \(type)",
        advice: "use smaller sizes, or the file is made to exhaust memory")
    }
    constantBytesLeft = left - byteCount
  }

  /// The update of a running statistic declared so far; nil if there is none.
  ///
  /// - Precondition: it is a value of this graph.
  public func update(of statistic: Symbol) -> Symbol? {
    require(statistic)
    guard case .variable(let number) = graph.values[statistic.id.index].origin else { return nil }
    return updated[number].map { symbol($0) }
  }

  /// Lets a running statistic become `value` when the forward stage of a training step is done, in place of
  /// what was said before.
  ///
  /// - Precondition: `statistic` is one, and `value` has its type.
  public func update(_ statistic: Symbol, to value: Symbol) {
    require(statistic)
    require(value)
    guard case .variable(let number) = graph.values[statistic.id.index].origin,
      graph.variables[number].role == nil
    else { programmerError("\(statistic.id) is not a running statistic") }
    programmerError(
      unless: statistic.type == value.type,
      "a statistic of \(statistic.type) can't become \(value.type)")
    if updated.updateValue(value.id, forKey: number) != nil {
      graph.updates.removeAll { $0.variable == number }
    }
    graph.updates.append(Graph.Update(variable: number, value: value.id))
  }

  /// Adds a node.
  ///
  /// - Throws: ``GraphError`` naming the layer when the inputs don't fit the operation.
  package func apply(_ operation: any GraphOperation, _ inputs: [Symbol]) throws -> [Symbol] {
    programmerError(
      unless: inputs.allSatisfy { $0.builder === self },
      "an input of \(operation) is of another graph")
    let types = try outputTypes(of: operation, inputs)
    if foldingBudget.elementCount > 0 {
      let constants = inputs.compactMap { constantTensor($0) }
      if constants.count == inputs.count,
        let results = try operation.folded(constants, types, &foldingBudget, path: path)
      {
        return results.map { constant($0) }
      }
    }
    // What is copied from another graph keeps its stream, which no later one may share.
    if let stream = operation.randomStream, stream >= Philox.Stream.dropout {
      randomStreamCount = max(randomStreamCount, stream - Philox.Stream.dropout + 1)
    }
    let node = graph.nodes.count
    let outputs = types.enumerated().map { output, type in
      add(Graph.Value(type: type, origin: .node(node, output: output)))
    }
    graph.nodes.append(
      Graph.Node(
        operation: operation, inputs: inputs.map(\.id), outputs: outputs.map(\.id), path: path,
        stage: stage))
    return outputs
  }

  /// The tensor of a constant; nil for a value known only at a run.
  package func constantTensor(_ symbol: Symbol) -> Tensor? {
    guard case .constant(let tensor) = graph.values[symbol.id.index].origin else { return nil }
    return tensor
  }

  /// Whether a value is given at each run.
  package func isInput(_ symbol: Symbol) -> Bool {
    if case .input = graph.values[symbol.id.index].origin { true } else { false }
  }

  /// Whether a value is a running statistic.
  package func isStatistic(_ symbol: Symbol) -> Bool {
    guard case .variable(let number) = graph.values[symbol.id.index].origin else { return false }
    return graph.variables[number].role == nil
  }

  /// The shape rule of `operation`, whose error is given the layer's path.
  private func outputTypes(
    of operation: any GraphOperation, _ inputs: [Symbol]
  ) throws -> [ValueType] {
    do {
      return try operation.outputTypes(for: inputs.map(\.type))
    } catch {
      throw GraphError(
        path: path, operation: operation.name, expected: error.expected, got: error.got,
        advice: error.advice)
    }
  }

  /// Ends the program unless `symbol` is a value of this graph.
  func require(_ symbol: Symbol) {
    programmerError(unless: symbol.builder === self, "\(symbol.id) is a value of another graph")
  }

  private func add(_ value: Graph.Value) -> Symbol {
    graph.values.append(value)
    return Symbol(builder: self, id: Graph.ValueID(graph.values.count - 1), type: value.type)
  }

  /// The symbol of a value already in the graph.
  public func symbol(_ id: Graph.ValueID) -> Symbol {
    Symbol(builder: self, id: id, type: graph.type(of: id))
  }

  /// Traces `template` into this builder for inputs of other shapes and for one mode.
  ///
  /// Operations that mean something else in training than in inference are replaced by what they
  /// mean in `mode`. Running statistics are updated in training only.
  ///
  /// - Parameters:
  ///   - template: A graph traced for any batch size.
  ///   - inputTypes: The types of its inputs, in its order.
  ///   - mode: Training or inference.
  ///   - frozen: The names of running statistics that stay as they are; what reads one is traced for
  ///     inference. Other names are passed over.
  /// - Returns: The symbol of every value of the template.
  /// - Throws: ``GraphError`` naming the layer that does not take these shapes.
  @discardableResult
  public func replay(
    _ template: Graph, inputTypes: [ValueType], mode: Graph.ExecutionMode, frozen: Set<String> = []
  ) throws -> [Graph.ValueID: Symbol] {
    // A second use of a layer reads what the first made of its statistic, which is itself when it is frozen.
    func isFrozenStatistic(_ symbol: Symbol) -> Bool {
      guard case .variable(let number) = graph.values[symbol.id.index].origin else { return false }
      let variable = graph.variables[number]
      return variable.role == nil && frozen.contains(variable.name)
    }
    let symbols = try copy(
      template, inputTypes: inputTypes, keepsUpdates: mode == .training
    ) { node, inputs in
      // What stands in is traced on the understanding that the shape rule holds.
      _ = try outputTypes(of: node.operation, inputs)
      let isFrozen = !frozen.isEmpty && inputs.contains(where: isFrozenStatistic)
      return try node.operation.expanded(inputs, mode: isFrozen ? .inference : mode)
    }
    var byValue: [Graph.ValueID: Symbol] = [:]
    byValue.reserveCapacity(symbols.count)
    for (index, symbol) in symbols.enumerated() { byValue[Graph.ValueID(index)] = symbol }
    return byValue
  }

  /// Traces `template` into this builder, letting `rewrite` put something else in a node's place.
  ///
  /// Constants that nothing reads are left out.
  ///
  /// - Parameters:
  ///   - template: The graph to copy, its outputs included.
  ///   - inputTypes: The types of its inputs, in its order.
  ///   - keepsUpdates: Whether running statistics are updated as in the template.
  ///   - nodes: The nodes to copy; all when nil. Nothing copied may read what is left out.
  ///   - rewrite: What stands in for a node, given the new symbols of its inputs; nil to keep it.
  /// - Returns: The symbol of every value of the template, by its index; nil where it wasn't copied.
  /// - Throws: ``GraphError``, or what `rewrite` throws.
  @discardableResult
  package func copy(
    _ template: Graph, inputTypes: [ValueType], keepsUpdates: Bool, nodes: Set<Int>? = nil,
    rewrite: (Graph.Node, [Symbol]) throws -> [Symbol]?
  ) throws -> [Symbol?] {
    programmerError(
      unless: inputTypes.count == template.inputs.count,
      "\(inputTypes.count) input types for \(template.inputs.count) inputs")
    let read = template.valuesRead(by: nodes)
    var symbols = [Symbol?](repeating: nil, count: template.values.count)
    var variables: [Int: Symbol] = [:]
    for (port, type) in zip(template.inputs, inputTypes) {
      symbols[port.value.index] = input(port.name, type)
    }
    for (index, value) in template.values.enumerated() {
      switch value.origin {
      case .input: continue
      case .variable(let number):
        let symbol = try variable(template.variables[number])
        symbols[index] = symbol
        variables[number] = symbol
      case .constant(let tensor):
        guard read[index] else { continue }
        symbols[index] = constant(tensor)
      case .node(let number, output: 0) where nodes?.contains(number) ?? true:
        let node = template.nodes[number]
        let outputs = try placed(path: node.path, stage: node.stage) {
          let inputs = node.inputs.map { Self.found($0, in: symbols) }
          return try rewrite(node, inputs) ?? apply(node.operation, inputs)
        }
        for (id, output) in zip(node.outputs, outputs) { symbols[id.index] = output }
      case .node: continue
      }
    }
    for port in template.outputs { output(port.name, Self.found(port.value, in: symbols)) }
    for layer in template.layers {
      guard let symbol = symbols[layer.value.index] else { continue }
      graph.layers.append(Graph.Port(name: layer.name, value: symbol.id))
    }
    for change in template.updates where keepsUpdates {
      guard let statistic = variables[change.variable] else {
        programmerError("statistic \(change.variable) is updated but has no value")
      }
      let value = Self.found(change.value, in: symbols)
      if value.id != statistic.id { update(statistic, to: value) }
    }
    return symbols
  }

  private static func found(_ id: Graph.ValueID, in symbols: [Symbol?]) -> Symbol {
    guard let symbol = symbols[id.index] else {
      programmerError("value \(id) is read before it is made")
    }
    return symbol
  }
}
