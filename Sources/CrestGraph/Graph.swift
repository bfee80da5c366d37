public import CrestTensor

/// The number of a value in its graph.
public struct ValueID: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The place in ``Graph/values``.
  public let index: Int

  init(_ index: Int) { self.index = index }

  /// Whether `left` was made before `right`.
  public static func < (left: ValueID, right: ValueID) -> Bool { left.index < right.index }

  /// As in `%12`.
  public var description: String { "%\(index)" }
}

/// What a parameter is for, which decides whether weight decay touches it.
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

/// A named array that outlives a step: a parameter to be trained, or a running statistic.
public struct VariableDeclaration: Sendable {
  /// The full path, as in `block1.conv.weight`: unique in its graph.
  public let name: String
  /// Element type and shape.
  public let type: ValueType
  /// What it is for; nil for a running statistic, which no optimiser touches.
  public let role: ParameterRole?
  /// The value training starts from, drawn from a stream of its own.
  public let initialValue: @Sendable (Philox) -> Tensor
}

/// A computation: values, and the nodes that make them, in an order in which every node follows
/// what it reads.
///
/// Shapes are concrete. A graph traced for one batch size serves as the template for others:
/// ``GraphBuilder/replay(_:inputTypes:mode:frozen:)`` traces it again for other input shapes and for
/// training or inference. Images are N, C, H, W as in ONNX; the compiler lays them out as it likes.
public struct Graph: Sendable {
  /// Where a value comes from.
  public enum Origin: Sendable {
    /// Given anew at each run.
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
  public internal(set) var variables: [VariableDeclaration] = []
  /// What running statistics become in training.
  public internal(set) var updates: [Update] = []

  /// The number of the value at a place in ``values``.
  package func id(ofValue index: Int) -> ValueID { ValueID(index) }

  /// The values that nodes (all when nil), outputs and updates read.
  func valuesRead(by chosen: Set<Int>?) -> Set<ValueID> {
    var read = Set(outputs.map(\.value) + updates.map(\.value))
    for (number, node) in nodes.enumerated() where chosen?.contains(number) ?? true {
      read.formUnion(node.inputs)
    }
    return read
  }

  /// The type of a value.
  ///
  /// - Precondition: it is one of this graph.
  public func type(of value: ValueID) -> ValueType {
    programmerError(
      unless: values.indices.contains(value.index),
      "\(value) is no value of this graph, which has \(values.count)")
    return values[value.index].type
  }

  /// The graph with other operations and inputs for some nodes, whose outputs keep their types.
  ///
  /// - Precondition: a new input is made before the node that reads it.
  package func replacingNodes(
    _ replacements: [Int: (operation: any GraphOperation, inputs: [ValueID])]
  ) -> Graph {
    var graph = self
    for (number, replacement) in replacements {
      let node = nodes[number]
      programmerError(
        unless: replacement.inputs.allSatisfy { $0 < node.outputs[0] },
        "node \(number) would read \(replacement.inputs), made after it")
      graph.nodes[number] = Node(
        operation: replacement.operation, inputs: replacement.inputs, outputs: node.outputs,
        path: node.path, stage: node.stage)
    }
    return graph
  }
}
