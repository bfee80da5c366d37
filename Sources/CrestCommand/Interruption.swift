import Crest
import CrestPlatform
import Synchronization

/// Handles the signals that end the process, throughout its lifetime.
///
/// While there is nothing to save, the first signal ends the process. While a learner runs, the
/// first signal interrupts it. Repeated signals, as from a doubled Ctrl-C or from `timeout`, which
/// signals the process and then its group, only print that the run is ending; a signal that comes 5
/// s after the first ends the process at once. After training, whatever is being written is
/// finished.
enum Interruption {
  /// A signal that ends the process.
  private struct Request {
    let signal: CInt
    /// Whether the parent of the process may ignore it, as `nohup` does.
    let mayBeIgnored: Bool
  }

  private static let requests = [
    // Shells start background processes with SIGINT ignored, but an explicit SIGINT should still
    // work.
    Request(signal: SIGINT, mayBeIgnored: false), Request(signal: SIGTERM, mayBeIgnored: false),
    Request(signal: SIGHUP, mayBeIgnored: true),
  ]

  /// What to do when a signal arrives.
  private enum Stage {
    /// There is nothing to save.
    case idle
    /// A learner is running and will be interrupted; `meanwhile` says what it does until it ends.
    case running(Learner.InterruptionFlag, meanwhile: String)
    /// The work is done and its results are being written.
    case finishing(String)
  }

  private struct State {
    var stage = Stage.idle
    var first: ContinuousClock.Instant?
  }

  private static let state = Mutex(State())
  /// How long repeated signals count as the first one.
  private static let patience = Duration.seconds(5)

  /// When the first signal arrived; nil before.
  static var askedAt: ContinuousClock.Instant? { state.withLock { $0.first } }

  /// Takes the signals over from the system.
  ///
  /// They are blocked in all threads, which are created after this, and a separate thread waits for
  /// them. So none is lost between two states, and handling them isn't limited to what a signal
  /// handler may do.
  static func begin() {
    // A file that exceeds the system's size limit is a write error like any other.
    signal(SIGXFSZ, SIG_IGN)
    var signals = taken
    guard pthread_sigmask(SIG_BLOCK, &signals, nil) == 0 else { return }
    for request in requests where sigismember(&signals, request.signal) == 1 {
      signal(request.signal, SIG_DFL)
    }
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let status = pthread_create(
      &thread, nil,
      { _ in
        Interruption.wait()
        return nil
      }, nil)
    // Without the thread, the signals have their default effect.
    if status != 0 { pthread_sigmask(SIG_UNBLOCK, &signals, nil) }
  }

  /// The signals to take over: all except those that must stay ignored.
  private static let taken: sigset_t = {
    var signals = sigset_t()
    sigemptyset(&signals)
    for request in requests where !(request.mayBeIgnored && isIgnored(request.signal)) {
      sigaddset(&signals, request.signal)
    }
    return signals
  }()

  private static func isIgnored(_ number: CInt) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    #if canImport(Darwin)
      let handler = action.__sigaction_u.__sa_handler
    #elseif canImport(Musl)
      let handler = action.__sa_handler.sa_handler
    #else
      let handler = action.__sigaction_handler.sa_handler
    #endif
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Runs `body`, during which signals interrupt `learner`; afterwards, signals wait until the
  /// results are written.
  ///
  /// - Parameters:
  ///   - learner: The learner to interrupt.
  ///   - meanwhile: What it does between the signal and its end, as in `the run is being saved`.
  ///   - body: The learner's work.
  /// - Returns: What `body` returns.
  static func around<Result>(
    _ learner: Learner, meanwhile: String, _ body: () throws -> Result
  ) rethrows -> Result {
    // A closed standard output is reported, and is no reason to lose a run.
    signal(SIGPIPE, SIG_IGN)
    state.withLock { $0.stage = .running(learner.interruption, meanwhile: meanwhile) }
    defer { finish("the results of the run are being written") }
    return try body()
  }

  /// Lets signals wait for what is being written, and reports one that has already arrived.
  ///
  /// - Parameter what: What is being done, as in `the network is being written`.
  static func finish(_ what: String) {
    state.withLock { $0.stage = .finishing(what) }
  }

  private static func wait() {
    var signals = taken
    while true {
      var number: CInt = 0
      if sigwait(&signals, &number) == 0 { receive() }
    }
  }

  private static func receive() {
    let (text, isLast) = state.withLock { state -> (String?, Bool) in
      let now = ContinuousClock.now
      let first = state.first
      state.first = first ?? now
      let what: String
      switch state.stage {
      case .idle: _exit(FailureCode.interrupted.rawValue)
      case .running(let flag, let meanwhile):
        guard first != nil else {
          flag.raise()
          return (nil, false)
        }
        what = meanwhile
      case .finishing(let written): what = written
      }
      if let first, now - first >= patience {
        return ("Error: ended immediately, while \(what)\n", true)
      }
      return ("Note: \(what); a signal after 5 s ends crest immediately\n", false)
    }
    if let text { StandardError.write(text) }
    if isLast { _exit(FailureCode.interrupted.rawValue) }
  }
}
