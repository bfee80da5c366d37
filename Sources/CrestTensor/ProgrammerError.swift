/// Ends the program over a mistake in its code.
///
/// For what the caller of a function can know without data or files, which give typed errors instead. The
/// message, file and line go to standard error in release builds too, which `preconditionFailure` says
/// nothing in.
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
