/// A concrete array of numbers: an element type, a shape and the bytes, copied on write.
///
/// Elements are stored contiguously in row-major order, 64-byte aligned. A `Tensor` is a value and
/// may be sent between tasks; a parameter of a model in training lives in a `ParameterStore`
/// instead, and a `Tensor` of it is a snapshot.
public struct Tensor: Sendable {
  /// The type of every element.
  public let elementType: ElementType
  /// The sizes of the dimensions.
  public let shape: Shape
  private var storage: TensorStorage

  /// A tensor of zeros (`false` for `bool`).
  public init(zeros shape: Shape, elementType: ElementType = .float32) {
    self.elementType = elementType
    self.shape = shape
    storage = TensorStorage(byteCount: Self.byteCount(of: elementType, shape))
    storage.bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// A tensor of `values` in row-major order.
  ///
  /// - Precondition: there are as many values as `shape` has elements.
  public init<Element: TensorElement>(_ values: [Element], shape: Shape) {
    programmerError(
      unless: values.count == shape.elementCount,
      "\(values.count) values for shape \(shape) of \(shape.elementCount)")
    elementType = Element.elementType
    self.shape = shape
    storage = TensorStorage(byteCount: values.count * MemoryLayout<Element>.stride)
    values.withUnsafeBytes { storage.bytes.copyMemory(from: $0) }
  }

  /// A vector of `values`.
  public init<Element: TensorElement>(_ values: [Element]) {
    self.init(values, shape: [values.count])
  }

  /// A scalar, of shape `[]`.
  public init<Element: TensorElement>(scalar value: Element) {
    self.init([value], shape: [])
  }

  /// A tensor of bytes copied from `bytes`, which hold its elements in their memory layout.
  ///
  /// - Precondition: there are as many bytes as the elements take.
  public init(bytes: UnsafeRawBufferPointer, shape: Shape, elementType: ElementType) {
    programmerError(
      unless: bytes.count == Self.byteCount(of: elementType, shape),
      "\(bytes.count) bytes for \(elementType) \(shape)")
    self.elementType = elementType
    self.shape = shape
    storage = TensorStorage(byteCount: bytes.count)
    storage.bytes.copyMemory(from: bytes)
  }

  private static func byteCount(of elementType: ElementType, _ shape: Shape) -> Int {
    let (count, overflow) = shape.elementCount.multipliedReportingOverflow(
      by: elementType.byteCount)
    programmerError(unless: !overflow, "the byte count of \(elementType) \(shape) overflows")
    return count
  }

  private init(storage: TensorStorage, shape: Shape, elementType: ElementType) {
    self.storage = storage
    self.shape = shape
    self.elementType = elementType
  }

  /// The number of elements.
  public var elementCount: Int { shape.elementCount }

  /// The size of all elements, in bytes.
  public var byteCount: Int { storage.bytes.count }

  /// Calls `body` with the bytes, which must not escape.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(storage.bytes))
  }

  /// Calls `body` with the mutable bytes, which must not escape; copies first if they are shared.
  public mutating func withUnsafeMutableBytes<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    if !isKnownUniquelyReferenced(&storage) {
      let copy = TensorStorage(byteCount: storage.bytes.count)
      copy.bytes.copyMemory(from: UnsafeRawBufferPointer(storage.bytes))
      storage = copy
    }
    return try body(storage.bytes)
  }

  /// Calls `body` with the elements, which must not escape.
  ///
  /// - Precondition: `Element` is the tensor's element type.
  public func withElements<Element: TensorElement, Result, Failure: Error>(
    as type: Element.Type, _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    check(type)
    return try body(UnsafeBufferPointer(storage.bytes.bindMemory(to: type)))
  }

  /// Calls `body` with the mutable elements, which must not escape; copies first if they are
  /// shared.
  ///
  /// - Precondition: `Element` is the tensor's element type.
  public mutating func withMutableElements<Element: TensorElement, Result, Failure: Error>(
    as type: Element.Type, _ body: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    check(type)
    return try withUnsafeMutableBytes { (bytes) throws(Failure) -> Result in
      try body(bytes.bindMemory(to: type))
    }
  }

  /// The elements in row-major order.
  ///
  /// - Precondition: `Element` is the tensor's element type.
  public func array<Element: TensorElement>(as type: Element.Type) -> [Element] {
    withElements(as: type) { Array($0) }
  }

  /// The same elements with another shape.
  ///
  /// - Precondition: both shapes have the same number of elements.
  public func reshaped(to shape: Shape) -> Tensor {
    programmerError(
      unless: shape.elementCount == self.shape.elementCount,
      "\(self.shape) can't be seen as \(shape)")
    return Tensor(storage: storage, shape: shape, elementType: elementType)
  }

  private func check<Element: TensorElement>(_ type: Element.Type) {
    programmerError(
      unless: type.elementType == elementType,
      "the tensor holds \(elementType), not \(type.elementType)")
  }
}

extension Tensor: Equatable {
  /// Whether both have the same element type, shape and bits: unlike `==` of floats, a NaN equals
  /// itself and 0 differs from -0.
  public static func == (left: Tensor, right: Tensor) -> Bool {
    guard left.elementType == right.elementType, left.shape == right.shape else { return false }
    return left.withUnsafeBytes { a in right.withUnsafeBytes { b in a.elementsEqual(b) } }
  }
}

/// The bytes of one or more tensors.
///
/// It is written only while a tensor holds the sole reference, so sharing it between tasks is safe.
private final class TensorStorage: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer

  init(byteCount: Int) {
    bytes = .allocate(byteCount: byteCount, alignment: 64)
  }

  deinit { bytes.deallocate() }
}
