import Crest
import CrestPlatform
import Synchronization

/// Signals that ask for the end, from the start of the process to its end.
///
/// As long as there is nothing to end in order, the first one ends the process. While a learner runs, the first
/// one asks it to end in order, and those that follow, as from a doubled Ctrl-C or from `timeout`, which signals
/// the process and then its group, say only that this is being done; one that comes 5 s after the first ends the
/// process at once. Once training is over, what is being written is finished.
enum Interruption {
  /// A signal that asks for the end.
  private struct Request {
    let signal: CInt
    /// Whether who starts the process may have it ignored, as `nohup` does.
    let mayBeIgnored: Bool
  }

  private static let requests = [
    // Shells start what runs in the background with SIGINT ignored, which is not meant for one who sends it.
    Request(signal: SIGINT, mayBeIgnored: false), Request(signal: SIGTERM, mayBeIgnored: false),
    Request(signal: SIGHUP, mayBeIgnored: true),
  ]

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

  /// When the end was asked for; nil until then.
  static var askedAt: ContinuousClock.Instant? { state.withLock { $0.first } }

  /// Takes the signals over from the system.
  ///
  /// They are blocked in all threads, which are made after this, and waited for in one of their own: so none gets
  /// lost between two states, and what receives them may do more than a signal's handler.
  static func begin() {
    // A file that becomes larger than the system allows is an error of writing like others.
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
    // Without the thread the signals do what they do to any process.
    if status != 0 { pthread_sigmask(SIG_UNBLOCK, &signals, nil) }
  }

  /// The signals that are taken over: all but those that shall stay ignored.
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
        return ("Error: ended at once, while \(what)\n", true)
      }
      return ("Note: \(what); a signal after 5 s ends crest at once\n", false)
    }
    if let text { StandardError.write(text) }
    if isLast { _exit(FailureCode.interrupted.rawValue) }
  }
}
