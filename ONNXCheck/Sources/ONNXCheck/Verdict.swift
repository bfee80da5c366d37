#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What is said about a model, as programs read it.
struct Verdict: Encodable {
  let event = "result"
  let command: String
  let file: String
  let accepted: Bool

  /// What kind of refusal, and its message.
  private(set) var reason: String?
  private(set) var message: String?

  /// Of an accepted model.
  private(set) var irVersion: Int64?
  private(set) var opsets: [OpsetUse]?
  private(set) var values: [GraphValue]?
  private(set) var output: String?

  struct OpsetUse: Encodable {
    let domain: String
    let version: Int64
    /// False when the model uses operators of the domain that libonnx doesn't know, and so lets pass.
    let judged: Bool
  }

  private enum CodingKeys: String, CodingKey {
    case event, command, file, accepted, reason, message, opsets, values, output
    case irVersion = "ir_version"
  }

  init(
    accepting model: OfficialModel, in command: String, values: [GraphValue]? = nil,
    output: String? = nil
  ) {
    self.command = command
    file = model.path
    accepted = true
    irVersion = model.irVersion
    opsets = model.opsets.map {
      OpsetUse(domain: $0.domainName, version: $0.version, judged: $0.isJudged)
    }
    self.values = values
    self.output = output
  }

  init(refusing path: String, in command: String, for error: JudgeError) {
    self.command = command
    file = path
    accepted = false
    reason = error.refusal
    message = "\(error)"
  }

  /// "IR version 8, opset 17", and which operators were not judged.
  var summary: String {
    let opsets = opsets ?? []
    let used = opsets.map { opset in
      opset.domain == "ai.onnx" ? "opset \(opset.version)" : "\(opset.domain) \(opset.version)"
    }
    let unknown = opsets.filter { !$0.judged }.map(\.domain)
    return ((irVersion.map { ["IR version \($0)"] } ?? []) + used).joined(separator: ", ")
      + (unknown.isEmpty ? "" : "; not judged: operators of \(unknown.joined(separator: ", "))")
  }

  /// The object on a line of its own.
  var line: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    } catch {
      preconditionFailure("text and integers always encode: \(error)")
    }
  }
}
