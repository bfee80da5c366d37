package import Foundation

/// How a run ended, and what it wrote.
public struct ProcessResult {
  /// How a process ends.
  public enum End: Equatable, CustomStringConvertible, Sendable {
    /// By itself, with a code.
    case exit(Int32)
    /// By a signal, as a crash does.
    case signal(Int32)

    /// The code or the signal.
    public var description: String {
      switch self {
      case .exit(let code): "exit code \(code)"
      case .signal(let number): "signal \(number)"
      }
    }
  }

  /// How it ended.
  public let end: End
  /// What it wrote to standard output.
  public let output: String
  /// What it wrote to standard error.
  public let error: String

  /// The exit code; nil when a signal ended the run, as a crash does.
  public var status: Int32? {
    if case .exit(let status) = end { status } else { nil }
  }

  /// The output as one JSON object.
  package func object() throws -> NSDictionary { try Self.object(output) }

  /// Each line of the output as a JSON object.
  package func objects() throws -> [[String: Any]] {
    try output.split(separator: "\n").map { line in
      guard let object = try Self.object(String(line)) as? [String: Any] else {
        throw NotAnObject(text: String(line))
      }
      return object
    }
  }

  /// Text that is no JSON object.
  package struct NotAnObject: Error {
    package let text: String
  }

  private static func object(_ text: String) throws -> NSDictionary {
    guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary
    else { throw NotAnObject(text: text) }
    return object
  }
}
