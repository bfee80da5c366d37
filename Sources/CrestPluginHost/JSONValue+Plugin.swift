package import CrestTensor

/// What plugins say and are told: numbers by their value, however they are written.
extension JSONValue {
  /// Reads all of a manifest, a configuration, or a message of a plugin.
  package init(parsing bytes: [UInt8]) throws(JSONScanner.Fault) {
    let limits = Limits(depth: 16, count: 100_000, numbers: .asValues)
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(JSONScanner.Fault) in try JSONValue(parsing: bytes, within: limits) }
    }
    self = try result.get()
  }

  /// What it is, for messages.
  var kind: String {
    switch self {
    case .null, .bool, .integer, .number, .text: json
    case .list: "a list"
    case .object: "an object"
    }
  }

  /// The number, if it is one or its name.
  var namedNumber: Double? {
    switch self {
    case .text("nan"): .nan
    case .text("inf"): .infinity
    case .text("-inf"): -.infinity
    default: number
    }
  }
}
