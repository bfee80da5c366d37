/// The contents of a safetensors file: tensors and metadata strings by name.
public struct Safetensors: Sendable, Equatable {
  /// The tensors.
  public var tensors: [String: Tensor]
  /// The metadata strings (`__metadata__`).
  public var metadata: [String: String]

  /// Creates contents from tensors and metadata.
  public init(tensors: [String: Tensor], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// The contents of a file, from its bytes.
  ///
  /// - Throws: ``SafetensorsError`` when the bytes aren't such a file, or hold what no tensor can.
  public init(parsing bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
    let header = try Header(parsing: bytes, fileByteCount: bytes.count)
    let data = UnsafeRawBufferPointer(rebasing: bytes[header.dataOffset...])
    var tensors: [String: Tensor] = [:]
    for entry in header.entries {
      tensors[entry.name] = try Header.tensor(
        of: entry, data: UnsafeRawBufferPointer(rebasing: data[entry.range]))
    }
    self.init(tensors: tensors, metadata: header.metadata)
  }

  /// The contents of a file, from its bytes.
  ///
  /// - Throws: ``SafetensorsError`` when the bytes aren't such a file, or hold what no tensor can.
  public init(parsing bytes: [UInt8]) throws(SafetensorsError) {
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(SafetensorsError) in try Safetensors(parsing: buffer) }
    }
    self = try result.get()
  }

  /// The header of a file of these contents.
  ///
  /// - Throws: ``SafetensorsError``, see ``Safetensors/Header/init(arranging:metadata:)``.
  public func header() throws(SafetensorsError) -> Header {
    try Header(
      arranging: tensors.map { ($0.key, $0.value.elementType, $0.value.shape) },
      metadata: metadata)
  }

  /// The bytes of a file of these contents; the same contents give the same bytes.
  ///
  /// - Throws: ``SafetensorsError``, see ``Safetensors/Header/init(arranging:metadata:)``.
  public func bytes() throws(SafetensorsError) -> [UInt8] {
    let header = try header()
    var bytes = header.bytes
    bytes.reserveCapacity(header.dataOffset + header.dataByteCount)
    for entry in header.entries { tensors[entry.name]?.withUnsafeBytes { bytes += $0 } }
    return bytes
  }
}
