import CrestTensor

/// The callbacks of a fit in their order, and what each alone may do in it.
struct CallbackRoles {
  /// Lower orders first, equals as they were added.
  let callbacks: [any Callback]
  /// Who sets a hyperparameter, by its place among the callbacks.
  private let owners: [Hyperparameter.Part: Int]
  /// Who reports a number, by its place among the callbacks.
  private let reporters: [String: Int]

  /// Finds contradictions: of two that set or report the same, the learner's `metrics` included.
  init(_ callbacks: [any Callback], besides metrics: [String]) throws(LearnerError) {
    self.callbacks = try Self.ordered(callbacks)
    var owners: [Hyperparameter.Part: Int] = [:]
    var reporters: [String: Int] = [:]
    for (place, callback) in self.callbacks.enumerated() {
      for part in callback.owns.sorted(by: { $0.description < $1.description }) {
        if let first = owners.updateValue(place, forKey: part) {
          throw .twoOwners(
            of: part, first: self.callbacks[first].name, second: callback.name)
        }
      }
    }
    for (place, callback) in self.callbacks.enumerated() {
      for name in callback.reports {
        guard !metrics.contains(name) else {
          throw .twoReporters(of: name, first: "the learner's metric", second: callback.name)
        }
        if let first = reporters.updateValue(place, forKey: name) {
          throw .twoReporters(
            of: name, first: self.callbacks[first].name, second: callback.name)
        }
      }
    }
    var stepReporters: [String: String] = [:]
    for callback in self.callbacks {
      for name in callback.stepReports {
        if let first = stepReporters.updateValue(callback.name, forKey: name) {
          throw .twoReporters(of: name, first: first, second: callback.name)
        }
      }
    }
    self.owners = owners
    self.reporters = reporters
  }

  /// Lower orders first, equals as they were added.
  static func ordered(_ callbacks: [any Callback]) throws(LearnerError) -> [any Callback] {
    var seen = Set<ObjectIdentifier>()
    for callback in callbacks where !seen.insert(ObjectIdentifier(callback)).inserted {
      throw .callbackAddedTwice(callback.name)
    }
    // By place too: the standard sort does not promise to be stable.
    return callbacks.enumerated()
      .sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
      .map(\.element)
  }

  /// The name of the callback that sets `part`; nil when none does.
  func owner(of part: Hyperparameter.Part) -> String? { owners[part].map { callbacks[$0].name } }

  /// Whether a callback reports `name`.
  func isReported(_ name: String) -> Bool { reporters[name] != nil }

  /// Traps unless `callback`, whose hook runs, declared that it reports `name`.
  func requireReporter(of name: String, _ callback: Int?) {
    programmerError(
      unless: callback != nil && reporters[name] == callback,
      "\(self.name(callback)) reports \(name), which only a callback that has it among its reports may do"
    )
  }

  /// Traps unless `callback`, whose hook runs, declared that it sets `part`.
  func requireOwner(of part: Hyperparameter.Part, _ callback: Int?) {
    programmerError(
      unless: callback != nil && owners[part] == callback,
      "\(self.name(callback)) sets \(part), which only a callback that owns it may do")
  }

  private func name(_ callback: Int?) -> String {
    callback.map { callbacks[$0].name } ?? "no callback"
  }
}
