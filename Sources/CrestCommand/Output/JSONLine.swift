import Crest
import CrestFiles

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
    case .text(let text): text.shownInJSON
    case .integer(let number): "\(number)"
    case .number(let number): number.isFinite ? "\(number)" : "null"
    case .flag(let flag): "\(flag)"
    case .list(let values): "[\(values.map(\.text).joined(separator: ","))]"
    case .object(let members):
      "{"
        + members.map { $0.key.shownInJSON + ":" + $0.value.text }.joined(separator: ",") + "}"
    case .null: "null"
    }
  }
}

extension String {
  /// A JSON string whose characters a terminal may be given; JSON has escapes of its own for the others.
  fileprivate var shownInJSON: String {
    jsonQuoted.shown { scalar in
      String(scalar).utf16.map { unit in
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }.joined()
    }
  }
}
