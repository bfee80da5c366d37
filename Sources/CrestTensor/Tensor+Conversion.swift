extension Tensor {
  /// The elements as `Double`, exact except for `int64` beyond ±2⁵³; `true` is 1.
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

  /// The elements as `Int64`; nil for a float tensor, whose values may not be integers.
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

  /// Whether all elements are integers that `float32` represents exactly.
  package var isExactInFloat: Bool {
    integers?.allSatisfy { Int64(exactly: Float($0)) == $0 } ?? false
  }

  /// The elements, all exact in `float32`, in an integer type from which batches are made; nil for
  /// floats.
  ///
  /// - Throws: ``InexactElement`` for an integer that `float32` doesn't represent exactly.
  package func wholeNumbersForFloat() throws(InexactElement) -> Tensor? {
    guard let integers else { return nil }
    if let index = integers.firstIndex(where: { Int64(exactly: Float($0)) != $0 }) {
      throw InexactElement(index: index, value: "\(integers[index])")
    }
    return elementType == .bool ? Tensor(wrapping: integers, to: .uint8, shape: shape) : self
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
      programmerError("\(elementType) is not a float type")
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
      programmerError("\(elementType) is not an integer type")
    }
  }

  /// Booleans are read as bytes, because a byte from a file may be neither 0 nor 1 and so not a
  /// valid `Bool`.
  private func withElements<Result>(
    as type: UInt8.Type, ofBooleans: Void, _ body: (UnsafeBufferPointer<UInt8>) -> Result
  ) -> Result {
    withUnsafeBytes { body($0.bindMemory(to: UInt8.self)) }
  }
}

/// An element that another type doesn't represent exactly.
package struct InexactElement: Error, Equatable, CustomStringConvertible {
  /// Its index in row-major order; nil if there is no conversion between the types.
  package let index: Int?
  /// The element.
  package let value: String

  /// As in `whose element 3 is 300`.
  package var description: String {
    index.map { "whose element \($0) is \(value)" } ?? "which is not converted"
  }
}

extension Tensor {
  /// The same values in another element type that represents each of them exactly.
  ///
  /// NaN stays NaN.
  ///
  /// - Returns: Integers for integers, floats for floats.
  /// - Throws: ``InexactElement`` for a value that isn't exact, and for integers as floats, floats
  ///   as integers and booleans as anything else, which mean different things.
  package func converted(to type: ElementType) throws(InexactElement) -> Tensor {
    guard type != elementType else { return self }
    if elementType.isInteger, type.isInteger, let integers {
      let range = type.integerRange
      if let index = integers.firstIndex(where: { !range.contains($0) }) {
        throw InexactElement(index: index, value: "\(integers[index])")
      }
      return Tensor(wrapping: integers, to: type, shape: shape)
    }
    guard elementType.isFloat, type.isFloat else { throw InexactElement(index: nil, value: "") }
    let given = doubles
    let result = Tensor(rounding: given, to: type, shape: shape)
    let kept = result.doubles
    if let index = given.indices.first(where: { kept[$0] != given[$0] && !given[$0].isNaN }) {
      throw InexactElement(index: index, value: "\(given[index])")
    }
    return result
  }
}
