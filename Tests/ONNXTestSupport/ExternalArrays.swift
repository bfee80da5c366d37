import CrestONNX
import CrestTensor

/// A model whose arrays lie in an external data file.
package enum ExternalArrays {
  /// Writes the model of the file at `source` to `path`, with all initializers in the file `data` beside it.
  ///
  /// - Returns: The bytes for that file, which the caller writes.
  package static func move(
    _ source: String, to path: String, data: String
  ) throws -> [UInt8] {
    let model = try ModelProto(path: source)
    let reader = TensorReader(model)
    var splice = ModelSplice(model)
    var bytes: [UInt8] = []
    for proto in model.graph.initializers {
      let elements = try reader.tensor(proto).withUnsafeBytes { [UInt8]($0) }
      var content = WireContent()
      content.append(5) { tensor in
        for size in proto.shape { tensor.append(1, integer: Int64(size)) }
        tensor.append(2, integer: Int64(proto.dataType.rawValue))
        tensor.append(8, text: proto.name)
        for (key, value) in [
          ("location", data), ("offset", "\(bytes.count)"), ("length", "\(elements.count)"),
        ] {
          tensor.append(13, message: MetadataEntry(key: key, value: value).content)
        }
        tensor.append(14, integer: 1)
      }
      splice.replace(proto.span.field, by: content)
      bytes += elements
    }
    try splice.write(to: path)
    return bytes
  }
}
