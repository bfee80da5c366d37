import CrestGraph
import Synchronization

/// Which weights of a model feed a ReLU first, for ``Initializer/automatic``.
///
/// A parameter is declared before anything reads it, but its value is drawn only after the whole
/// model has been traced. So weights declared while a plan is current keep the plan and ask it
/// then.
final class InitializationPlan: Sendable {
  /// The plan of the model that is being traced by this task.
  @TaskLocal static var current: InitializationPlan?

  private let rectified = Mutex<Set<String>>([])

  /// Whether the product with this weight reaches a ReLU first.
  func meetsRectifier(_ name: String) -> Bool { rectified.withLock { $0.contains(name) } }

  /// Finds in a traced model where each weight's product goes.
  func study(_ graph: Graph) {
    // Nodes come after their inputs, so one pass from the end visits every value.
    var rectified: Set<Graph.ValueID> = []
    var names: Set<String> = []
    for node in graph.nodes.reversed() {
      let keepsScale = node.operation.keepsScale
      let outputMeets = rectified.contains(node.outputs[0])
      if node.function == .relu || keepsScale && outputMeets { rectified.formUnion(node.inputs) }
      guard outputMeets, !keepsScale else { continue }
      for input in node.inputs {
        guard case .variable(let number) = graph.values[input.index].origin,
          graph.variables[number].role == .weight
        else { continue }
        names.insert(graph.variables[number].name)
      }
    }
    self.rectified.withLock { $0 = names }
  }
}
