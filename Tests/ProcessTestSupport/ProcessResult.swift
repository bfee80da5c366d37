package import Foundation

/// How a run ended, and what it wrote.
package struct ProcessResult {
  package enum End: Equatable {
    case exit(Int32)
    case signal(Int32)
  }

  package let end: End
  package let output: String
  package let error: String

  /// The exit code; nil when a signal ended the run, as a crash does.
  package var status: Int32? {
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
