public import CrestTensor

/// A computation: values, and the nodes that make them, in an order in which every node follows
/// what it reads.
///
/// Shapes are concrete. A graph traced for one batch size serves as the template for others:
/// ``GraphBuilder/replay(_:inputTypes:mode:frozen:)`` traces it again for other input shapes and for
/// training or inference. Images are N, C, H, W as in ONNX; the compiler lays them out as it likes.
public struct Graph: Sendable {
  /// The number of a value in its graph.
  public struct ValueID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The index in ``Graph/values``.
    public let index: Int

    init(_ index: Int) { self.index = index }

    /// Whether `left` was made before `right`.
    public static func < (left: ValueID, right: ValueID) -> Bool { left.index < right.index }

    /// As in `%12`.
    public var description: String { "%\(index)" }
  }

  /// The purpose of a parameter, which decides whether weight decay applies to it.
  public enum ParameterRole: String, Sendable, Hashable, Codable, CaseIterable {
    /// A matrix or filter: decayed by default.
    case weight
    /// Added to a layer's output.
    case bias
    /// The scale of a normalisation.
    case normalizationScale
    /// The shift of a normalisation.
    case normalizationShift
  }

  /// A named array that outlives a step: a trainable parameter or a running statistic.
  public struct Variable: Sendable {
    /// The full path, as in `block1.conv.weight`: unique in its graph.
    public let name: String
    /// Element type and shape.
    public let type: ValueType
    /// What it is for; nil for a running statistic, which no optimiser touches.
    public let role: ParameterRole?
    /// The initial value, drawn from its own stream.
    public let initialValue: @Sendable (Philox) -> Tensor
  }

  /// Where a value comes from.
  public enum Origin: Sendable {
    /// Given for each run.
    case input(name: String)
    /// A parameter or running statistic, by its place in ``Graph/variables``.
    case variable(Int)
    /// Fixed.
    case constant(Tensor)
    /// Output `output` of node `node`.
    case node(Int, output: Int)
  }

  /// A value's type and origin.
  public struct Value: Sendable {
    /// Element type and shape.
    public let type: ValueType
    /// Where it comes from.
    public let origin: Origin
  }

  /// An operation applied to values.
  public struct Node: Sendable {
    /// What is computed.
    package let operation: any GraphOperation
    /// What it reads.
    public let inputs: [ValueID]
    /// What it makes.
    public let outputs: [ValueID]
    /// The layer it was traced in, as in `block1.conv`; empty at the top.
    public let path: String
    /// The part of a step it belongs to.
    public let stage: Stage

    package init(
      operation: any GraphOperation, inputs: [ValueID], outputs: [ValueID], path: String,
      stage: Stage
    ) {
      self.operation = operation
      self.inputs = inputs
      self.outputs = outputs
      self.path = path
      self.stage = stage
    }
  }

  /// An input, output or layer's result under its name.
  public struct Port: Sendable {
    /// The name.
    public let name: String
    /// The value.
    public let value: ValueID
  }

  /// A running statistic's value for the next step.
  public struct Update: Sendable {
    /// The place in ``Graph/variables``.
    public let variable: Int
    /// The value it gets when the forward stage is done.
    public let value: ValueID
  }

  /// All values by number.
  public internal(set) var values: [Value] = []
  /// All nodes, in an order they can run in.
  public internal(set) var nodes: [Node] = []
  /// What is given at each run, in order.
  public internal(set) var inputs: [Port] = []
  /// What a run gives, in order.
  public internal(set) var outputs: [Port] = []
  /// What each layer gave, by its path, in the order they were traced.
  public internal(set) var layers: [Port] = []
  /// Parameters and running statistics, in the order they were declared.
  public internal(set) var variables: [Variable] = []
  /// The updates of running statistics in training.
  public internal(set) var updates: [Update] = []

  /// The number of the value at a place in ``values``.
  package func id(ofValue index: Int) -> ValueID { ValueID(index) }

  /// Whether nodes (all when nil), outputs and updates read each value.
  func valuesRead(by chosen: Set<Int>?) -> [Bool] {
    var read = [Bool](repeating: false, count: values.count)
    for value in outputs.map(\.value) + updates.map(\.value) { read[value.index] = true }
    for (number, node) in nodes.enumerated() where chosen?.contains(number) ?? true {
      for input in node.inputs { read[input.index] = true }
    }
    return read
  }

  /// The type of a value.
  ///
  /// - Precondition: it is one of this graph.
  public func type(of value: ValueID) -> ValueType {
    programmerError(
      unless: values.indices.contains(value.index),
      "\(value) is not a value of this graph, which has \(values.count)")
    return values[value.index].type
  }

  /// The node that makes a value; nil for inputs, variables and constants.
  package func producer(of value: ValueID) -> Node? {
    guard case .node(let number, _) = values[value.index].origin else { return nil }
    return nodes[number]
  }

  /// The tensor of a constant; nil for any other value.
  package func constant(_ value: ValueID) -> Tensor? {
    guard case .constant(let tensor) = values[value.index].origin else { return nil }
    return tensor
  }

  /// The value of a one-element float constant; nil for any other value.
  package func scalar(_ value: ValueID) -> Double? {
    guard let tensor = constant(value), tensor.elementCount == 1, tensor.elementType.isFloat
    else { return nil }
    return tensor.doubles[0]
  }

  /// The graph with these nodes in place of its own, less those that nothing depends on.
  ///
  /// Values get other numbers: inputs, variables and constants come first.
  ///
  /// - Precondition: each node follows what it reads, and each value that is needed is made.
  package func withNodes(_ nodes: [Node]) -> Graph {
    var needed = Set(outputs.map(\.value) + updates.map(\.value))
    let kept = nodes.reversed().filter { node in
      guard node.outputs.contains(where: needed.contains) else { return false }
      needed.formUnion(node.inputs)
      return true
    }
    var graph = Graph()
    var ids: [ValueID: ValueID] = [:]
    func add(_ id: ValueID, _ origin: Origin) {
      ids[id] = ValueID(graph.values.count)
      graph.values.append(Value(type: type(of: id), origin: origin))
    }
    func renamed(_ id: ValueID) -> ValueID {
      guard let new = ids[id] else { programmerError("\(id) is read before it is made") }
      return new
    }
    func renamed(_ port: Port) -> Port { Port(name: port.name, value: renamed(port.value)) }
    for (index, value) in values.enumerated() {
      switch value.origin {
      case .input, .variable: add(ValueID(index), value.origin)
      case .constant where needed.contains(ValueID(index)): add(ValueID(index), value.origin)
      case .constant, .node: continue
      }
    }
    for (number, node) in kept.reversed().enumerated() {
      let inputs = node.inputs.map(renamed)
      for (place, output) in node.outputs.enumerated() {
        add(output, .node(number, output: place))
      }
      graph.nodes.append(
        Node(
          operation: node.operation, inputs: inputs, outputs: node.outputs.map(renamed),
          path: node.path, stage: node.stage))
    }
    graph.inputs = inputs.map(renamed)
    graph.outputs = outputs.map(renamed)
    graph.layers = layers.filter { ids[$0.value] != nil }.map(renamed)
    graph.variables = variables
    graph.updates = updates.map { Update(variable: $0.variable, value: renamed($0.value)) }
    return graph
  }
}
