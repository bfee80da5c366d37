import CrestGraph
import CrestLayers
package import CrestRuntime
import CrestTensor
public import CrestTraining

/// Takes the mean over its inputs from the gradient of each output of a weight.
///
///     g ← g - mean of g over all axes but that of the outputs      of weights of two or more dimensions
///
/// It comes after `GradientAccumulation` and before clips, and remembers nothing. Yong and others, *Gradient Centralization*,
/// 2020; `use_gc` of Ranger21.
public final class GradientCentralization: Callback {
  /// Centralises the gradients of all weights.
  public init() {}

  /// Before each optimiser step.
  public var hooks: [Hook] { [.beforeStep(centralize)] }
  /// After what adds gradients up, before clips.
  public var order: Int { CallbackOrder.centralization }
  /// That it is there.
  public var settings: [String: String] { ["centralizes": "true"] }

  private func centralize(_ batch: BatchContext) {
    let store = batch.learner.model.store
    let frozen = batch.learner.frozen
    store.withBuffer(.gradients) { gradients in
      for entry in store.parameters
      where entry.role == .weight && entry.shape.rank > 1 && !frozen.contains(entry.name) {
        OutputUnits(entry, of: store).forEach { unit in
          var sum = 0.0
          for index in unit { sum += Double(gradients[index]) }
          let mean = Float(sum / Double(unit.count))
          for index in unit { gradients[index] -= mean }
        }
      }
    }
  }
}

/// The places of a parameter's numbers, for each of its outputs.
package struct OutputUnits {
  private let start: Int
  private let outer: Int
  private let outputs: Int
  private let inner: Int

  package init(_ entry: ParameterStore.Entry, of store: ParameterStore) {
    start = entry.range.lowerBound
    guard entry.shape.rank > 1 else {
      (outer, outputs, inner) = (1, 1, entry.shape.elementCount)
      return
    }
    let axis = store.uses.outputAxis(of: entry.name)
    outputs = entry.shape[axis]
    outer = entry.shape.dimensions[..<axis].reduce(1, *)
    inner = entry.shape.dimensions[(axis + 1)...].reduce(1, *)
  }

  package func forEach(_ body: ([Int]) -> Void) {
    guard outer * inner > 0 else { return }
    for output in 0..<outputs {
      body(
        (0..<outer).flatMap { block in
          let first = start + (block * outputs + output) * inner
          return Array(first..<first + inner)
        })
    }
  }
}
