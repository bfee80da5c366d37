import CrestFiles
import CrestPlatform

/// Runs a program; if it throws an error, prints the message and exits with code 1.
///
/// ```swift
/// reportingErrors {
///   let data = try DataSource("cifar-10").load()
/// }
/// ```
///
/// Without it, an uncaught error ends a program with a crash report in which the message is hard to
/// find.
public func reportingErrors(_ program: () throws -> Void) {
  do { try program() } catch {
    // What was printed before stays before the message.
    fflush(nil)
    // There is nowhere left to report a failure to.
    _ = SystemFiles.writeAll(Array("Error: \(error)\n".utf8), to: STDERR_FILENO)
    exit(EXIT_FAILURE)
  }
}
