import CrestFiles
import CrestPlatform
import Dispatch
import Synchronization

/// The output that can't be written.
struct OutputError: Error, Equatable, CustomStringConvertible {
  let target: String
  /// The reason, and what to do.
  let reason: String

  /// The failure of standard output with `errno`.
  init(standardOutput code: CInt) {
    target = "standard output"
    let text = systemMessage(code)
    reason =
      switch code {
      case ETIMEDOUT: "its reader has stopped reading"
      case ENOSPC, EDQUOT, EFBIG: "\(text); \(OutputFailure.advice(code))"
      default: text
      }
  }

  /// The failure of the system call on a file or folder that has just returned.
  init(path: String) { self.init(OutputFailure(path: path)) }

  /// The failure of a file.
  init(_ failure: OutputFailure) {
    target = failure.path.isEmpty ? "\"\"" : failure.path
    reason = failure.explanation
  }

  var description: String { "\(target) can't be written: \(reason)" }
}

/// Results; names in them come from files of others.
enum StandardOutput {
  private static let stream = StandardStream(STDOUT_FILENO)

  static func write(_ text: String) throws(OutputError) {
    try writeOwn(text.shown(keepingLines: true))
  }

  /// Writes text in which nothing comes from others, as it is.
  static func writeOwn(_ text: String) throws(OutputError) {
    let code = stream.write(text)
    guard code == 0 else { throw OutputError(standardOutput: code) }
  }
}

/// Progress and errors.
enum StandardError {
  private static let stream = StandardStream(STDERR_FILENO)

  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Writes and ignores failures: there is nowhere left to report one.
  static func write(_ text: String) { _ = stream.write(text.shown(keepingLines: true)) }

  /// Writes the live line of a terminal, which moves the cursor.
  static func writeLive(_ text: String) { _ = stream.write(text) }
}

/// A standard stream that a separate thread writes to.
///
/// A reader may stop reading, as a pager or a stopped terminal does, and writing then waits. After
/// a signal to end the process, nothing waits longer than a second, so that a run can be saved.
private final class StandardStream: Sendable {
  /// The text to write, and the result.
  private final class Job: Sendable {
    let stream: StandardStream
    let text: String
    let isDone = DispatchSemaphore(value: 0)
    let code = Mutex<CInt>(0)

    init(_ text: String, to stream: StandardStream) { (self.text, self.stream) = (text, stream) }

    func run() {
      let written = stream.turn.withLock { _ in
        SystemFiles.writeAll(Array(text.utf8), to: stream.descriptor)
      }
      code.withLock { $0 = written }
      isDone.signal()
    }
  }

  private let descriptor: CInt
  private let turn = Mutex<Void>(())
  /// Whether writing has stopped because the reader has stopped reading.
  private let isStuck = Mutex(false)
  private static let patience = Duration.seconds(1)

  init(_ descriptor: CInt) { self.descriptor = descriptor }

  /// Writes all of `text`.
  ///
  /// - Returns: 0, `errno`, or `ETIMEDOUT` if the process is ending and nobody reads.
  func write(_ text: String) -> CInt {
    guard !isStuck.withLock({ $0 }) else { return ETIMEDOUT }
    let job = Job(text, to: self)
    // Where the system has no thread left, what is to be said is more than what it may have to wait for. A queue of
    // Dispatch would wait for one without end.
    if !Self.isStarted(job) { job.run() }
    let start = ContinuousClock.now
    while job.isDone.wait(timeout: .now() + .milliseconds(20)) == .timedOut {
      guard let asked = Interruption.askedAt,
        ContinuousClock.now - max(asked, start) > Self.patience
      else { continue }
      isStuck.withLock { $0 = true }
      return ETIMEDOUT
    }
    return job.code.withLock { $0 }
  }

  /// Runs a job on a thread of its own; false when there can be none.
  private static func isStarted(_ job: Job) -> Bool {
    let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
    defer { attributes.deallocate() }
    guard pthread_attr_init(attributes) == 0 else { return false }
    defer { pthread_attr_destroy(attributes) }
    pthread_attr_setdetachstate(attributes, CInt(PTHREAD_CREATE_DETACHED))
    // Little, since a process may be at its limit just when it has something to say.
    pthread_attr_setstacksize(attributes, 1 << 18)
    let argument = Unmanaged.passRetained(job)
    #if canImport(Darwin)
      var thread: pthread_t?
      let status = pthread_create(
        &thread, attributes,
        { argument in
          Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run()
          return nil
        }, argument.toOpaque())
    #else
      var thread = pthread_t()
      let status = pthread_create(
        &thread, attributes,
        { argument in
          if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run() }
          return nil
        }, argument.toOpaque())
    #endif
    if status != 0 { argument.release() }
    return status == 0
  }
}

/// Replaces the file at `path` with `text` atomically; follows links, and writes to pipes and
/// devices.
func writeFile(_ text: String, to path: String) throws(OutputError) {
  try writeFile(Array(text.utf8), to: path)
}

/// Replaces the file at `path` with `bytes` atomically; follows links, and writes to pipes and
/// devices.
func writeFile(_ bytes: [UInt8], to path: String) throws(OutputError) {
  do throws(OutputFailure) { try OutputFile.write(bytes, to: path) } catch {
    throw OutputError(error)
  }
}
