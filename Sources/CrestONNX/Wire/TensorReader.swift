package import CrestFiles
package import CrestTensor

/// Makes tensors of what a model describes.
package struct TensorReader: Sendable {
  package let source: ByteSource
  private let folder: ExternalDataFolder?
  private let external = ExternalElements()

  /// A reader of the model's tensors; external data files are looked for in the folder of the
  /// model's file.
  package init(
    _ model: ModelProto, resolution: ConfinedFolder.Resolution = .system
  ) {
    source = model.source
    folder = model.source.folder.map { ExternalDataFolder(path: $0, resolution: resolution) }
  }

  /// The tensor that `proto` describes.
  ///
  /// - Throws: ``ONNXError/unsupportedElementType(_:type:)``, ``ONNXError/externalData(_:location:problem:)``,
  ///   or ``ONNXError/malformed(_:expected:got:)`` for elements that are none of their type.
  package func tensor(_ proto: TensorProto) throws(ONNXError) -> Tensor {
    guard let elementType = proto.dataType.elementType else {
      throw .unsupportedElementType(place(of: proto), type: proto.dataType.name)
    }
    switch proto.storage {
    case .none:
      return Tensor(zeros: proto.shape, elementType: elementType)
    case .raw(let range):
      return try source.withBytes(in: range) { (bytes) throws(ONNXError) in
        try checkBooleans(bytes, elementType, proto, at: range.lowerBound)
        return Tensor(bytes: bytes, shape: proto.shape, elementType: elementType)
      }
    case .typed(let field, _):
      return try typed(proto, field, elementType)
    case .external(let reference):
      return try elements(of: proto, reference)
    }
  }

  // MARK: Side files

  /// One in how many bytes of a external data file must be stored; some file systems store equal
  /// bytes as fewer.
  static let holeFactor = 8
  /// A smaller file may be stored with its name.
  private static let holeFreeByteCount = 1 << 20

  /// Refuses external data files from which a small model would take far more memory than there are
  /// bytes: read over and over by many tensors, or with holes.
  func checkSideFiles(of tensors: [ExternalTensor]) throws(ONNXError) {
    var uses: [String: (first: ExternalTensor, byteCount: Int, count: Int)] = [:]
    for tensor in tensors {
      guard let byteCount = tensor.proto.byteCount else { continue }
      let use = uses[tensor.reference.location] ?? (tensor, 0, 0)
      let (sum, overflow) = use.byteCount.addingReportingOverflow(byteCount)
      uses[tensor.reference.location] = (use.first, overflow ? .max : sum, use.count + 1)
    }
    for (first, byteCount, count) in uses.values.sorted(by: {
      $0.first.proto.span.start < $1.first.proto.span.start
    }) {
      let file = try opened(first.reference, first.proto)
      // An array may stand twice where it is shared. One that is too long for the file is refused as such.
      guard count == 1 || byteCount / 2 <= file.byteCount else {
        throw failed(
          first.reference, first.proto,
          .overused(byteCount: byteCount, fileByteCount: file.byteCount))
      }
      guard
        file.byteCount <= Self.holeFreeByteCount
          || file.status.storedByteCount >= file.byteCount / Self.holeFactor
      else {
        throw failed(
          first.reference, first.proto,
          .holes(storedByteCount: file.status.storedByteCount, fileByteCount: file.byteCount))
      }
    }
  }

  /// Reads all of these tensors, so that their files are not needed again.
  func hold(_ tensors: [ExternalTensor]) throws(ONNXError) {
    // A tensor whose size is unknown can't be read or copied, and an export says so.
    for tensor in tensors where tensor.proto.byteCount != nil { _ = try elements(of: tensor) }
  }

  /// The elements of a tensor, as they were when they were first read; those of a type that tensors don't have as
  /// bytes.
  func elements(of tensor: ExternalTensor) throws(ONNXError) -> Tensor {
    try elements(of: tensor.proto, tensor.reference)
  }

  private func elements(
    of proto: TensorProto, _ reference: TensorProto.ExternalReference
  ) throws(ONNXError) -> Tensor {
    try external.elements(of: proto) { () throws(ONNXError) in
      // The file is proven to hold the elements before any memory is taken.
      let file = try open(reference, of: proto)
      guard external.isUnchanged(reference.location, file.status) else {
        throw failed(reference, proto, .unreadable(reason: RegularFile.Failure.changed.reason))
      }
      let elementType = proto.dataType.elementType
      var tensor = Tensor(
        zeros: elementType == nil ? [proto.byteCount ?? 0] : proto.shape,
        elementType: elementType ?? .uint8)
      try tensor.withUnsafeMutableBytes { (bytes) throws(ONNXError) in
        try read(file, reference, proto, into: bytes, from: 0)
        guard let elementType else { return }
        try checkBooleans(UnsafeRawBufferPointer(bytes), elementType, proto, at: proto.span.start)
      }
      return tensor
    }
  }

  /// Whether a file has the elements of a tensor where the model says; what can't be read, it has not.
  func file(
    _ file: borrowing RegularFile, has elements: Tensor,
    of tensor: ExternalTensor
  ) -> Bool {
    elements.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = min(1 << 20, bytes.count - done)
        guard let part = try? file.bytes(count: count, at: tensor.reference.offset + done),
          bytes[done..<done + count].elementsEqual(part)
        else { return false }
        done += count
      }
      return true
    }
  }

  /// The external data file of a tensor, once it is proven to hold the tensor's bytes.
  func open(
    _ reference: TensorProto.ExternalReference, of proto: TensorProto
  ) throws(ONNXError) -> RegularFile {
    func failure(_ problem: ONNXError.ExternalDataProblem) -> ONNXError {
      failed(reference, proto, problem)
    }
    guard let expected = proto.byteCount else {
      throw .unsupportedElementType(place(of: proto), type: proto.dataType.name)
    }
    let file = try opened(reference, proto)
    let length = reference.length ?? max(0, file.byteCount - reference.offset)
    if reference.length != nil, length != expected {
      throw failure(.wrongLength(expected: expected, got: length))
    }
    guard reference.offset <= file.byteCount, expected <= file.byteCount - reference.offset else {
      throw failure(
        .beyondEnd(offset: reference.offset, byteCount: expected, fileByteCount: file.byteCount))
    }
    guard length == expected else { throw failure(.wrongLength(expected: expected, got: length)) }
    return file
  }

  private func opened(
    _ reference: TensorProto.ExternalReference, _ proto: TensorProto
  ) throws(ONNXError) -> RegularFile {
    guard let folder else { throw failed(reference, proto, .noFolder) }
    do throws(ExternalDataFailure) {
      return try folder.open(reference.location)
    } catch {
      throw failed(reference, proto, error.problem)
    }
  }

  private func failed(
    _ reference: TensorProto.ExternalReference, _ proto: TensorProto,
    _ problem: ONNXError.ExternalDataProblem
  ) -> ONNXError {
    .externalData(place(of: proto), location: reference.location, problem: problem)
  }

  /// Fills `bytes` with those of the tensor from `start` on.
  func read(
    _ file: borrowing RegularFile, _ reference: TensorProto.ExternalReference, _ proto: TensorProto,
    into bytes: UnsafeMutableRawBufferPointer, from start: Int
  ) throws(ONNXError) {
    let problem: ONNXError.ExternalDataProblem
    do throws(RegularFile.Failure) {
      return try file.read(into: bytes, at: reference.offset + start)
    } catch {
      problem =
        switch error {
        case .notRegular: .notARegularFile
        case .system, .changed: .unreadable(reason: error.message)
        case .shortened:
          .beyondEnd(
            offset: reference.offset + start, byteCount: bytes.count, fileByteCount: file.byteCount)
        }
    }
    throw failed(reference, proto, problem)
  }

  // MARK: Elements one by one

  private func typed(
    _ proto: TensorProto, _ field: TensorProto.TypedField, _ elementType: ElementType
  ) throws(ONNXError) -> Tensor {
    var tensor = Tensor(zeros: proto.shape, elementType: elementType)
    do throws(WireFault) {
      try tensor.withUnsafeMutableBytes { (target) throws(WireFault) in
        try source.withBytes { (bytes) throws(WireFault) in
          var reader = WireReader(bytes, in: proto.span.body)
          var offset = 0
          while let part = try reader.next() {
            guard part.number == field.rawValue else { continue }
            if field.width != nil {
              let part = UnsafeRawBufferPointer(rebasing: bytes[part.span.body])
              UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: part)
              offset += part.count
              continue
            }
            var numbers = WireReader(bytes, in: part.span.body)
            while !numbers.isAtEnd {
              let start = numbers.position
              try store(
                Int64(bitPattern: try numbers.varint()), elementType, in: target, at: offset,
                from: start)
              offset += elementType.byteCount
            }
          }
        }
      }
    } catch {
      throw error.inside(field.name).inside(label(of: proto)).error(in: source.name)
    }
    return tensor
  }

  /// Stores the element that stands as a varint at `start` of the source.
  private func store(
    _ value: Int64, _ elementType: ElementType, in target: UnsafeMutableRawBufferPointer,
    at offset: Int, from start: Int
  ) throws(WireFault) {
    let range: ClosedRange<Int64> =
      switch elementType {
      case .int8, .uint8, .int16, .int32, .int64, .bool: elementType.integerRange
      // Sixteen-bit floats stand as their bits.
      case .float16, .bfloat16: 0...65535
      case .float32, .float64: .min ... .max
      }
    guard range.contains(value) else {
      throw WireFault(
        at: start,
        expected: "\(elementType) elements from \(range.lowerBound) to "
          + "\(range.upperBound)", got: "\(value)")
    }
    switch elementType.byteCount {
    case 1:
      target.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: offset, as: UInt8.self)
    case 2:
      target.storeBytes(
        of: UInt16(truncatingIfNeeded: value), toByteOffset: offset, as: UInt16.self)
    case 4:
      target.storeBytes(
        of: UInt32(truncatingIfNeeded: value), toByteOffset: offset, as: UInt32.self)
    default: target.storeBytes(of: value, toByteOffset: offset, as: Int64.self)
    }
  }

  /// A byte of a file may be neither `false` nor `true`, and no `Bool` then.
  private func checkBooleans(
    _ bytes: UnsafeRawBufferPointer, _ elementType: ElementType, _ proto: TensorProto,
    at offset: Int
  ) throws(ONNXError) {
    guard elementType == .bool, let index = bytes.firstIndex(where: { $0 > 1 }) else { return }
    throw .malformed(
      place(of: proto, offset: offset), expected: "bytes of 0 or 1 in a bool tensor",
      got: "\(bytes[index]) as element \(index)")
  }

  // MARK: Places in messages

  private func label(of proto: TensorProto) -> String {
    proto.name.isEmpty ? "a tensor without a name" : "tensor \"\(proto.name)\""
  }

  private func place(of proto: TensorProto, offset: Int? = nil) -> ONNXError.Place {
    .init(file: source.name, offset: offset ?? proto.span.start, field: label(of: proto))
  }
}
