/// How an element is stored in a `.npy` file, and what it becomes in a tensor.
struct NPYStorage: Sendable, Hashable {
  /// Unsigned integers that tensors don't support and that become wider signed ones.
  enum Widening: Sendable, Hashable {
    case uint16, uint32, uint64
  }

  /// NumPy's kind and size, as in `f4`.
  let name: String
  /// The type in a tensor.
  let elementType: ElementType
  /// The bytes of an element in the file.
  let byteCount: Int
  /// The conversion besides copying; nil if the tensor's type is the file's.
  let widening: Widening?

  /// Whether the file's type is the tensor's.
  var isElementType: Bool { widening == nil }

  private init(_ name: String, _ elementType: ElementType) {
    (self.name, self.elementType, widening) = (name, elementType, nil)
    byteCount = elementType.byteCount
  }

  private init(_ name: String, _ elementType: ElementType, _ widening: Widening, byteCount: Int) {
    (self.name, self.elementType, self.widening) = (name, elementType, widening)
    self.byteCount = byteCount
  }

  /// All storages that can be read, those of a tensor's own types first.
  static let all = [
    NPYStorage("f2", .float16), NPYStorage("f4", .float32), NPYStorage("f8", .float64),
    NPYStorage("i1", .int8), NPYStorage("i2", .int16), NPYStorage("i4", .int32),
    NPYStorage("i8", .int64), NPYStorage("u1", .uint8), NPYStorage("b1", .bool),
    NPYStorage("u2", .int32, .uint16, byteCount: 2),
    NPYStorage("u4", .int64, .uint32, byteCount: 4),
    NPYStorage("u8", .int64, .uint64, byteCount: 8),
  ]
}

/// The places of a `.npy` file's elements in a tensor, whose last index varies fastest.
struct NPYPlaces {
  private let shape: Shape
  private let isFortranOrder: Bool
  private let first: Int

  init(shape: Shape, isFortranOrder: Bool, first: Int) {
    (self.shape, self.isFortranOrder, self.first) = (shape, isFortranOrder, first)
  }

  /// Calls `body` with the number of each of the next `count` elements and its place in the tensor.
  @inline(__always)
  func each(of count: Int, _ body: (_ index: Int, _ place: Int) -> Void) {
    guard isFortranOrder else {
      for index in 0..<count { body(index, first + index) }
      return
    }
    // The indices of the next element, the first of which varies fastest.
    var indices: [Int] = []
    var rest = first
    for size in shape {
      indices.append(rest % size)
      rest /= size
    }
    let strides = shape.strides
    var place = zip(indices, strides).reduce(0) { $0 + $1.0 * $1.1 }
    for index in 0..<count {
      body(index, place)
      for axis in indices.indices {
        indices[axis] += 1
        place += strides[axis]
        if indices[axis] < shape[axis] { break }
        place -= shape[axis] * strides[axis]
        indices[axis] = 0
      }
    }
  }

  /// Copies elements of one size from their places in the file.
  @inline(__always)
  func copy<Word: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer, of type: Word.Type
  ) {
    let size = MemoryLayout<Word>.size
    each(of: source.count / size) { index, place in
      let word = source.loadUnaligned(fromByteOffset: index * size, as: type)
      output.storeBytes(of: word, toByteOffset: place * size, as: type)
    }
  }
}
