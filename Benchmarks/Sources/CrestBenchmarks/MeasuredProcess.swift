import Foundation

/// A process that was started, measured something and has ended.
struct MeasuredProcess {
  let measurement: Measurement
  /// From the process's start to the end of its first step, in seconds; NaN when it only ran epochs.
  let firstStep: Double

  /// Runs a program that prints `first` after the first step of ``Scope/step`` and a ``Measurement`` at the end.
  ///
  /// - Throws: ``MeasuringError`` when it ends otherwise.
  init(_ executable: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: executable)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    // A file, since a pipe that nobody reads would stop a program that complains at length.
    let complaints = FileManager.default.temporaryDirectory
      .appending(path: "crest-benchmarks-\(UUID().uuidString)")
    try Data().write(to: complaints)
    defer { try? FileManager.default.removeItem(at: complaints) }
    process.standardError = try FileHandle(forWritingTo: complaints)
    let start = ContinuousClock.now
    try process.run()
    var first: Duration?
    var text = ""
    while case let data = output.fileHandleForReading.availableData, !data.isEmpty {
      text += String(decoding: data, as: UTF8.self)
      if first == nil, text.contains("first\n") { first = start.duration(to: .now) }
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0,
      let line = text.split(separator: "\n").last,
      let result = try? JSONDecoder().decode(Measurement.self, from: Data(line.utf8))
    else {
      let complaint = try String(decoding: Data(contentsOf: complaints), as: UTF8.self)
      throw MeasuringError(
        command: ([executable] + arguments).joined(separator: " "),
        status: process.terminationStatus, complaint: complaint.isEmpty ? text : complaint)
    }
    measurement = result
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
  let status: Int32
  let complaint: String

  var description: String { "\(command) ended with status \(status): \(complaint)" }

  /// The last line it complained with, which is where Python says what went wrong.
  var reason: String {
    complaint.split(separator: "\n").last.map(String.init) ?? "status \(status)"
  }
}
