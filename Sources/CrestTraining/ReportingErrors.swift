import CrestFiles
import CrestPlatform

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
    // There is nowhere left to report a failure to.
    _ = SystemFiles.writeAll(Array("Error: \(error)\n".utf8), to: STDERR_FILENO)
    exit(EXIT_FAILURE)
  }
}
