package import CrestTensor

/// The type of elements by ONNX's number (`TensorProto.DataType`), known or not.
package struct TensorDataType: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int32

  package init(rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// The number of a type that a tensor can have.
  package init(_ elementType: ElementType) {
    rawValue =
      switch elementType {
      case .float32: 1
      case .uint8: 2
      case .int8: 3
      case .int16: 5
      case .int32: 6
      case .int64: 7
      case .bool: 9
      case .float16: 10
      case .float64: 11
      case .bfloat16: 16
      }
  }

  package static let undefined = TensorDataType(rawValue: 0)
  package static let string = TensorDataType(rawValue: 8)

  /// The names of the numbers from 0 on, up to IR 14.
  private static let names = [
    "undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool",
    "float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16",
    "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1",
    "float8e8m0", "uint2", "int2", "float6e2m3", "float6e3m2",
  ]

  /// The name, or the number of a type newer than IR 14.
  package var name: String {
    let index = Int(rawValue)
    return Self.names.indices.contains(index) ? Self.names[index] : "number \(rawValue)"
  }

  /// The tensor's element type; nil for what a tensor can't hold.
  package var elementType: ElementType? { ElementType(rawValue: name) }

  /// The field of `TensorProto` that holds elements of a supported type one by one.
  var typedField: TensorProto.TypedField? {
    switch elementType {
    case .float32: .float
    case .float64: .double
    case .int64: .int64
    case .int8, .int16, .int32, .uint8, .bool, .float16, .bfloat16: .int32
    case nil: self == .string ? .string : nil
    }
  }
}

/// The element types as messages list them.
enum ElementTypeNames {
  static let all = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
}
