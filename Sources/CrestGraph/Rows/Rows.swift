import CrestTensor

/// How a value depends on the examples of a batch of N.
package enum Rows: Sendable, Hashable {
  /// It is the same whatever the examples are. Along the `uniform` axes all its elements are equal, so that
  /// a batch of another size has the same value, only longer.
  case shared(uniform: Set<Int>)
  /// What lies at the places (o · N + n) · inner + i of an axis, for any o and any i below inner, depends on
  /// example n and on no other, and in the same way for each n.
  case along(axis: Int, inner: Int)
  /// Examples can't be told apart any more.
  case mixed(Graph.RowMixing)

  /// The examples one after the other along an axis.
  package static func along(axis: Int) -> Rows { .along(axis: axis, inner: 1) }

  /// A value that no example has a part in, whose elements may all differ.
  package static var shared: Rows { .shared(uniform: []) }
}

extension Graph {
  /// Where, and why, the examples of a batch can't be told apart any more.
  public struct RowMixing: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is known.
    public enum Kind: Sendable, Hashable {
      /// Each example's result depends on the other examples, or on its place among them.
      case combined
      /// It may or may not: the analysis doesn't follow what happens there.
      case unknown
    }

    /// What is known.
    public let kind: Kind
    /// What happens, as in `reduces the axis of the examples`.
    public let reason: String
    /// The layer, as in `block1.conv`.
    public private(set) var path = ""
    /// The operation's name.
    public private(set) var operation = ""

    /// An operation that makes each example depend on others.
    public static func combined(_ reason: String) -> RowMixing {
      RowMixing(kind: .combined, reason: reason)
    }

    /// An operation of which it isn't known.
    public static func unknown(_ reason: String) -> RowMixing {
      RowMixing(kind: .unknown, reason: reason)
    }

    /// An operation that picks along the axis of the examples, which has `inner` places of each: where there are
    /// several, as when tokens of all examples are in a row, each example's may be picked for itself.
    static func picking(inner: Int) -> RowMixing {
      inner == 1
        ? .combined("selects examples by their index in the batch")
        : .unknown("selects along an axis that merges the batch with another")
    }

    private init(kind: Kind, reason: String) {
      self.kind = kind
      self.reason = reason
    }

    /// The same, in a node.
    func located(in node: Graph.Node) -> RowMixing {
      var located = self
      located.path = node.path
      located.operation = node.operation.name
      return located
    }

    /// As in `layer "pool" (ReduceMean) reduces the axis of the examples`.
    public var description: String {
      let place =
        path.isEmpty
        ? operation
        // The path of a node from a file says what it is.
        : path.hasPrefix("node ") ? path : "layer \"\(path)\" (\(operation))"
      return place.isEmpty ? "the graph \(reason)" : "\(place) \(reason)"
    }
  }
}

/// What an operation says of the rows of its outputs.
package struct RowFlow {
  /// How each output depends on the examples.
  package let outputs: [Rows]
  /// What the operation does to one example, apart from what the types of one example say: equal for two
  /// operations that do the same to an example of batches of different sizes.
  let settings: AnyHashable
  /// Whether the sizes of axes along which an input is uniform make no difference but to the outputs' sizes.
  let keepsUniform: Bool
  /// The outputs for constants, all once along axes where they are uniform; nil when they aren't to be known.
  let reduced: (([Tensor]) -> [Tensor]?)?

  /// The flow of an operation whose attributes are the same for any number of examples.
  package init(_ outputs: Rows..., of operation: any GraphOperation) {
    self.outputs = outputs
    settings = AnyHashable(operation)
    keepsUniform = false
    reduced = nil
  }

  init(
    _ outputs: [Rows], settings: AnyHashable, keepsUniform: Bool,
    reduced: (([Tensor]) -> [Tensor]?)? = nil
  ) {
    self.outputs = outputs
    self.settings = settings
    self.keepsUniform = keepsUniform
    self.reduced = reduced
  }
}

/// An operation that only a step of training has, in which rows are not followed.
package protocol TrainingOperation: GraphOperation {}

extension TrainingOperation {
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    throw .unknown("belongs to a training step")
  }
}
