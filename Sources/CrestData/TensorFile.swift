public import CrestTensor

/// Tensors in `.npy` files.
public enum TensorFile {
  /// The array of a `.npy` file, read directly into the tensor's memory, or piece by piece if
  /// elements have another order or size than in a tensor.
  ///
  /// - Throws: ``DataError``; the header is checked against the file's size before memory is
  ///   allocated.
  public static func readNPY(_ path: String) throws(DataError) -> Tensor { try read(path).tensor }

  /// As ``readNPY(_:)``, with whether unsigned integers were widened.
  private static func read(
    _ path: String
  ) throws(DataError) -> (tensor: Tensor, isWidened: Bool) {
    let file = try FileReader(path)
    let prefix = try file.bytes(count: Swift.min(file.byteCount, NPYHeader.byteLimit))
    let header: NPYHeader
    do throws(NPYError) {
      header = try NPYHeader(parsing: prefix, fileByteCount: file.byteCount)
    } catch {
      throw .npy(path: path, error)
    }
    // The header is right about the file's size, so that this can be counted; smaller elements are widened.
    try DataError.checkMemory(
      header.shape.elementCount * header.elementType.byteCount, path)
    var tensor = Tensor(zeros: header.shape, elementType: header.elementType)
    try tensor.withUnsafeMutableBytes { (bytes) throws(DataError) in
      guard !header.isStoredAsTensor else {
        try file.read(into: bytes, at: header.dataOffset)
        do throws(NPYError) {
          return try header.convertToNative(bytes)
        } catch {
          throw .npy(path: path, error)
        }
      }
      try header.inPieces { (first, range) throws(DataError) in
        var piece = try file.bytes(count: range.count, at: header.dataOffset + range.lowerBound)
        let result = piece.withUnsafeMutableBytes { data in
          Result { () throws(NPYError) in try header.place(data, first: first, in: bytes) }
        }
        if case .failure(let error) = result { throw .npy(path: path, error) }
      }
    }
    return (tensor, header.isWidened)
  }

  /// The array of a `.npy` file as a model's input: floats as `float32`, anything else as it is.
  ///
  /// - Throws: ``DataError``, as ``readNPY(_:)``, for an array without examples along its first dimension
  ///   and for a finite number that `float32` can't hold.
  public static func readInput(_ path: String) throws(DataError) -> Tensor {
    try readExamples(path).tensor.asInput(path: path)
  }

  /// The array of a `.npy` file for an input of a model, with any non-empty shape: floats for a
  /// `float32` input as from ``readInput(_:)``, anything else as it is.
  ///
  /// - Throws: ``DataError``, as ``readInput(_:)``.
  public static func readInput(
    _ path: String, for elementType: ElementType
  ) throws(DataError) -> Tensor {
    let tensor = try readNPY(path)
    guard tensor.elementCount > 0 else { throw .noExamples(path: path) }
    return elementType == .float32 ? try tensor.asInput(path: path) : tensor
  }

  /// As ``readNPY(_:)``, for an array of at least one example along its first dimension, with
  /// whether unsigned integers were widened.
  static func readExamples(
    _ path: String
  ) throws(DataError) -> (tensor: Tensor, isWidened: Bool) {
    let array = try read(path)
    guard let count = array.tensor.shape.first else { throw .scalarArray(path: path) }
    guard count > 0 else { throw .noExamples(path: path) }
    return array
  }
}

extension Tensor {
  /// This array as a model's input: floats as `float32`, anything else as it is.
  ///
  /// - Throws: ``DataError/valueOutOfRange(path:index:value:)`` for a finite number that `float32` can't
  ///   hold.
  func asInput(path: String) throws(DataError) -> Tensor {
    switch elementType {
    case .float64: try narrowed(path: path)
    case .float16:
      Tensor(withElements(as: HalfFloat.self) { $0.map(\.float) }, shape: shape)
    case .float32, .bfloat16, .int8, .int16, .int32, .int64, .uint8, .bool: self
    }
  }

  /// This array as targets: floats as `float32` values, anything else as `int64` classes.
  ///
  /// - Throws: ``DataError/valueOutOfRange(path:index:value:)`` for a finite number that `float32` can't
  ///   hold.
  func asTarget(path: String) throws(DataError) -> Tensor {
    guard let integers else { return try asInput(path: path) }
    return Tensor(integers, shape: shape)
  }

  private func narrowed(path: String) throws(DataError) -> Tensor {
    var result = Tensor(zeros: shape)
    try withElements(as: Double.self) { (source) throws(DataError) in
      try result.withMutableElements(as: Float.self) { (output) throws(DataError) in
        for index in source.indices {
          let value = Float(source[index])
          if value.isInfinite, source[index].isFinite {
            throw .valueOutOfRange(path: path, index: index, value: source[index])
          }
          output[index] = value
        }
      }
    }
    return result
  }
}
