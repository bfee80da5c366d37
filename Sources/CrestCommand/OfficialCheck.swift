import Crest
import Foundation

/// The result of ONNX's own checker for a file, run as a separate process because it crashes on
/// some files.
enum OfficialCheck: CustomStringConvertible {
  /// The checker accepts the file.
  case accepted
  /// The checker refuses the file or crashed on it.
  case refused(String)
  /// The checker was not run or gave no answer, and why.
  case notJudged(String)

  /// The newest opset that libonnx 1.12, Debian 12's, knows: newer ones it accepts without
  /// checking.
  private static let newestOpset: Int64 = 17
  private static let executable = "crest-onnx-check"

  /// Runs the checker, if it can judge the file.
  init(of inspection: ONNXInspection, at path: String) throws {
    if inspection.problem != nil {
      self = .notJudged("not run, because the model can't be imported")
      return
    }
    let opset = inspection.opsets.first { $0.domain == "ai.onnx" }?.version ?? 0
    guard opset <= Self.newestOpset else {
      self = .notJudged(
        "not run, because the model has opset \(opset), and the checker knows opsets up to "
          + "\(Self.newestOpset)")
      return
    }
    guard let program = Self.find() else {
      self = .notJudged(
        "not run, because \(Self.executable) is neither beside crest nor on PATH; build it with "
          + "swift build -c release --package-path ONNXCheck")
      return
    }
    self = try Self.ask(program, about: path)
  }

  /// The checker beside this program, otherwise on PATH.
  private static func find() -> URL? {
    let own = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
    let search = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let folders =
      (own.map { [$0] } ?? []) + search.split(separator: ":").map { URL(filePath: String($0)) }
    return folders.map { $0.appending(path: executable) }.first {
      FileManager.default.isExecutableFile(atPath: $0.path(percentEncoded: false))
    }
  }

  /// The object that the checker prints.
  private struct Answer: Decodable {
    let accepted: Bool
    let reason: String?
    let message: String?
  }

  private static func ask(_ program: URL, about path: String) throws -> OfficialCheck {
    let process = Process()
    let output = Pipe()
    process.executableURL = program
    // A file name that begins with a dash is not an option.
    process.arguments = ["check", "--json", "--", path]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch {
      return .notJudged("\(program.path(percentEncoded: false)) can't be run: \(error)")
    }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationReason == .exit else {
      return .refused("the official checker crashed on it (signal \(process.terminationStatus))")
    }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: data) else {
      return .notJudged(
        "no answer from \(program.path(percentEncoded: false)), which ended with code "
          + "\(process.terminationStatus)")
    }
    let message = answer.message ?? "no reason was given"
    if answer.accepted { return .accepted }
    return answer.reason == "version" ? .notJudged(message) : .refused(message)
  }

  /// Whether it accepts the file; nil when it didn't say.
  var accepts: Bool? {
    switch self {
    case .accepted: true
    case .refused: false
    case .notJudged: nil
    }
  }

  /// The verdict.
  var description: String {
    switch self {
    case .accepted: "valid"
    case .refused(let reason): "refused: \(reason)"
    case .notJudged(let reason): reason
    }
  }
}
