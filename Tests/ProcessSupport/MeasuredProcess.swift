import Foundation

/// How a process ended, and what it took.
package struct MeasuredProcess: Sendable {
  /// The exit code; nil when a signal ended it.
  package let exitCode: Int32?
  /// The most memory it had, in KiB.
  package let peakKibibytes: Int
  package let seconds: Double

  /// A process can't be started or waited for.
  package struct Failure: Error {
    package let path: String
    package let reason: String
  }

  /// Runs a program by `measurer`, which is the command `onnx-campaign`: a process that is small
  /// itself.
  package init(measurer: Executable, _ path: String, _ arguments: [String]) throws {
    let result = try measurer.run(["measure", path] + arguments)
    let words = result.output.split(whereSeparator: \.isWhitespace)
    guard words.count == 3, let code = Int32(words[0]), let peak = Int(words[1]),
      let time = Double(words[2])
    else { throw Failure(path: measurer.path, reason: "\(result.end): \(result.error)") }
    (exitCode, peakKibibytes, seconds) = (code < 0 ? nil : code, peak, time)
  }

  /// The exit code, or -1, the peak in KiB and the seconds.
  package var numbers: String { "\(exitCode ?? -1) \(peakKibibytes) \(seconds)" }

  /// Runs a program without input, its output thrown away.
  ///
  /// By `wait4`, since Foundation waits for its processes itself and keeps nothing of what they took.
  package init(_ path: String, _ arguments: [String]) throws {
    var actions: posix_spawn_file_actions_t = .init()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for descriptor: Int32 in 1...2 {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
    }
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process = pid_t()
    let start = Self.now
    let code = posix_spawn(&process, path, &actions, nil, &words, environ)
    guard code == 0 else { throw Failure(path: path, reason: String(cString: strerror(code))) }
    var status: Int32 = 0
    var usage = rusage()
    while wait4(process, &status, 0, &usage) < 0 {
      guard errno == EINTR else {
        throw Failure(path: path, reason: String(cString: strerror(errno)))
      }
    }
    seconds = Self.now - start
    // The lower seven bits are the signal's number.
    exitCode = status & 0x7F == 0 ? status >> 8 & 0xFF : nil
    #if canImport(Darwin)
      peakKibibytes = usage.ru_maxrss >> 10
    #else
      peakKibibytes = usage.ru_maxrss
    #endif
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
