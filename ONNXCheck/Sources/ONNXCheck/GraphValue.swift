import COnnx

/// A value of a graph with what is known of its type and shape.
struct GraphValue: Encodable {
  /// One size of a shape.
  enum Size: Equatable {
    case number(Int64)
    case symbol(String)
    case unknown
  }

  let name: String
  /// As the standard writes types, "tensor(float)"; nil when nothing is known.
  let type: String?
  /// Nil when not even the rank is known.
  let shape: [Size]?

  init(_ value: crest_onnx_value) {
    name = String(cString: value.name)
    let type = String(cString: value.type)
    self.type = type.isEmpty ? nil : type
    shape =
      value.rank < 0
      ? nil
      : (0..<Int(value.rank)).map { axis in
        let symbol = value.symbols[axis].map { String(cString: $0) } ?? ""
        if !symbol.isEmpty { return .symbol(symbol) }
        return value.sizes[axis] < 0 ? .unknown : .number(value.sizes[axis])
      }
  }
}

extension GraphValue: CustomStringConvertible {
  var description: String {
    let sizes = shape.map { "[\($0.map(\.description).joined(separator: ", "))]" } ?? "?"
    return "\(printable(name)): \(type.map { "\($0) \(sizes)" } ?? "?")"
  }
}

extension GraphValue.Size: Encodable, CustomStringConvertible {
  var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .symbol(let name): printable(name)
    case .unknown: "?"
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .number(let number): try container.encode(number)
    case .symbol(let name): try container.encode(name)
    case .unknown: try container.encodeNil()
    }
  }
}
