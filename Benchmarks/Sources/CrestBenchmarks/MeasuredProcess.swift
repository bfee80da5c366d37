import Foundation
import ProcessSupport

/// A process that was started, measured something and has ended.
struct MeasuredProcess {
  let measurement: Measurement
  /// From the process's start to the end of its first step, in seconds; NaN when it only ran epochs.
  let firstStep: Double

  /// Runs a program that prints `first` after the first step of ``Scope/step`` and a ``Measurement`` at the end.
  ///
  /// - Throws: ``MeasuringError`` when it ends otherwise.
  init(_ executable: Executable, _ arguments: [String]) throws {
    let start = ContinuousClock.now
    var first: Duration?
    var text = ""
    let run = try executable.start(arguments) { piece in
      text += piece
      if first == nil, text.contains("first\n") { first = start.duration(to: .now) }
    }
    let result = try run.finish()
    guard result.status == 0,
      let line = text.split(separator: "\n").last,
      let measurement = try? JSONDecoder().decode(Measurement.self, from: Data(line.utf8))
    else {
      throw MeasuringError(
        command: ([executable.path] + arguments).joined(separator: " "), end: result.end,
        complaint: result.error.isEmpty ? text : result.error)
    }
    self.measurement = measurement
    firstStep = first.map { $0 / .seconds(1) } ?? .nan
  }

  /// Seconds per step.
  ///
  /// - Precondition: the scope was measured.
  func seconds(_ scope: Scope) -> Double { result(scope).secondsPerStep }

  /// The largest size in bytes.
  ///
  /// - Precondition: the scope was measured.
  func peakBytes(_ scope: Scope) -> Double { Double(result(scope).peakBytes) }

  private func result(_ scope: Scope) -> Measurement.Result {
    guard let result = measurement.scopes[scope.rawValue] else {
      preconditionFailure("\(scope) was not measured, only \(measurement.scopes.keys)")
    }
    return result
  }
}

/// A process that did not measure what it was asked to.
struct MeasuringError: Error, CustomStringConvertible {
  let command: String
  let end: ProcessResult.End
  let complaint: String

  var description: String { "\(command) ended with \(end): \(complaint)" }

  /// The last line it complained with, which is where Python says what went wrong.
  var reason: String {
    complaint.split(separator: "\n").last.map(String.init) ?? "\(end)"
  }
}
