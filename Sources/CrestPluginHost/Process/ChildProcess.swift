import CCrestPluginHost
import CrestFiles
import CrestPlatform
import CrestTensor

/// A program in a separate process, with pipes that are never waited for without a deadline; whatever it starts ends
/// with it.
package final class ChildProcess {
  /// What a program is started with.
  struct Start {
    var program: String
    var arguments: [String]
    var environment: [String]
    var memoryBytes: UInt64 = 0
    var processorSeconds: UInt64 = 0
    /// Descriptors that it gets beside its streams, under the numbers from 3 on.
    private(set) var passed: [CInt] = []

    init(
      program: String, arguments: [String], environment: [String], memoryBytes: UInt64 = 0,
      processorSeconds: UInt64 = 0
    ) {
      self.program = program
      self.arguments = arguments
      self.environment = environment
      self.memoryBytes = memoryBytes
      self.processorSeconds = processorSeconds
    }

    /// Passes a descriptor on; the path that leads to it there.
    mutating func pass(_ descriptor: CInt) -> String {
      passed.append(descriptor)
      return "/proc/self/fd/\(2 + passed.count)"
    }
  }

  /// Why it can't be used any more.
  package enum Fault: Error, Equatable {
    /// It can't be started.
    case start(String)
    /// It ended, and how.
    case ended(String)
    /// It did not answer in time.
    case tooSlow(seconds: Double)
    /// It wrote a line that is too long.
    case lineTooLong(limit: Int)
    /// It sent an invalid message, or reported a failure.
    case misbehaved(String)
  }

  /// The longest line that is read.
  static let lineLimit = 1 << 20
  /// How long its end is waited for, in milliseconds: processes that are being killed may wait for a disk.
  private static let endPatience: CInt = 5000
  /// What marks its environment and that of all it starts.
  static let mark = "CREST_PLUGIN_COOKIE"

  /// The number in its mark, which nobody else knows.
  let cookie: String
  private var child = crest_child()
  private var isRunning = false
  private let input: CInt
  private let output: CInt
  private let errors: CInt
  private var errorsAreOpen = true
  private var buffer: [UInt8]
  private var unread = 0..<0
  private var errorLine: [UInt8] = []
  private var wakefulness = Wakefulness()
  private let onErrorLine: (String) -> Void

  /// Starts a program; `onErrorLine` gets the lines of its standard error.
  init(_ start: Start, onErrorLine: @escaping (String) -> Void) throws(Fault) {
    var pipes: [CInt] = []
    for _ in 0..<3 {
      var ends: [CInt] = [0, 0]
      guard crest_pipe(&ends) == 0 else {
        let reason = systemMessage()
        for descriptor in pipes { close(descriptor) }
        throw .start(reason)
      }
      pipes += ends
    }
    let (childInput, childOutput, childErrors) = (pipes[0], pipes[3], pipes[5])
    (input, output, errors) = (pipes[1], pipes[2], pipes[4])
    for end in [input, output, errors] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
    let cookie = String(UInt64.random(in: .min ... .max), radix: 16)
    self.cookie = cookie
    var child = crest_child()
    let status = withCStrings(start.arguments) { arguments in
      withCStrings(start.environment + ["\(Self.mark)=\(cookie)"]) { environment in
        start.program.withCString { program in
          start.passed.withUnsafeBufferPointer { passed in
            var request = crest_start(
              program: program, arguments: arguments, environment: environment, input: childInput,
              output: childOutput, error: childErrors, passed: passed.baseAddress,
              passed_count: passed.count, memory_bytes: start.memoryBytes,
              cpu_seconds: start.processorSeconds)
            return crest_start_process(&request, &child)
          }
        }
      }
    }
    for end in [childInput, childOutput, childErrors] { close(end) }
    buffer = [UInt8](repeating: 0, count: 1 << 16)
    self.onErrorLine = onErrorLine
    guard status == 0 else { throw .start(systemMessage(status)) }
    self.child = child
    isRunning = true
  }

  deinit {
    end()
    for end in [output, errors] { close(end) }
  }

  private var inputIsOpen = true

  /// Closes its input, gives it a moment to end, and ends it.
  private func end() {
    closeInput()
    let deadline = Deadline(seconds: 1)
    while isRunning, !deadline.hasPassed {
      if wait(milliseconds: 1) != nil { return }
      drainErrors()
    }
    kill()
  }

  /// Says that there is nothing more to come.
  func closeInput() {
    guard inputIsOpen else { return }
    inputIsOpen = false
    close(input)
  }

  /// Ends it and all it started, at once; how it ended.
  @discardableResult
  func kill() -> String? {
    guard isRunning else { return nil }
    isRunning = false
    var status: CInt = 0
    let result = crest_child_end(&child, Self.endPatience, &status)
    // Its supervisor was killed, which only somebody who means to do that does.
    if result < 0 { crest_end_processes_with("\(Self.mark)=\(cookie)") }
    return result == 1 ? Self.text(status) : nil
  }

  /// How it ended, if it has, or does within so many milliseconds; what it started has ended then, too.
  private func wait(milliseconds: CInt) -> String? {
    guard isRunning else { return nil }
    var status: CInt = 0
    let result = crest_child_has_ended(&child, milliseconds, &status)
    if result == 0 { return nil }
    kill()
    return result > 0 ? Self.text(status) : "ended"
  }

  private static func text(_ status: CInt) -> String {
    let signal = status & 0x7F
    return signal == 0
      ? "ended with exit code \(status >> 8 & 0xFF)"
      : "ended by signal \(signal) (\(String(cString: strsignal(signal))))"
  }

  /// Writes all of `bytes`.
  func write(_ bytes: [UInt8], by deadline: Deadline) throws(Fault) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { bytes in
        crest_write_pipe(input, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      }
      if count > 0 {
        done += count
      } else if errno == EAGAIN {
        try waitFor(input, Int16(POLLOUT), by: deadline)
      } else if errno != EINTR {
        throw ended()
      }
    }
  }

  /// The next line, without its line feed.
  func readLine(by deadline: Deadline) throws(Fault) -> ArraySlice<UInt8> {
    var searched = unread.lowerBound
    while true {
      if let end = buffer[searched..<unread.upperBound].firstIndex(of: 0x0A) {
        defer { unread = end + 1..<unread.upperBound }
        return buffer[unread.lowerBound..<end]
      }
      if unread.count >= Self.lineLimit { throw .lineTooLong(limit: Self.lineLimit) }
      makeRoom()
      // Not before the first time: what came in time counts, even if this process slept.
      if searched < unread.upperBound { try deadline.check() }
      searched = unread.upperBound
      try fill(by: deadline)
    }
  }

  /// Whether a line, or a part of one, is there already.
  func hasOutput() -> Bool {
    if !unread.isEmpty { return true }
    var poll = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    return systemPoll(&poll, 1, 0) > 0 && poll.revents & Int16(POLLIN) != 0
  }

  /// All it writes until it ends, up to `limit` bytes, and how it ended.
  func readToEnd(limit: Int, by deadline: Deadline) throws(Fault) -> (bytes: [UInt8], end: String) {
    while unread.count < limit {
      makeRoom()
      do throws(Fault) {
        try fill(by: deadline)
      } catch .ended(let end) {
        return (Array(buffer[unread]), end)
      }
    }
    throw .lineTooLong(limit: limit)
  }

  private func makeRoom() {
    guard unread.upperBound == buffer.count else { return }
    if unread.lowerBound > 0 {
      buffer.replaceSubrange(0..<unread.count, with: Array(buffer[unread]))
      unread = 0..<unread.count
    } else {
      buffer += [UInt8](repeating: 0, count: buffer.count)
    }
  }

  private func fill(by deadline: Deadline) throws(Fault) {
    var isAwake = wakefulness.begin()
    while true {
      let room = unread.upperBound..<buffer.count
      let count = buffer.withUnsafeMutableBytes { bytes in
        crest_read_soon(
          output, bytes.baseAddress.map { $0 + room.lowerBound }, room.count,
          isAwake ? Wakefulness.nanoseconds : 0)
      }
      if count > 0 {
        if isAwake { wakefulness.note(isAnswered: true) }
        unread = unread.lowerBound..<unread.upperBound + count
        return
      }
      if count == 0 { throw ended() }
      if errno == EAGAIN {
        if isAwake { wakefulness.note(isAnswered: false) }
        isAwake = false
        try waitFor(output, Int16(POLLIN), by: deadline)
      } else if errno != EINTR {
        throw ended()
      }
    }
  }

  /// Waits until `descriptor` is ready, and hears what goes to standard error meanwhile.
  private func waitFor(_ descriptor: CInt, _ events: Int16, by deadline: Deadline) throws(Fault) {
    while true {
      var polls = [
        pollfd(fd: descriptor, events: events, revents: 0),
        pollfd(fd: errorsAreOpen ? errors : -1, events: Int16(POLLIN), revents: 0),
      ]
      let count = systemPoll(&polls, 2, deadline.milliseconds)
      if count < 0 && errno != EINTR { throw ended() }
      if count > 0 && polls[1].revents != 0 { drainErrors() }
      if count > 0 && polls[0].revents != 0 { return }
      try deadline.check()
    }
  }

  /// Takes what it wrote to standard error.
  func drainErrors() {
    guard errorsAreOpen else { return }
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    // Bounded: it may write faster than we read.
    for _ in 0..<16 {
      let count = chunk.withUnsafeMutableBytes { read(errors, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      if count < 0 { return }
      if count == 0 {
        errorsAreOpen = false
        if !errorLine.isEmpty { hearLine() }
        return
      }
      for byte in chunk.prefix(count) {
        if byte == 0x0A || errorLine.count == 4096 { hearLine() }
        if byte != 0x0A { errorLine.append(byte) }
      }
    }
  }

  private func hearLine() {
    onErrorLine(String(decoding: errorLine, as: UTF8.self))
    errorLine = []
  }

  /// It has closed its side: how it ended, at the latest now.
  private func ended() -> Fault {
    drainErrors()
    // On a busy machine a process takes its time from closing its files to its end.
    if let end = wait(milliseconds: 1000) {
      drainErrors()
      return .ended(end)
    }
    kill()
    return .ended("closed its output without ending, and was killed")
  }
}

/// Calls `body` with texts as C wants them: pointers with a null at the end.
func withCStrings<Result>(
  _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var pointers = texts.map { strdup($0) } + [nil]
  defer { for pointer in pointers { free(pointer) } }
  return pointers.withUnsafeMutableBufferPointer { pointers in
    guard let start = pointers.baseAddress else { programmerError("a list without its end") }
    return body(start)
  }
}

// The system's own, which methods hide.
private func systemPoll(_ polls: UnsafeMutablePointer<pollfd>, _ count: nfds_t, _ time: CInt)
  -> CInt
{
  poll(polls, count, time)
}
