/// A JSON object on one line, with its keys in the given order.
///
/// Numbers have the fewest digits that read back the same; NaN and infinities, which JSON lacks,
/// are null.
struct JSONLine {
  indirect enum Value {
    case text(String)
    case integer(Int)
    case number(Double)
    case flag(Bool)
    case list([Value])
    case object([(key: String, value: Value)])
    case null
  }

  let members: [(key: String, value: Value)]

  init(event: String, _ members: [(key: String, value: Value)]) {
    self.members = [("event", .text(event))] + members
  }

  /// The object with the line feed.
  var text: String { Value.object(members).text + "\n" }
}

extension JSONLine.Value {
  /// The number, or null.
  init(_ number: Double?) { self = number.map { .number($0) } ?? .null }

  fileprivate var text: String {
    switch self {
    case .text(let text): Self.quoted(text)
    case .integer(let number): "\(number)"
    case .number(let number): number.isFinite ? "\(number)" : "null"
    case .flag(let flag): "\(flag)"
    case .list(let values): "[\(values.map(\.text).joined(separator: ","))]"
    case .object(let members):
      "{"
        + members.map { Self.quoted($0.key) + ":" + $0.value.text }.joined(separator: ",") + "}"
    case .null: "null"
    }
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case "\n": "\\n"
      case _ where scalar.value < 0x20:
        "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}
