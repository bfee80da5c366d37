extension Tensor {
  /// The elements as `Double`, exactly but for `int64` beyond ±2⁵³; `true` is 1.
  public var doubles: [Double] {
    switch elementType {
    case .float32: withElements(as: Float.self) { $0.map(Double.init) }
    case .float64: array(as: Double.self)
    case .bfloat16: withElements(as: BFloat16.self) { $0.map { Double($0.float) } }
    case .float16: withElements(as: HalfFloat.self) { $0.map { Double($0.float) } }
    case .int8: withElements(as: Int8.self) { $0.map(Double.init) }
    case .int16: withElements(as: Int16.self) { $0.map(Double.init) }
    case .int32: withElements(as: Int32.self) { $0.map(Double.init) }
    case .int64: withElements(as: Int64.self) { $0.map(Double.init) }
    case .uint8: withElements(as: UInt8.self) { $0.map(Double.init) }
    case .bool: withElements(as: UInt8.self, ofBooleans: ()) { $0.map { $0 == 0 ? 0 : 1 } }
    }
  }

  /// The elements as `Int64`; nil for a float tensor, whose values may have no whole equal.
  public var integers: [Int64]? {
    switch elementType {
    case .float32, .float64, .bfloat16, .float16: nil
    case .int8: withElements(as: Int8.self) { $0.map(Int64.init) }
    case .int16: withElements(as: Int16.self) { $0.map(Int64.init) }
    case .int32: withElements(as: Int32.self) { $0.map(Int64.init) }
    case .int64: array(as: Int64.self)
    case .uint8: withElements(as: UInt8.self) { $0.map(Int64.init) }
    case .bool: withElements(as: UInt8.self, ofBooleans: ()) { $0.map { $0 == 0 ? 0 : 1 } }
    }
  }

  /// Whether the elements are whole numbers all of which `float32` has exactly.
  package var isExactInFloat: Bool {
    integers?.allSatisfy { Int64(exactly: Float($0)) == $0 } ?? false
  }

  /// A float tensor of `doubles`, each rounded to nearest.
  ///
  /// - Precondition: `elementType` is a float, and the counts agree.
  public init(rounding doubles: [Double], to elementType: ElementType, shape: Shape) {
    switch elementType {
    case .float32: self.init(doubles.map(Float.init), shape: shape)
    case .float64: self.init(doubles, shape: shape)
    case .bfloat16: self.init(doubles.map { BFloat16(Float($0)) }, shape: shape)
    case .float16: self.init(doubles.map { HalfFloat(Float($0)) }, shape: shape)
    case .int8, .int16, .int32, .int64, .uint8, .bool:
      preconditionFailure("\(elementType) is not a float type")
    }
  }

  /// An integer or boolean tensor of `integers`, each wrapped to the type's bits; non-zero is `true`.
  ///
  /// - Precondition: `elementType` is not a float, and the counts agree.
  public init(wrapping integers: [Int64], to elementType: ElementType, shape: Shape) {
    switch elementType {
    case .int8: self.init(integers.map(Int8.init(truncatingIfNeeded:)), shape: shape)
    case .int16: self.init(integers.map(Int16.init(truncatingIfNeeded:)), shape: shape)
    case .int32: self.init(integers.map(Int32.init(truncatingIfNeeded:)), shape: shape)
    case .int64: self.init(integers, shape: shape)
    case .uint8: self.init(integers.map(UInt8.init(truncatingIfNeeded:)), shape: shape)
    case .bool: self.init(integers.map { $0 != 0 }, shape: shape)
    case .float32, .float64, .bfloat16, .float16:
      preconditionFailure("\(elementType) is not an integer type")
    }
  }

  /// Booleans read as bytes, since a byte from a file may be neither 0 nor 1 and no `Bool` then.
  private func withElements<Result>(
    as type: UInt8.Type, ofBooleans: Void, _ body: (UnsafeBufferPointer<UInt8>) -> Result
  ) -> Result {
    withUnsafeBytes { body($0.bindMemory(to: UInt8.self)) }
  }
}
