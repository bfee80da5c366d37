extension ONNXError {
  /// Why a well-formed ONNX file can't be run.
  public struct ModelProblem: Equatable, Sendable, CustomStringConvertible {
    /// Where in the model, as in `node "/conv1" (Conv, opset 17)`.
    public let place: String
    /// What would have been right.
    public let expected: String
    /// What was there.
    public let got: String
    /// What to do about it.
    public let advice: String?

    /// A problem from its parts.
    public init(place: String, expected: String, got: String, advice: String? = nil) {
      self.place = place
      self.expected = expected
      self.got = got
      self.advice = advice
    }

    /// Where, expected, got and what to do.
    public var description: String {
      "\(place): expected \(expected), got \(got)\(advice.map { "; \($0)" } ?? "")"
    }
  }

  /// A node with an unsupported operation.
  public struct UnsupportedOperation: Equatable, Sendable, CustomStringConvertible {
    /// The operation, as in `NonMaxSuppression`.
    public let operation: String
    /// The domain; empty for ONNX's own.
    public let domain: String
    /// The version of the operator set; nil when the model imports none for the domain.
    public let opset: Int64?
    /// The node's name, or that of its first output.
    public let node: String
    /// Why, where it isn't merely missing.
    public let reason: String?

    /// As in `NonMaxSuppression (opset 17) at "/nms"`.
    public var description: String {
      let name = domain.isEmpty ? operation : "\(domain).\(operation)"
      let version = opset.map { "opset \($0)" } ?? "no opset imported"
      return "\(name) (\(version)) at \"\(node)\"\(reason.map { ", \($0)" } ?? "")"
    }

    /// One line per kind, as in `NonMaxSuppression (opset 17) at "/nms" ×7`.
    public static func grouped(_ operations: [UnsupportedOperation]) -> [String] {
      var groups: [(first: UnsupportedOperation, count: Int)] = []
      var places: [[String?]: Int] = [:]
      for operation in operations {
        let kind = [operation.operation, operation.domain, operation.reason]
        if let place = places[kind] {
          groups[place].count += 1
        } else {
          places[kind] = groups.count
          groups.append((operation, 1))
        }
      }
      return groups.map { "\($0.first)" + ($0.count > 1 ? " ×\($0.count)" : "") }
    }
  }
}
