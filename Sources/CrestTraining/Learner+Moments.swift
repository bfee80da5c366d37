import CrestLayers
import CrestOptimizers
import CrestPlatform
import CrestRuntime

extension Learner {
  /// The optimiser's moments; made when they are needed, since to measure takes none.
  var moments: ParameterStore.Moments {
    if let madeMoments { return madeMoments }
    let moments = newMoments
    madeMoments = moments
    return moments
  }

  /// Resets the optimiser's state.
  func resetMoments() {
    madeMoments = newMoments
    stepsSinceReset = 0
  }

  private var newMoments: ParameterStore.Moments {
    model.store.makeMoments(count: optimizer.momentCount, numbers: optimizer.numberCount)
  }

  /// Refuses moments that take more memory than there is, before any is taken.
  func checkMomentMemory() throws(LearnerError) {
    guard madeMoments == nil else { return }
    let count = model.store.withBuffer(.parameters) { $0.count }
    let (byteCount, overflow) = (count * 4).multipliedReportingOverflow(by: optimizer.momentCount)
    let memory = AvailableMemory.byteCount()
    guard !overflow, byteCount <= memory else {
      throw .momentsTooLarge(
        optimizer: optimizer.name, byteCount: overflow ? .max : byteCount, memory: memory)
    }
  }
}
