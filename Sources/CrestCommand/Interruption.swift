import Crest
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// SIGINT and SIGTERM, from the start of the process to its end.
///
/// As long as there is nothing to end in order, the first one ends the process. While a learner runs, the first
/// one asks it to end in order, and those that follow, as from a doubled Ctrl-C or from `timeout`, which signals
/// the process and then its group, say only that this is being done; one that comes 5 s after the first ends the
/// process at once. Once training is over, what is being written is finished.
enum Interruption {
  /// What is done when a signal comes.
  private enum Stage {
    /// Nothing that could be saved.
    case idle
    /// A learner works, and is asked to end; `meanwhile` says what it does until then.
    case running(InterruptionFlag, meanwhile: String)
    /// The work is done and its results are being written.
    case finishing(String)
  }

  private struct State {
    var stage = Stage.idle
    var first: ContinuousClock.Instant?
  }

  private static let state = Mutex(State())
  /// How long repeats of the first signal count as the same.
  private static let patience = Duration.seconds(5)

  /// Takes the signals over from the system.
  ///
  /// They are blocked in all threads, which are made after this, and waited for in one of their own: so none gets
  /// lost between two states, and what receives them may do more than a signal's handler.
  static func begin() {
    // A file that becomes larger than the system allows is an error of writing like others.
    signal(SIGXFSZ, SIG_IGN)
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    guard pthread_sigmask(SIG_BLOCK, &signals, nil) == 0 else { return }
    // Shells start what runs in the background with SIGINT ignored.
    signal(SIGINT, SIG_DFL)
    signal(SIGTERM, SIG_DFL)
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
    // Without the thread the signals do what they do to any process.
    if status != 0 { pthread_sigmask(SIG_UNBLOCK, &signals, nil) }
  }

  /// Runs `body` with signals leading to `learner`, and from then on lets what follows finish.
  ///
  /// - Parameters:
  ///   - learner: What is asked to end.
  ///   - meanwhile: What it does between being asked and its end, as in `the run is being saved`.
  ///   - body: Its work.
  /// - Returns: What `body` returns.
  static func around<Result>(
    _ learner: Learner, meanwhile: String, _ body: () throws -> Result
  ) rethrows -> Result {
    // That nobody reads the results any more is reported, and is no reason to lose a run.
    signal(SIGPIPE, SIG_IGN)
    state.withLock { $0.stage = .running(learner.interruption, meanwhile: meanwhile) }
    defer { finish("the end of the run is being written") }
    return try body()
  }

  /// Lets signals wait for what is being written; one that has come already is told of.
  ///
  /// - Parameter what: What is being done, as in `the network is being written`.
  static func finish(_ what: String) {
    state.withLock { $0.stage = .finishing(what) }
  }

  private static func wait() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    while true {
      var number: CInt = 0
      if sigwait(&signals, &number) == 0 { receive() }
    }
  }

  private static func receive() {
    let text = state.withLock { state -> String? in
      let now = ContinuousClock.now
      let first = state.first
      state.first = first ?? now
      let what: String
      switch state.stage {
      case .idle: _exit(FailureCode.interrupted.rawValue)
      case .running(let flag, let meanwhile):
        guard first != nil else {
          flag.raise()
          return nil
        }
        what = meanwhile
      case .finishing(let written): what = written
      }
      if let first, now - first >= patience {
        StandardError.write("Error: ended at once, while \(what)\n")
        _exit(FailureCode.interrupted.rawValue)
      }
      return what
    }
    if let text {
      StandardError.write("Note: \(text); a signal after 5 s ends crest at once\n")
    }
  }
}
