/// Ends the program because of a mistake in its code.
///
/// For mistakes that the caller can know without looking at data or files; those cause typed errors
/// instead. Prints the message, file and line to standard error in release builds too, where
/// `preconditionFailure` prints nothing.
public func programmerError(
  _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
  fatalError(message(), file: file, line: line)
}

/// Ends the program by ``programmerError(_:file:line:)`` unless a condition holds.
public func programmerError(
  unless condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  guard condition else { programmerError(message(), file: file, line: line) }
}
