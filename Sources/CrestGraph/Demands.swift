package import CrestTensor

/// What an operation asks of whoever runs it on a graph or on numbers from elsewhere.
package struct Demands: Sendable {
  /// What the time of a run follows from.
  package enum Work: Sendable, Equatable {
    /// The elements read and made.
    case elements
    /// Windows, each element of which is read again and again.
    case windows
    /// A sum of so many products; a `Double`, as sizes from a file may have products beyond `Int`.
    case products(Double)
  }

  /// The numbers that an input may choose by.
  package struct IndexRange: Sendable, Equatable {
    /// The size of the indexed axis.
    package let count: Int
    /// Whether negative ones count from the end.
    package let countsFromEnd: Bool
    /// A number that chooses nothing and is allowed, too.
    package let ignored: Int64?

    package init(count: Int, countsFromEnd: Bool, ignored: Int64? = nil) {
      self.count = count
      self.countsFromEnd = countsFromEnd
      self.ignored = ignored
    }

    /// Whether it may be among the numbers.
    package func allows(_ index: Int64) -> Bool {
      let size = Int64(count)
      return index == ignored || index >= (countsFromEnd ? -size : 0) && index < size
    }
  }

  package let work: Work
  /// Of inputs that choose by index where kernels trust the index: what they may choose from, by place.
  package let indices: [Int: IndexRange]

  package init(_ work: Work, indices: [Int: IndexRange] = [:]) {
    self.work = work
    self.indices = indices
  }

  /// Time by the elements read and made, and no index that isn't checked when it is used.
  package static let elements = Demands(.elements)

  /// Time by sums of `terms` products, one for each element of `sums`.
  package static func products(_ sums: Shape, terms: some Sequence<Int>) -> Demands {
    Demands(.products(terms.reduce(Double(sums.elementCount)) { $0 * Double($1) }))
  }
}

/// An operation whose time follows from the elements it reads and makes, and whose indices are checked when it
/// uses them.
package protocol BoundedOperation: GraphOperation {}

extension BoundedOperation {
  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands { .elements }
}

extension Graph {
  /// The floating-point operations of convolutions and matrix products, a multiplication and an addition
  /// as two; recurrent layers and attention count as the products that they are made of.
  ///
  /// Nothing else is counted: it is little beside products, in networks that have any.
  package var productWork: Double {
    nodes.reduce(0) { sum, node in
      guard case .products(let count) = demands(of: node).work else { return sum }
      return sum + 2 * count
    }
  }

  /// For values that choose by index, all that every choice by them allows.
  ///
  /// A user's data may hold any index, so they are checked against these on their way in.
  package var indexRanges: [ValueID: Demands.IndexRange] {
    var ranges: [ValueID: Demands.IndexRange] = [:]
    for node in nodes {
      for (place, range) in demands(of: node).indices {
        let source = unchanged(node.inputs[place])
        let known = ranges[source] ?? range
        ranges[source] = Demands.IndexRange(
          count: Swift.min(known.count, range.count),
          countsFromEnd: known.countsFromEnd && range.countsFromEnd,
          ignored: known.ignored == range.ignored ? known.ignored : nil)
      }
    }
    return ranges
  }

  /// What a value comes from by operations that keep its numbers.
  private func unchanged(_ value: ValueID) -> ValueID {
    guard case .node(let number, output: 0) = values[value.index].origin,
      nodes[number].operation.outputNumbers == .kept
    else { return value }
    return unchanged(nodes[number].inputs[0])
  }

  private func demands(of node: Node) -> Demands {
    node.operation.demands(node.inputs.map(type(of:)), node.outputs.map(type(of:)))
  }
}
