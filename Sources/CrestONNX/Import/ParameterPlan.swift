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
    let role: Graph.ParameterRole?
    /// The value in the file.
    let value: Tensor
    /// Where a running statistic begins; nil for a parameter.
    let start: Float?
    /// The edges it serves when it is a further copy of an array that is untied.
    let edges: [InputEdge]
    /// What takes its place in a new head, of another shape.
    let replacement: HeadReplacement.NewArray?

    /// The shape it has while it is trained.
    var shape: Shape { replacement?.shape ?? value.shape }
  }

  /// What was decided about an array, and from what.
  struct Row: Sendable {
    let array: FileArray
    let decision: ParameterRule.Decision
    let uses: Set<ArrayUse>
    /// The array of which it is another arrangement; nil when it is a parameter itself.
    fileprivate(set) var original: String?
  }

  private(set) var variables: [Variable] = []
  /// The variable of each name that the graph reads.
  private(set) var variablesByName: [String: Int] = [:]
  /// The variable of edges where an untied array has further copies.
  private(set) var variablesByEdge: [InputEdge: Int] = [:]
  /// The arrays that are others in another arrangement, by name.
  private(set) var copies: [String: RearrangedCopy] = [:]
  /// The arrays that stay as they are.
  private(set) var constants: [String: TensorProto] = [:]
  /// All arrays, in the file's order.
  private(set) var rows: [Row] = []
  /// What was found about arrays, grouped.
  var notes: [TrainingReadiness.Note] { found.notes }

  /// What stands between an array's name and the number of a further copy of it.
  fileprivate static let copySuffix = ".untied"

  private var found = ArrayNotes()
  /// How many elements further copies of arrays may still have: merged arrays are biases and statistics,
  /// which are small, and a small file could ask for copies without end.
  private var untiedElementsLeft = 1 << 22

  /// An array that becomes one variable or several.
  private struct Learned {
    let array: FileArray
    let value: Tensor
    let edges: [(edge: InputEdge, uses: Set<ArrayUse>)]
    let uses: Set<ArrayUse>
  }

  init(
    _ model: CheckedModel, _ reader: TensorReader, _ selection: ParameterSelection,
    head: HeadReplacement? = nil
  ) throws(ONNXError) {
    let uses = ParameterUses(model)
    let allUses =
      model.outputs.count > 1 ? ParameterUses(model, outputs: model.outputs.map(\.name)) : uses
    let arrays = FileArray.all(in: model).keepingCopiesTogether
    let program = ExportedProgram(model)
    let rule = ParameterRule(model, program, uses, arrays)
    let elements = arrays.reduce(0) { $0 + ($1.isFloat ? $1.proto.shape.elementCount : 0) }
    // Layers that are copies of each other are as large as the file says, and not more than so many.
    untiedElementsLeft = max(untiedElementsLeft, min(elements, 1 << 22) * 64)
    let choice = try SelectedArrays(selection, arrays, model)
    var learned: [Learned] = []
    for array in arrays {
      let edges = uses.edges[array.name] ?? []
      let all = edges.reduce(into: Set<ArrayUse>()) { $0.formUnion($1.uses) }
      var value: Tensor?
      var decision: ParameterRule.Decision
      if let known = rule.decide(array, all) {
        decision = known
      } else {
        let tensor = try reader.tensor(array.proto)
        value = tensor
        decision = rule.decide(array, all, tensor, at: edges.map(\.edge))
      }
      if decision == .fixed(.noGradient),
        allUses.edges[array.name]?.contains(where: { $0.uses.contains(where: \.isLearnedPlace) })
          == true
      {
        decision = .fixed(.otherOutput)
      }
      decision = choice.decision(array, instead: decision)
      rows.append(Row(array: array, decision: decision, uses: all))
      if case .fixed(let reason) = decision {
        constants[array.name] = array.proto
        found.add(reason, array.name)
        continue
      }
      if case .trained(let reason?) = decision { found.add(reason, array.name) }
      let tensor: Tensor
      if let value { tensor = value } else { tensor = try reader.tensor(array.proto) }
      learned.append(Learned(array: array, value: tensor, edges: edges, uses: all))
    }
    let distinctive = learned.filter(Self.isDistinctive).map(\.array.name)
    var sharing = ParameterSharing(model, program, data: uses.data, distinctive: Set(distinctive))
    takeCopies(from: &learned, model, program, head)
    var taken = Set(model.nodes.flatMap(\.outputs)).union(model.initializers.keys)
      .union(model.inputs.map(\.name))
    for array in learned { try add(array, model, head, &sharing, &taken) }
    found.leftOut = program.leftOut(model)
    guard let head else { return }
    try checkReplaced(head, model)
    found.head = .newHead(
      node: head.node.label, operation: head.node.operation, from: head.oldClasses,
      to: head.classes)
  }

  /// Whether no accident makes another array equal to this one.
  private static func isDistinctive(_ learned: Learned) -> Bool {
    guard learned.value.elementCount > 0, learned.value.hasEqualElements else {
      return learned.value.elementCount > 0
    }
    // A single channel's statistic, once it has moved.
    guard learned.value.elementCount == 1, let start = start(learned.uses) else { return false }
    return learned.value.withElements(as: Float.self) { $0[0] != start }
  }

  private mutating func add(
    _ learned: Learned, _ model: CheckedModel, _ head: HeadReplacement?,
    _ sharing: inout ParameterSharing, _ taken: inout Set<String>
  ) throws(ONNXError) {
    let (name, value, edges) = (learned.array.name, learned.value, learned.edges)
    let (groups, isTold) = groups(learned, model, &sharing)
    let heads = edges.filter { head?.arrays[$0.edge] != nil }
    // The first place keeps the array that the file has.
    guard
      heads.isEmpty || edges.count == 1
        || groups.dropFirst().contains(where: { $0 == [heads[0].edge] })
    else {
      throw model.headProblem(
        expected: "weights that only the head reads",
        got: "\"\(name)\", which is read in \(edges.count) places",
        "export the model with a head of its own")
    }
    untiedElementsLeft -= (groups.count - 1) * value.elementCount
    var names: [String] = []
    for (number, group) in groups.enumerated() {
      var own = name
      var suffix = number + 1
      while number > 0, !taken.insert(own).inserted {
        own = name + Self.copySuffix + "\(suffix)"
        suffix += 1
      }
      if number == 0 {
        variablesByName[name] = variables.count
      } else {
        for edge in group { variablesByEdge[edge] = variables.count }
      }
      let uses =
        groups.count == 1
        ? learned.uses
        : edges.filter { group.contains($0.edge) }.reduce(into: Set<ArrayUse>()) {
          $0.formUnion($1.uses)
        }
      names.append(own)
      variables.append(
        Variable(
          name: own, source: learned.array.proto, role: Self.role(uses, value.shape), value: value,
          start: Self.start(uses), edges: number == 0 ? [] : group,
          replacement: group.lazy.compactMap { head?.arrays[$0] }.first))
    }
    if groups.count > 1 {
      let array = TrainingReadiness.UntiedArray(name: name, copies: names)
      if isTold { found.unmerged.append(array) } else { found.untied.append(array) }
    }
    // Parts of one array are no places where it is read as a whole.
    for (own, group) in zip(names, groups) {
      let wholes = group.filter { !model.nodes[$0.node].takesParts }
      if wholes.count > 1 { found.tied[wholes.count, default: []].append(own) }
    }
  }

  /// The edges of an array, in groups that stay tied.
  private func groups(
    _ learned: Learned, _ model: CheckedModel, _ sharing: inout ParameterSharing
  ) -> (groups: [[InputEdge]], isTold: Bool) {
    let edges = learned.edges.map(\.edge)
    // A number of arithmetic has equals too seldom.
    let isScalar =
      learned.value.elementCount == 1
      && learned.uses.allSatisfy { if case .arithmetic = $0.slot { true } else { !$0.hasGradient } }
    guard (2...ParameterSharing.placeLimit).contains(edges.count),
      !edges.contains(where: { model.nodes[$0.node].takesParts })
    else { return ([edges], false) }
    let mayBeMerged =
      learned.value.hasEqualElements && !Self.isDistinctive(learned) && !isScalar
    if !mayBeMerged || sharing.tells(edges, of: learned.array.name) {
      let groups = sharing.toldGroups(edges, of: learned.array.name)
      return fits(groups, learned) ? (groups, true) : ([edges], true)
    }
    // An array keeps its name where it is read under it, and not as a copy.
    let groups = sharing.groups(edges).enumerated().sorted { first, second in
      func isCopy(_ group: [InputEdge]) -> Bool {
        model.nodes[group[0].node].operation == "Identity"
      }
      return (isCopy(first.element) ? 1 : 0, first.offset)
        < (isCopy(second.element) ? 1 : 0, second.offset)
    }.map(\.element)
    return fits(groups, learned) ? (groups, false) : ([edges], false)
  }

  /// Whether there is room for copies of an array.
  private func fits(_ groups: [[InputEdge]], _ learned: Learned) -> Bool {
    let (copies, overflow) = (groups.count - 1).multipliedReportingOverflow(
      by: learned.value.elementCount)
    return !overflow && copies <= untiedElementsLeft
  }

  /// Ties arrays to those that they are other arrangements of.
  private mutating func takeCopies(
    from learned: inout [Learned], _ model: CheckedModel, _ program: ExportedProgram,
    _ head: HeadReplacement?
  ) {
    let isFromPyTorch = model.proto.producerName == "pytorch"
    // A new head is no copy of anything.
    let candidates = learned.filter { array in
      array.edges.allSatisfy { head?.arrays[$0.edge] == nil } && Self.start(array.uses) == nil
    }
    let found = RearrangedCopy.all(
      among: candidates.map { candidate in
        RearrangedCopy.Candidate(
          array: candidate.array, value: candidate.value,
          sources: program.sources(of: candidate.array.name),
          isMadeUp: isFromPyTorch && ArrayNames.isMadeUp(candidate.array.name))
      })
    for copy in found {
      let array = TrainingReadiness.RearrangedArray(name: copy.original, copy: copy.name)
      if copy.isTied {
        copies[copy.name] = copy
        self.found.rearranged.append(array)
      } else {
        self.found.rearrangedApart.append(array)
      }
    }
    learned.removeAll { copies[$0.array.name] != nil }
    for place in rows.indices { rows[place].original = copies[rows[place].array.name]?.original }
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

  /// Where the running statistic begins that these uses make of an array; nil when they make none.
  private static func start(_ uses: Set<ArrayUse>) -> Float? {
    uses.compactMap { use in
      if case .statistic(let start) = use.slot { start } else { nil }
    }.min()
  }

  /// The variable that an edge reads.
  func variable(_ name: String, at edge: InputEdge) -> Variable? {
    (variablesByEdge[edge] ?? variablesByName[name]).map { variables[$0] }
  }

  /// The role that decides about weight decay, the strongest of several; nil for a statistic.
  private static func role(_ uses: Set<ArrayUse>, _ shape: Shape) -> Graph.ParameterRole? {
    let roles = uses.compactMap { use in
      switch use.slot {
      case .parameter(let role), .arithmetic(let role): role
      case .statistic, .choice, .setting: nil
      }
    }
    if let role = Graph.ParameterRole.allCases.first(where: roles.contains) { return role }
    if start(uses) != nil { return nil }
    // Trained on request: matrices are weights.
    return shape.rank >= 2 ? .weight : .bias
  }
}

/// What a selection says of a file's arrays.
private struct SelectedArrays {
  private let selection: ParameterSelection

  /// - Throws: ``ONNXError/invalid(file:_:)`` when a pattern fits no array.
  init(
    _ selection: ParameterSelection, _ arrays: [FileArray], _ model: CheckedModel
  ) throws(ONNXError) {
    self.selection = selection
    let names = arrays.map(\.name)
    let unmatched = (selection.trainable + selection.fixed).sorted().first { pattern in
      !names.contains { ParameterSelection.match($0, [pattern]) != nil }
    }
    guard let unmatched else { return }
    throw .invalid(
      file: model.file,
      ONNXError.ModelProblem(
        place: "selection of parameters", expected: "patterns that match the name of an array",
        got: "\"\(unmatched)\"", advice: ParameterSelection.advice(unmatched, names)))
  }

  /// What becomes of an array about which the rule says `decision`.
  func decision(
    _ array: FileArray, instead decision: ParameterRule.Decision
  ) -> ParameterRule.Decision {
    if ParameterSelection.match(array.name, selection.fixed) != nil { return .fixed(.asked) }
    guard ParameterSelection.match(array.name, selection.trainable) != nil else { return decision }
    switch decision {
    case .statistic: return .statistic
    case .trained: return .trained(nil)
    case .fixed:
      guard array.proto.dataType.elementType == .float32 else {
        return array.isFloat
          ? .fixed(.elementType(array.proto.dataType.name)) : .fixed(.integers)
      }
      return .trained(.asked)
    }
  }
}

extension NodeProto {
  /// Whether the operation reads some elements of its input.
  fileprivate var takesParts: Bool { operation == "Slice" || operation == "Split" }
}

extension [FileArray] {
  /// The arrays with further copies of others, as an export names them, behind these, where they were before the
  /// export: weights that were saved of the one network then are those of the other.
  fileprivate var keepingCopiesTogether: [FileArray] {
    let names = Set(map(\.name))
    func original(_ array: FileArray) -> (name: String, number: Int)? {
      let digits = array.name.reversed().prefix(while: \.isNumber).count
      let stem = array.name.dropLast(digits)
      guard stem.hasSuffix(ParameterPlan.copySuffix), let number = Int(array.name.suffix(digits))
      else { return nil }
      let name = String(stem.dropLast(ParameterPlan.copySuffix.count))
      return names.contains(name) ? (name, number) : nil
    }
    var copies: [String: [(number: Int, array: FileArray)]] = [:]
    var others: [FileArray] = []
    for array in self {
      if let original = original(array) {
        copies[original.name, default: []].append((original.number, array))
      } else {
        others.append(array)
      }
    }
    guard !copies.isEmpty else { return self }
    func withCopies(_ array: FileArray) -> [FileArray] {
      [array]
        + (copies[array.name] ?? []).sorted { $0.number < $1.number }.flatMap {
          withCopies($0.array)
        }
    }
    return others.flatMap(withCopies)
  }
}
