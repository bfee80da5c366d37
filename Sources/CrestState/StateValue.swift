public import CrestTensor

/// The state of a part of a run as named fields, as a checkpoint holds it.
///
/// Arrays of numbers become tensors of the checkpoint; everything else becomes JSON in its metadata.
public indirect enum StateValue: Sendable {
  /// Nothing, where there may be something.
  case null
  /// True or false.
  case bool(Bool)
  /// An integer.
  case integer(Int)
  /// A number, exactly.
  case number(Double)
  /// A string.
  case text(String)
  /// Values in order.
  case list([StateValue])
  /// Values by name.
  case fields([String: StateValue])
  /// An array, bit for bit.
  case array(Tensor)

  /// What kind of value it is, in words.
  package var kind: String {
    switch self {
    case .null: "nothing"
    case .bool(let value): "\(value)"
    case .integer(let value): "the number \(value)"
    case .number(let value): "the number \(value)"
    case .text(let value): "the text \"\(value)\""
    case .list(let values): "a list of \(values.count)"
    case .fields(let fields): "\(fields.count) fields"
    case .array(let tensor): tensor.typeDescription
    }
  }
}

extension StateValue: Equatable {
  /// Whether both are the same bit for bit: a NaN equals itself and 0 differs from -0.
  public static func == (left: StateValue, right: StateValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.number(let a), .number(let b)): a.bitPattern == b.bitPattern
    case (.text(let a), .text(let b)): a == b
    case (.list(let a), .list(let b)): a == b
    case (.fields(let a), .fields(let b)): a == b
    case (.array(let a), .array(let b)): a == b
    default: false
    }
  }
}

// MARK: Fields

extension StateValue {
  /// The value of the field called `name`; nil when there is none, or this has no fields.
  public subscript(name: String) -> StateValue? {
    get {
      guard case .fields(let fields) = self else { return nil }
      return fields[name]
    }
    set {
      guard case .fields(var fields) = self else {
        programmerError("\(name) was set in \(kind), which has no fields")
      }
      // Lest the assignment copy all fields.
      self = .null
      fields[name] = newValue
      self = .fields(fields)
    }
  }

  /// The value at `path`, an index of a list being a component too; nil when there is none.
  public subscript(path: Path) -> StateValue? {
    get {
      path.components.reduce(self) { value, component in
        switch value {
        case .fields(let fields): fields[component]
        case .list(let values):
          Int(component).flatMap { values.indices.contains($0) ? values[$0] : nil }
        default: nil
        }
      }
    }
    set {
      guard let first = path.components.first else {
        self = newValue ?? .null
        return
      }
      let rest = Path(Array(path.components.dropFirst()))
      switch self {
      case .fields(var fields):
        if rest.components.isEmpty {
          fields[first] = newValue
        } else {
          fields[first]?[rest] = newValue
        }
        self = .fields(fields)
      case .list(var values):
        guard let index = Int(first), values.indices.contains(index) else { return }
        if !rest.components.isEmpty {
          values[index][rest] = newValue
        } else if let newValue {
          values[index] = newValue
        } else {
          values.remove(at: index)
        }
        self = .list(values)
      default: return
      }
    }
  }

  /// The paths of all values that have no parts, sorted.
  public var leaves: [Path] {
    switch self {
    case .fields(let fields) where !fields.isEmpty:
      fields.sorted { $0.key < $1.key }.flatMap { name, value in
        value.leaves.map { $0.prefixed(by: name) }
      }
    case .list(let values) where !values.isEmpty:
      values.enumerated().flatMap { index, value in
        value.leaves.map { $0.prefixed(by: String(index)) }
      }
    default: [Path([])]
    }
  }
}

extension StateValue {
  /// Where a value lies in a state: names of fields and indices of lists, from the outside in.
  public struct Path: Sendable, Hashable, CustomStringConvertible {
    /// The names and indices.
    public let components: [String]

    /// A path of these components.
    public init(_ components: [String]) { self.components = components }

    /// As in `callbacks.EarlyStopping.state.wait`.
    public var description: String { components.joined(separator: ".") }

    func prefixed(by component: String) -> Path { Path([component] + components) }
    package func appending(_ component: String) -> Path { Path(components + [component]) }

    /// Whether it lies at `place` or within it, `place` being written as ``description`` is.
    func lies(at place: String) -> Bool {
      description == place || description.hasPrefix(place + ".")
    }
  }
}
