import CrestTensor

extension Learner {
  /// Adds a callback to every fit from now on.
  ///
  /// - Precondition: no fit is running.
  public func add(_ callback: any Callback) {
    programmerError(unless: loop == nil, "\(callback.name) was added during a fit")
    callbacks.append(callback)
  }

  /// Removes a callback from every fit from now on, if it is there.
  ///
  /// - Precondition: no fit is running.
  public func remove(_ callback: any Callback) {
    programmerError(unless: loop == nil, "\(callback.name) was removed during a fit")
    callbacks.removeAll { $0 === callback }
  }

  /// Runs `body` with `callbacks` in place of the learner's own.
  ///
  /// - Precondition: no fit is running.
  public func withCallbacks<Result, Failure: Error>(
    _ callbacks: [any Callback], _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    programmerError(unless: loop == nil, "callbacks were exchanged during a fit")
    let own = self.callbacks
    self.callbacks = callbacks
    defer { self.callbacks = own }
    return try body()
  }
}
