#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Runs a program, and of an error that it throws prints the message and ends the process with code 1.
///
/// ```swift
/// reportingErrors {
///   let data = try DataSource("cifar-10").load()
/// }
/// ```
///
/// An error that a `try` outside of it leaves to the system ends a program with a crash report, in which the message
/// is hard to find.
public func reportingErrors(_ program: () throws -> Void) {
  do { try program() } catch {
    // What was printed before stays before the message.
    fflush(nil)
    var message = Array("Error: \(error)\n".utf8)[...]
    while !message.isEmpty {
      let count = message.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      // There is nowhere left to report to.
      guard count > 0 else { break }
      message.removeFirst(count)
    }
    exit(EXIT_FAILURE)
  }
}
