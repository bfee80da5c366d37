import CrestGraph

/// An operation that only compiled programs have; rows are followed before.
protocol CompiledOperation: GraphOperation {}

extension CompiledOperation {
  func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    throw .unknown("is of a compiled program")
  }
}
