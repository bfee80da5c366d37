import Synchronization

/// The callbacks of all fits that are running: what one remembers is of one fit at a time.
enum RunningCallbacks {
  private static let all = Mutex<Set<ObjectIdentifier>>([])

  /// Calls `body`, a fit with these callbacks.
  ///
  /// - Throws: `LearnerError.callbackInUse(_:)` when one of them is in another fit that is running.
  static func run<Result>(_ callbacks: [any Callback], _ body: () throws -> Result) throws -> Result
  {
    let own = callbacks.map { ObjectIdentifier($0) }
    let used = all.withLock { all in
      let used = own.firstIndex { all.contains($0) }
      if used == nil { all.formUnion(own) }
      return used
    }
    if let used { throw LearnerError.callbackInUse(callbacks[used].name) }
    defer { all.withLock { $0.subtract(own) } }
    return try body()
  }
}
