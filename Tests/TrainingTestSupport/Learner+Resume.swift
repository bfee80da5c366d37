package import CrestState
package import CrestTraining

extension Learner {
  /// A whole run.
  ///
  /// - Returns: The state after each batch and each epoch, and at the end.
  package func fitSavingStates(epochs: Int) throws -> (states: [RunState], end: RunState) {
    var states: [RunState] = []
    let save = CallbackOf(
      .afterBatch { states.append(try $0.learner.runState()) },
      .afterEpoch { states.append(try $0.learner.runState()) }, name: "Save", order: .max)
    try fit(epochs: epochs, callbacks: [save])
    return (states, try stateAtEnd())
  }

  /// The end of a run that goes on from `state`, which was read from what messages call `path`.
  package func fitResuming(
    from state: RunState, path: String, epochs: Int
  ) throws -> RunState {
    let resume = CallbackOf(
      .beforeFit { $0.resume(from: try Resumption(path: path, state: state)) }, name: "Resume")
    try fit(epochs: epochs, callbacks: [resume])
    return try stateAtEnd()
  }

  /// The state after a fit, with all that the fit says it came to.
  package func stateAtEnd() throws -> RunState {
    var state = try runState()
    // Reports by name, as dictionaries of the same content may be in any order.
    state.fields["fitResult"] = .text(
      fitResult.map { result in
        "\(result.origin) \(result.epoch) \(String(describing: result.train)) "
          + "\(String(describing: result.validation)) \(result.results.learningRate) "
          + "\(result.reports.sorted { $0.key < $1.key })"
      } ?? "none")
    return state
  }
}
