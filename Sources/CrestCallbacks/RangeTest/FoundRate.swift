import CrestState
package import CrestTraining

/// Keeps the highest learning rate that was found in checkpoints, so that a resumed run needs no new search.
package final class FoundRate: StatefulCallback {
  /// The rate.
  package struct State: Codable, Sendable, Hashable {
    package let maxLR: Double
  }

  package var state: State

  /// Keeps a rate.
  package init(_ maxLR: Double) { state = State(maxLR: maxLR) }

  package var name: String { Self.name }
  package var hooks: [Hook] { [] }

  package func objection(to state: State, in learner: Learner) -> String? {
    state.maxLR == self.state.maxLR ? nil : "the rate \(self.state.maxLR), which was found"
  }

  private static let name = "AutomaticLR"

  /// The rate of the run that one of the callbacks will resume; nil if there is none.
  ///
  /// - Throws: `CheckpointError` as a fit with that callback does.
  package static func saved(among callbacks: [any Callback]) throws -> Double? {
    for case let backup as BackupAndRestore in callbacks {
      let field = try backup.savedField(["callbacks", name, "state", "maxLR"])
      if case .number(let rate)? = field { return rate }
    }
    return nil
  }
}
