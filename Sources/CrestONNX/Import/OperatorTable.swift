import CrestGraph
import CrestTensor

/// What an array would be for, by the place where an operation reads it beside data.
enum ParameterSlot: Hashable, Sendable {
  /// The place of something learned.
  case parameter(Graph.ParameterRole)
  /// A place for anything that a gradient reaches: what is learned can be written as plain arithmetic, and
  /// so can what is not.
  case arithmetic(Graph.ParameterRole)
  /// A running statistic, which begins at a value before a network has seen anything.
  case statistic(start: Float)
  /// No gradient: an index, a condition, what is compared.
  case choice
  /// What must be known before the model runs, as sizes and ratios.
  case setting
}

/// How an operation of ONNX becomes nodes of a graph, from a version of its operator set on.
struct OperatorImport: Sendable {
  /// The first version with this meaning.
  let since: Int64
  /// How many inputs it takes.
  let inputs: ClosedRange<Int>
  /// How many outputs it has.
  let outputs: ClosedRange<Int>
  /// What inputs are for, where that isn't ``others``.
  let slots: [Int: ParameterSlot]
  /// What all other inputs are for.
  let others: ParameterSlot
  /// Whether an output is a part or another arrangement of the inputs, and is for what they are.
  let passesThrough: Bool
  /// Traces the node.
  let trace: @Sendable (NodeImport) throws -> [Symbol]

  /// What an input is for.
  func slot(_ input: Int) -> ParameterSlot { slots[input] ?? others }

  init(
    since: Int64 = 1, inputs: ClosedRange<Int>, outputs: ClosedRange<Int> = 1...1,
    slots: [Int: ParameterSlot] = [:], others: ParameterSlot = .arithmetic(.bias),
    passesThrough: Bool = false,
    trace: @escaping @Sendable (NodeImport) throws -> [Symbol]
  ) {
    self.since = since
    self.inputs = inputs
    self.outputs = outputs
    self.slots = slots
    self.others = others
    self.passesThrough = passesThrough
    self.trace = trace
  }

  /// An operation of one input and one output.
  static func unary(
    since: Int64 = 1, others: ParameterSlot = .arithmetic(.bias),
    _ trace: @escaping @Sendable (NodeImport, Symbol) throws -> Symbol
  ) -> OperatorImport {
    OperatorImport(since: since, inputs: 1...1, others: others) { [try trace($0, $0.input(0))] }
  }

  /// An operation of two inputs and one output.
  static func binary(
    since: Int64 = 1, slots: [Int: ParameterSlot] = [:],
    others: ParameterSlot = .arithmetic(.bias),
    _ trace: @escaping @Sendable (Symbol, Symbol) throws -> Symbol
  ) -> OperatorImport {
    OperatorImport(since: since, inputs: 2...2, slots: slots, others: others) {
      [try trace($0.input(0), $0.input(1))]
    }
  }
}

/// All operations that can be imported, by domain, name and version.
enum OperatorTable {
  /// The meanings of each of ONNX's own operations, the newest first.
  static let operators: [String: [OperatorImport]] = {
    let groups = [
      elementwise, activations, matrices, convolutions, normalizations, reductions, shapes,
      constants, recurrent, losses, resizing,
    ]
    return groups.reduce(into: [:]) { all, group in
      all.merge(group) { _, _ in programmerError("an operation is in two groups") }
    }.mapValues { $0.sorted { $0.since > $1.since } }
  }()

  /// How to import a node; nil when it can't be.
  static func find(_ node: NodeProto, opsets: [String: Int64]) -> OperatorImport? {
    guard node.domain.isEmpty || node.domain == "ai.onnx", let version = opsets[""] else {
      return nil
    }
    return operators[node.operation]?.first { $0.since <= version }
  }
}
