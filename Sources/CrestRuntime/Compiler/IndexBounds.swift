package import CrestGraph
import CrestTensor

extension Graph {
  /// For inputs that choose from a table by index, the smallest number of rows they choose from.
  ///
  /// A user's data may hold any index, so they are checked against these bounds on their way in.
  package var indexBounds: [ValueID: Int] {
    var bounds: [ValueID: Int] = [:]
    for node in nodes {
      let axis: Int
      switch node.operation {
      case let operation as Gather: axis = operation.axis
      case let operation as GatherElements: axis = operation.axis
      default: continue
      }
      let rows = type(of: node.inputs[0]).shape[axis]
      let source = unchanged(node.inputs[1])
      bounds[source] = min(bounds[source] ?? rows, rows)
    }
    return bounds
  }

  /// What a value comes from by operations that keep its numbers.
  private func unchanged(_ value: ValueID) -> ValueID {
    guard let node = producer(of: value) else { return value }
    switch node.operation {
    case is Cast, is Reshape, is Flatten, is Squeeze, is Unsqueeze, is Transpose, is Expand:
      return unchanged(node.inputs[0])
    default: return value
    }
  }
}
