import Dispatch
import Foundation
import ProcessSupport
import Synchronization

/// A program that runs in a folder.
struct Command {
  let executable: Executable
  let folder: URL

  /// Runs to the end, and returns the lines of standard output.
  ///
  /// SIGINT and SIGTERM are handed on, so that nothing goes on alone: `crest train` saves, and ends.
  ///
  /// - Throws: ``CommandFailure`` when its exit code isn't 0.
  @discardableResult
  func run(_ arguments: [String]) throws -> [String] {
    let run = try executable.start(arguments, in: folder)
    Interruptions.shared.handOn(to: run.processIdentifier)
    defer { Interruptions.shared.handOn(to: nil) }
    let result = try run.finish()
    guard result.status == 0 else {
      throw CommandFailure(
        command: ([executable.url.lastPathComponent] + arguments).joined(separator: " "),
        result: result)
    }
    return result.output.split(separator: "\n").map(String.init)
  }

  /// Runs to the end, and decodes the last line that was printed: an object of JSON.
  ///
  /// - Throws: As ``run(_:)`` does, and when the line is no such object.
  func result<Result: Decodable>(_ arguments: [String]) throws -> Result {
    try JSONDecoder().decode(Result.self, from: Data((run(arguments).last ?? "").utf8))
  }
}

/// A program that ended otherwise than with 0.
struct CommandFailure: Error, CustomStringConvertible {
  let command: String
  let result: ProcessResult

  private var complaints: [Substring] { result.error.split(separator: "\n") }

  var description: String {
    "\(command) ended with \(result.end): \(complaints.suffix(5).joined(separator: " "))"
  }

  /// Whether `crest train` ended because a loss was no finite number: a result, and no fault.
  var isDivergence: Bool {
    result.status == 65
      && complaints.contains {
        $0.contains(/loss is -?(nan|inf) in step .*; lower the learning rate/)
      }
  }
}

/// SIGINT and SIGTERM, handed on to the process that runs: one of Foundation's is in a group of its own, and hears nothing of
/// the terminal's Ctrl-C.
private final class Interruptions: Sendable {
  static let shared = Interruptions()

  private struct State {
    var child: pid_t?
    var last: CInt?
  }

  private let state = Mutex(State())
  // Held, and not used after it was made.
  nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

  private init() {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: .global())
    }
    for (number, source) in zip([SIGINT, SIGTERM], sources) {
      source.setEventHandler { [unowned self] in
        state.withLock { state in
          state.last = number
          if let child = state.child { kill(child, number) }
        }
      }
      source.resume()
    }
  }

  /// From now on to this process, to which a signal goes too that came while there was none.
  func handOn(to child: pid_t?) {
    state.withLock { state in
      state.child = child
      if let child, let last = state.last { kill(child, last) }
    }
  }
}
