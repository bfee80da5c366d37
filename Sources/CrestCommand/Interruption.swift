import Crest
import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// SIGINT and SIGTERM: the first asks a learner to end in order, a second one ends the process at once.
final class Interruption {
  private let requests = Requests()
  private let sources: [any DispatchSourceSignal]

  init() {
    sources = [SIGINT, SIGTERM].map { [requests] number in
      // A source sees the signal only if the signal's own action doesn't end the process first.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { requests.receive() }
      source.resume()
      return source
    }
  }

  /// Runs `body` with signals leading to `learner`; at other times there is nothing to end in order,
  /// and the first one ends the process.
  func around<Result>(_ learner: Learner, _ body: () throws -> Result) rethrows -> Result {
    requests.attach(learner.interruption)
    defer { requests.attach(nil) }
    return try body()
  }
}

private final class Requests: Sendable {
  private struct State {
    var flag: InterruptionFlag?
    var isAsked = false
  }

  private let state = Mutex(State())

  func attach(_ flag: InterruptionFlag?) {
    state.withLock { $0.flag = flag }
  }

  func receive() {
    let flag = state.withLock { state in
      defer { state.isAsked = true }
      return state.isAsked ? nil : state.flag
    }
    guard let flag else { _exit(FailureCode.interrupted.rawValue) }
    flag.raise()
  }
}
