import CrestGraph
import CrestTensor

/// Which arrays of a file become parameters and running statistics, and under what names.
struct ParameterPlan: Sendable {
  /// A parameter or running statistic.
  struct Variable: Sendable {
    /// The initializer's name; with a suffix for further copies of one that is untied.
    let name: String
    /// The array in the file.
    let source: TensorProto
    /// What it is for; nil for a running statistic.
    let role: ParameterRole?
    /// The value in the file.
    let value: Tensor
    /// Where a running statistic begins; nil for a parameter.
    let start: Float?
    /// The one edge it serves when it is a further copy of an array that is untied.
    let edge: InputEdge?
    /// What takes its place in a new head, of another shape.
    let replacement: HeadReplacement.NewArray?

    /// The shape it has while it is trained.
    var shape: Shape { replacement?.shape ?? value.shape }
  }

  private(set) var variables: [Variable] = []
  /// The variable of each name that the graph reads.
  private(set) var variablesByName: [String: Int] = [:]
  /// The variable of edges where an untied array has further copies.
  private(set) var variablesByEdge: [InputEdge: Int] = [:]
  /// The arrays that stay as they are.
  private(set) var constants: [String: TensorProto] = [:]
  private(set) var notes: [TrainingReadiness.Note] = []

  /// How many elements further copies of arrays may still have: merged arrays are biases and statistics,
  /// which are small, and a small file could ask for copies without end.
  private var untiedElementsLeft = 1 << 22

  /// A mask written as numbers: attention adds it, and training it would undo it.
  private static let maskMagnitude: Float = 1e4

  init(
    _ model: CheckedModel, _ reader: TensorReader, _ selection: ParameterSelection,
    head: HeadReplacement? = nil
  ) throws(ONNXError) {
    let uses = ParameterUses(model)
    var taken = Set(model.nodes.flatMap(\.outputs)).union(model.initializers.keys)
      .union(model.inputs.map(\.name))
    var unmatched = Set(selection.trainable + selection.fixed)
    for (name, proto) in Self.arrays(model) {
      let fixed = ParameterSelection.match(name, selection.fixed)
      let trainable = ParameterSelection.match(name, selection.trainable)
      unmatched.subtract([fixed, trainable].compactMap(\.self))
      let edges = uses.edges[name] ?? []
      let slots = edges.reduce(into: Set<ParameterSlot>()) { $0.formUnion($1.slots) }
      guard fixed == nil, trainable != nil || !slots.isEmpty else {
        constants[name] = proto
        if fixed != nil { notes.append(.fixed(name: name, .asked)) }
        continue
      }
      guard proto.dataType.elementType == .float32 else {
        constants[name] = proto
        let isNumber = proto.dataType.elementType?.isFloat ?? false
        if isNumber { notes.append(.fixed(name: name, .elementType(proto.dataType.name))) }
        continue
      }
      let value = try reader.tensor(proto)
      if trainable == nil, let reason = Self.reasonToFix(value, slots) {
        constants[name] = proto
        if reason == .mask { notes.append(.fixed(name: name, reason)) }
        continue
      }
      try add(name, proto, value, model, edges, slots, head, &taken)
    }
    if let head {
      try checkReplaced(head, model)
      notes.append(
        .newHead(
          node: head.node.label, operation: head.node.operation, from: head.oldClasses,
          to: head.classes))
    }
    guard let pattern = unmatched.min() else { return }
    throw .invalid(
      file: model.file,
      ModelProblem(
        place: "selection of parameters", expected: "patterns that fit the name of an array",
        got: "\"\(pattern)\"", advice: "name arrays as the file does"))
  }

  /// The arrays of a file that may be trained: initializers, and tensors in `Constant` nodes.
  private static func arrays(_ model: CheckedModel) -> [(String, TensorProto)] {
    var arrays = model.proto.graph.initializers.map { ($0.name, $0) }
    for node in model.nodes where node.operation == "Constant" && node.outputs.count == 1 {
      // One that isn't as it should be stays a node, which is refused with its reason.
      guard node.inputs.isEmpty, node.attributes.count == 1, node.attributes[0].name == "value",
        case .tensor(let tensor) = node.attributes[0].value,
        tensor.dataType.elementType?.isFloat ?? false, tensor.shape.elementCount > 1
      else { continue }
      arrays.append((node.outputs[0], tensor))
    }
    return arrays
  }

  /// Why an array that only arithmetic reads isn't a parameter; nil when it is one.
  private static func reasonToFix(
    _ value: Tensor, _ slots: Set<ParameterSlot>
  ) -> TrainingReadiness.FixedReason? {
    let isArithmeticOnly = slots.allSatisfy { slot in
      if case .arithmetic = slot { true } else { false }
    }
    guard isArithmeticOnly else { return nil }
    if value.elementCount <= 1 { return .scalar }
    let isMask = value.withElements(as: Float.self) { elements in
      elements.contains { !($0.magnitude < maskMagnitude) }
    }
    return isMask ? .mask : nil
  }

  private mutating func add(
    _ name: String, _ proto: TensorProto, _ value: Tensor, _ model: CheckedModel,
    _ edges: [(edge: InputEdge, slots: Set<ParameterSlot>)], _ slots: Set<ParameterSlot>,
    _ head: HeadReplacement?, _ taken: inout Set<String>
  ) throws(ONNXError) {
    let heads = edges.filter { head?.arrays[$0.edge] != nil }
    // Exporters store equal arrays once, which fresh biases and statistics often are.
    // Parts of one array are no places where it is read as a whole.
    let wholes = edges.filter { !model.nodes[$0.edge.node].takesParts }
    let copies = max(wholes.count - 1, 0) * value.elementCount
    let isMerged =
      wholes.count > 1 && wholes.count == edges.count && copies <= untiedElementsLeft
      && (Self.start(slots) != nil || value.hasEqualElements)
    // The first place keeps the array that the file has.
    guard heads.isEmpty || edges.count == 1 || isMerged && heads[0].edge != edges[0].edge else {
      throw model.headProblem(
        expected: "weights that only the head reads",
        got: "\"\(name)\", which is read in \(edges.count) places",
        "export the model with a head of its own")
    }
    if isMerged { untiedElementsLeft -= copies }
    guard isMerged else {
      variablesByName[name] = variables.count
      variables.append(
        Variable(
          name: name, source: proto, role: Self.role(slots, value.shape), value: value,
          start: Self.start(slots), edge: nil,
          replacement: heads.first.flatMap { head?.arrays[$0.edge] }))
      if wholes.count > 1 { notes.append(.tied(name: name, uses: wholes.count)) }
      return
    }
    var names: [String] = []
    for (number, use) in edges.enumerated() {
      var own = name
      var suffix = number + 1
      while number > 0, !taken.insert(own).inserted {
        own = "\(name).untied\(suffix)"
        suffix += 1
      }
      if number == 0 {
        variablesByName[name] = variables.count
      } else {
        variablesByEdge[use.edge] = variables.count
      }
      names.append(own)
      variables.append(
        Variable(
          name: own, source: proto, role: Self.role(use.slots, value.shape), value: value,
          start: Self.start(use.slots), edge: number == 0 ? nil : use.edge,
          replacement: head?.arrays[use.edge]))
    }
    notes.append(.untied(name: name, into: names))
  }

  /// Refuses a head whose arrays are not all trained.
  private func checkReplaced(
    _ head: HeadReplacement, _ model: CheckedModel
  ) throws(ONNXError) {
    guard variables.count(where: { $0.replacement != nil }) < head.arrays.count else { return }
    throw model.headProblem(
      expected: "weights of float32 that are trained",
      got: "others at \"\(head.node.label)\" (\(head.node.operation))",
      "export the model in float32, and leave its head out of what is fixed")
  }

  /// Where the running statistic begins that these slots make of an array; nil when they make none.
  private static func start(_ slots: Set<ParameterSlot>) -> Float? {
    slots.lazy.compactMap { slot in
      if case .statistic(let start) = slot { start } else { nil }
    }.first
  }

  /// The variable that an edge reads.
  func variable(_ name: String, at edge: InputEdge) -> Variable? {
    (variablesByEdge[edge] ?? variablesByName[name]).map { variables[$0] }
  }

  /// The role that decides about weight decay, the strongest of several; nil for a statistic.
  private static func role(_ slots: Set<ParameterSlot>, _ shape: Shape) -> ParameterRole? {
    let roles = slots.compactMap { slot in
      switch slot {
      case .parameter(let role), .arithmetic(let role): role
      case .statistic: nil
      }
    }
    if let role = ParameterRole.allCases.first(where: roles.contains) { return role }
    if start(slots) != nil { return nil }
    // Trained on request: matrices are weights.
    return shape.rank >= 2 ? .weight : .bias
  }
}

extension NodeProto {
  /// Whether the operation reads some elements of its input.
  fileprivate var takesParts: Bool { operation == "Slice" || operation == "Split" }
}

extension Tensor {
  /// Whether all elements of a `float32` tensor have the same bits.
  fileprivate var hasEqualElements: Bool {
    withElements(as: Float.self) { elements in
      elements.allSatisfy { $0.bitPattern == elements[0].bitPattern }
    }
  }
}
