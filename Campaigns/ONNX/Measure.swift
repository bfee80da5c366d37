import ArgumentParser
import ProcessSupport

/// Runs a program and says how it ended, in numbers.
///
/// A process of its own for this: Linux counts the memory of whoever starts a program as the program's.
struct Measure: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a program; print exit code, peak memory in KiB and seconds.",
    shouldDisplay: false)

  @Argument(parsing: .captureForPassthrough)
  var command: [String]

  func run() throws {
    guard let program = command.first else { throw ValidationError("a program to run is missing") }
    print(try MeasuredProcess(program, Array(command.dropFirst())).numbers)
  }
}
