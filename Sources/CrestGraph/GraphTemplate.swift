public import CrestTensor

/// A source of graphs for any batch size: a traced graph, or a model in another form whose shapes
/// are only known once the inputs' are.
public protocol GraphTemplate: Sendable {
  /// The graph for a nominal batch, which says what inputs, outputs, layers and variables there are.
  var sample: Graph { get }

  /// The only batch size there is a graph for; nil when any will do.
  var fixedBatchSize: Int? { get }

  /// A hash of the file that the graphs come from; nil when they come from none.
  var sourceFingerprint: String? { get }

  /// Whether a softmax or sigmoid at the end is left out of a loss that takes what goes into it.
  var leavesFinalActivationToLoss: Bool { get }

  /// The preprocessing with which the parameters were learned; nil if unknown.
  var preprocessing: Preprocessing? { get }

  /// The names of the learned classes; nil if unknown.
  var classNames: [String]? { get }

  /// The class axis of a batch of predictions; nil if unknown.
  var classAxis: Int? { get }

  /// The graph for inputs of concrete types, for training and inference alike.
  ///
  /// - Parameter inputTypes: The types of the inputs, in the order of ``sample``.
  /// - Returns: A graph whose variables are those of ``sample``, in the same order, and which
  ///   ``GraphBuilder/replay(_:inputTypes:mode:frozen:)`` can trace for these types.
  /// - Throws: ``GraphError`` when a layer doesn't take the shapes, or what else is wrong with them.
  func graph(for inputTypes: [ValueType]) throws -> Graph
}

extension GraphTemplate {
  /// Nil.
  public var sourceFingerprint: String? { nil }
  /// Nil.
  public var preprocessing: Preprocessing? { nil }
  /// Nil.
  public var classNames: [String]? { nil }
  /// Nil.
  public var classAxis: Int? { nil }
}

extension Graph: GraphTemplate {
  /// The graph itself.
  public var sample: Graph { self }

  /// None.
  public var fixedBatchSize: Int? { nil }

  /// No: what was traced layer by layer is trained as it was written.
  public var leavesFinalActivationToLoss: Bool { false }

  /// The graph itself, since replaying it adapts every shape.
  public func graph(for inputTypes: [ValueType]) throws -> Graph { self }
}
