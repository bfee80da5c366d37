package import CrestTensor

/// The description of a tensor (ONNX `TensorProto`); its elements stay where they are until asked for.
///
/// For the types that `Tensor` has, the storage is proven to hold as many elements as the shape
/// says, except external data, which is checked when it is opened.
package struct TensorProto: Sendable {
  /// A field that holds elements one by one; raw values are ONNX's field numbers.
  package enum TypedField: Int, CaseIterable, Sendable {
    case float = 4
    case int32 = 5
    case string = 6
    case int64 = 7
    case double = 10
    case uint64 = 11

    var name: String {
      switch self {
      case .float: "float_data"
      case .int32: "int32_data"
      case .string: "string_data"
      case .int64: "int64_data"
      case .double: "double_data"
      case .uint64: "uint64_data"
      }
    }

    /// The size of an element; nil for varints.
    var width: Int? {
      switch self {
      case .float: 4
      case .double: 8
      case .int32, .int64, .uint64, .string: nil
      }
    }
  }

  /// Where the elements are.
  package enum Storage: Equatable, Sendable {
    /// Nowhere: the tensor has no elements.
    case none
    /// In `raw_data`, as they lie in memory, at this range of the source.
    case raw(Range<Int>)
    /// In a typed field, in one or more packed runs or one at a time.
    case typed(TypedField, count: Int)
    /// In a external data file.
    case external(ExternalReference)
  }

  /// Where in a external data file a tensor lies (ONNX `external_data`).
  package struct ExternalReference: Equatable, Sendable {
    /// The path of the file, from the model's folder.
    package var location: String
    /// The offset of the first byte.
    package var offset = 0
    /// The number of bytes; to the end of the file when nil.
    package var length: Int?
  }

  /// The field that holds the description.
  package let span: WireSpan
  package fileprivate(set) var name = ""
  package fileprivate(set) var dataType = TensorDataType.undefined
  package fileprivate(set) var shape: Shape = []
  package fileprivate(set) var storage = Storage.none

  /// The bytes that the elements take in memory; nil when `Tensor` lacks their type.
  package var byteCount: Int? { dataType.elementType.map { shape.elementCount * $0.byteCount } }
}

/// The fields of `TensorProto` that say where elements are, by number.
enum TensorStorageFields {
  static let raw = 9
  static let external = 13
  static let location = 14
  static let numbers = TensorProto.TypedField.allCases.map(\.rawValue) + [raw, external, location]
}

extension TensorProto: WireMessage {
  static func read(
    _ span: WireSpan, depth: Int, by parser: inout MessageParser
  ) throws(WireFault) -> TensorProto { try parser.tensor(span, depth: depth) }
}

extension MessageParser {
  fileprivate mutating func tensor(_ span: WireSpan, depth: Int) throws(WireFault) -> TensorProto {
    try count(.tensors, at: span.start)
    var tensor = TensorProto(span: span)
    var dimensions: [Int64] = []
    var storage = StorageFields()
    var fields = try fields(in: span.body, depth: depth, singular: [2, 3, 8, 9, 12, 14])
    while let field = try fields.next() {
      switch field.number {
      case 1:
        try integers(field, "dims", into: &dimensions)
        guard dimensions.count <= limits.rank else {
          throw WireFault(at: field.span.start, "dims", limit: "\(limits.rank) dimensions")
        }
      case 2: tensor.dataType = TensorDataType(rawValue: try number(field, "data_type"))
      case 3:
        throw WireFault(
          at: field.span.start, "segment", expected: "a whole tensor", got: "a segment of one")
      case 8: tensor.name = try text(field, "name")
      default: try add(field, to: &storage, depth: depth)
      }
    }
    guard tensor.dataType.rawValue > 0 else {
      throw WireFault(
        at: span.start, "data_type", expected: "the number of an element type",
        got: "\(tensor.dataType.rawValue)")
    }
    tensor.shape = try shape(dimensions, at: span.start)
    tensor.storage = try self.storage(in: storage, of: span)
    try checkSize(of: tensor)
    return tensor
  }

  /// Adds a field that says where elements are; others are left alone.
  private mutating func add(
    _ field: WireField, to storage: inout StorageFields, depth: Int
  ) throws(WireFault) {
    switch field.number {
    case TensorStorageFields.raw: storage.found.append(.raw(try body(field, "raw_data")))
    case TensorStorageFields.external:
      storage.entryFields.append(field)
      try append(field, "external_data", to: &storage.entries, depth: depth)
    case TensorStorageFields.location:
      let location = try number(field, "data_location")
      guard location == 0 || location == 1 else {
        throw WireFault(
          at: field.span.start, "data_location", expected: "0 (here) or 1 (external)",
          got: "\(location)")
      }
      storage.isExternal = location == 1
    case let number:
      guard let typed = TensorProto.TypedField(rawValue: number) else { return }
      var count = 1
      if typed == .string {
        try expect(.bytes, field, typed.name)
      } else {
        count = try elementCount(field, width: typed.width, typed.name)
      }
      storage.typedCounts[typed, default: 0] += count
    }
  }

  /// The one place that holds elements.
  private func storage(
    in fields: StorageFields, of span: WireSpan
  ) throws(WireFault) -> TensorProto.Storage {
    var found = fields.found
    found += fields.typedCounts.filter { $0.value > 0 }
      .sorted { $0.key.rawValue < $1.key.rawValue }
      .map { .typed($0.key, count: $0.value) }
    if fields.isExternal {
      found.append(
        .external(
          try inside("external_data") { () throws(WireFault) in
            try externalReference(Array(zip(fields.entryFields, fields.entries)), of: span)
          }))
    }
    guard found.count <= 1 else {
      throw WireFault(
        at: span.start, expected: "elements in one field",
        got: "elements in \(found.map(\.fieldName).joined(separator: " and "))")
    }
    return found.first ?? .none
  }

  /// A shape whose elements can be counted, also in bytes of the largest element.
  func shape(_ dimensions: [Int64], at offset: Int) throws(WireFault) -> Shape {
    let text = "[\(dimensions.map(String.init).joined(separator: ", "))]"
    guard let shape = Shape(checking: dimensions.map(Int.init)),
      !shape.elementCount.multipliedReportingOverflow(by: 16).overflow
    else {
      throw WireFault(
        at: offset, "dims", expected: "sizes of at least 0 whose product is below 2^59", got: text)
    }
    return shape
  }

  private func checkSize(of tensor: TensorProto) throws(WireFault) {
    let expected: (Int, String)
    let got: (Int, String)
    switch tensor.storage {
    case .external:
      return
    case .none:
      guard tensor.shape.elementCount > 0 else { return }
      throw WireFault(
        at: tensor.span.start, expected: "\(tensor.shape.elementCount) elements", got: "no data")
    case .raw(let range):
      if tensor.dataType == .string {
        throw WireFault(
          at: range.lowerBound, "raw_data", expected: "strings in string_data", got: "raw bytes")
      }
      guard let byteCount = tensor.byteCount else { return }
      expected = (byteCount, "bytes")
      got = (range.count, "raw_data")
    case .typed(let field, let count):
      guard let right = tensor.dataType.typedField else { return }
      guard right == field else {
        throw WireFault(
          at: tensor.span.start, expected: "\(tensor.dataType.name) elements in \(right.name)",
          got: "elements in \(field.name)")
      }
      expected = (tensor.shape.elementCount, "elements")
      got = (count, field.name)
    }
    guard expected.0 == got.0 else {
      throw WireFault(
        at: tensor.span.start, got.1,
        expected: "\(expected.0) \(expected.1) for \(tensor.dataType.name) \(tensor.shape)",
        got: "\(got.0)")
    }
  }

  /// The known keys of `external_data`; others are left alone, as ONNX asks.
  private func externalReference(
    _ entries: [(WireField, MetadataEntry)], of span: WireSpan
  ) throws(WireFault) -> TensorProto.ExternalReference {
    var values: [String: (text: String, offset: Int)] = [:]
    for (field, entry) in entries where ["location", "offset", "length"].contains(entry.key) {
      guard values[entry.key] == nil else {
        throw WireFault(
          at: field.span.start, expected: "the key \(entry.key) once", got: "it twice")
      }
      values[entry.key] = (entry.value, field.span.start)
    }
    func size(_ key: String) throws(WireFault) -> Int? {
      guard let (text, offset) = values[key] else { return nil }
      guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let value = Int(text)
      else {
        throw WireFault(
          at: offset, expected: "an integer from 0 to 2^63 - 1 as the \(key)",
          got: "\"\(text)\"")
      }
      return value
    }
    guard let location = values["location"] else {
      throw WireFault(at: span.start, expected: "the key location", got: "none")
    }
    return .init(
      location: location.text, offset: try size("offset") ?? 0, length: try size("length"))
  }
}

/// What a tensor's fields say of where its elements are.
private struct StorageFields {
  var found: [TensorProto.Storage] = []
  var typedCounts: [TensorProto.TypedField: Int] = [:]
  var entries: [MetadataEntry] = []
  var entryFields: [WireField] = []
  var isExternal = false
}

extension TensorProto.Storage {
  fileprivate var fieldName: String {
    switch self {
    case .none: "no field"
    case .raw: "raw_data"
    case .typed(let field, _): field.name
    case .external: "external_data"
    }
  }
}

/// A tensor of which most elements are 0 (ONNX `SparseTensorProto`).
package struct SparseTensorProto: Sendable {
  package let span: WireSpan
  package fileprivate(set) var values: TensorProto
  package fileprivate(set) var indices: TensorProto?
  package fileprivate(set) var shape: Shape

  /// The name, which is that of its values.
  package var name: String { values.name }
}

extension SparseTensorProto: WireMessage {
  static func read(
    _ span: WireSpan, depth: Int, by parser: inout MessageParser
  ) throws(WireFault) -> SparseTensorProto { try parser.sparseTensor(span, depth: depth) }
}

extension MessageParser {
  fileprivate mutating func sparseTensor(
    _ span: WireSpan, depth: Int
  ) throws(WireFault) -> SparseTensorProto {
    var values: TensorProto?
    var indices: TensorProto?
    var dimensions: [Int64] = []
    var fields = try fields(in: span.body, depth: depth, singular: [1, 2])
    while let field = try fields.next() {
      switch field.number {
      case 1: values = try message(field, "values", depth: depth)
      case 2: indices = try message(field, "indices", depth: depth)
      case 3:
        try integers(field, "dims", into: &dimensions)
        guard dimensions.count <= limits.rank else {
          throw WireFault(at: field.span.start, "dims", limit: "\(limits.rank) dimensions")
        }
      default: break
      }
    }
    guard let values else {
      throw WireFault(at: span.start, expected: "the field values", got: "none")
    }
    return SparseTensorProto(
      span: span, values: values, indices: indices, shape: try shape(dimensions, at: span.start))
  }
}
