import CrestFiles

extension ModelSplice {
  /// Writes the model to `path`, with the data of its tensors that lie in external data files.
  ///
  /// The model's file stays the same bytes when nothing changed and its external data files, if they still hold
  /// what was read, can stay where they are (the same folder) or be copied under their own names. Else all
  /// external data go to one new file beside the model, called like it with `.data` at the end, or with a
  /// number before that when something has that name: no existing file but the one at `path` is ever
  /// replaced. The model comes last, so whoever opens `path` finds the old model
  /// or the new one, whole. Of a link at `path` all this is meant of the file that it leads to.
  ///
  /// - Throws: ``ONNXError/unwritable(file:reason:)``,
  ///   ``ONNXError/tooLargeToWrite(file:byteCount:limit:)``, or
  ///   ``ONNXError/externalData(_:location:problem:)`` when a external data file can't be read.
  package func write(to path: String) throws(ONNXError) {
    let externals = model.externalTensors.filter {
      !replacedTensors.contains($0.proto.span.start)
    }
    guard !externals.isEmpty else { return try content.write(toModel: path) }

    let path = try fileDestination(of: path)
    let folder = FilePath.split(path).folder
    let own = model.source.folder.flatMap(OutputPlace.identity(ofExisting:))
    if externalElements.isEmpty, let own, own == OutputPlace.identity(ofExisting: folder),
      try hold(externals)
    {
      return try content.write(toModel: path)
    }
    var written: [String] = []
    do throws(ONNXError) {
      if externalElements.isEmpty,
        try copySideFiles(of: externals, to: folder, written: &written)
      {
        return try content.write(toModel: path)
      }
      discard(&written)
      try gatherSideFiles(of: externals, besideModel: path, written: &written)
        .content.write(toModel: path)
    } catch {
      discard(&written)
      throw error
    }
  }

  /// The path at the end of all links, beside which external data files go.
  private func fileDestination(of path: String) throws(ONNXError) -> String {
    let place: OutputPlace
    do throws(OutputFailure) { place = try OutputPlace(path) } catch { throw ONNXError(error) }
    guard case .file = place.kind else {
      throw .unwritable(
        file: path,
        reason:
          "its weights are in external data files, which can't be placed beside a pipe or device")
    }
    return place.destination
  }

  /// Removes files of an export that failed, to which nothing refers.
  private func discard(_ paths: inout [String]) {
    // Best effort, since an error is under way already.
    for path in paths { try? SystemFiles().remove(path) }
    paths = []
  }

  /// Whether the model's external data files still hold what was read of these tensors.
  private func hold(_ tensors: [ExternalTensor]) throws(ONNXError) -> Bool {
    for tensor in tensors {
      let elements = try reader.elements(of: tensor)
      do throws(ONNXError) {
        let file = try reader.open(tensor.reference, of: tensor.proto)
        guard reader.file(file, has: elements, of: tensor) else { return false }
      } catch {
        // A file that is gone holds nothing, and its elements are written anew.
        return false
      }
    }
    return true
  }

  /// Copies each external data file under its own name; false when one lies in a deeper folder, a
  /// name is taken, or one has changed.
  private func copySideFiles(
    of tensors: [ExternalTensor], to folder: String, written: inout [String]
  ) throws(ONNXError) -> Bool {
    guard try hold(tensors) else { return false }
    var copied: Set<String> = []
    for tensor in tensors {
      let location = tensor.reference.location
      let file = try reader.open(tensor.reference, of: tensor.proto)
      // "./weights" is "weights".
      let components = location.split(separator: "/").filter { $0 != "." }
      guard components.count == 1 else { return false }
      let path = FilePath.join(folder, String(components[0]))
      guard copied.insert(path).inserted else { continue }
      guard var output = try ModelOutputFile(creating: path) else { return false }
      try copy(file, tensor, to: &output)
      try output.commit()
      written.append(path)
    }
    // Of the copies, since the files may have changed while they were copied.
    for tensor in tensors {
      let name = FilePath.split(tensor.reference.location).name
      let elements = try reader.elements(of: tensor)
      do throws(RegularFile.Failure) {
        let copy = try RegularFile(FilePath.join(folder, name))
        guard reader.file(copy, has: elements, of: tensor) else { return false }
      } catch {
        return false
      }
    }
    return true
  }

  /// Puts the data of all tensors in one new file, and says so in the model.
  private func gatherSideFiles(
    of tensors: [ExternalTensor], besideModel path: String, written: inout [String]
  ) throws(ONNXError) -> ModelSplice {
    var output = try newSideFile(besideModel: path)
    let dataPath = output.path
    var result = self
    var end = 0
    for tensor in tensors {
      // ONNX asks for offsets at whole pages, so that the file can be mapped.
      let offset = (end + 4095) / 4096 * 4096
      try [UInt8](repeating: 0, count: offset - end).withUnsafeBytes { padding in
        Result { () throws(ONNXError) in try output.write(padding) }
      }.get()
      end = offset
      let elements: ByteStream
      if let new = externalElements[tensor.proto.span.start] {
        elements = new
      } else {
        elements = ByteStream(try reader.elements(of: tensor))
      }
      try elements.send { (bytes) throws(ONNXError) in
        try output.write(bytes)
        end += bytes.count
      }
      result.relocate(tensor.proto, to: FilePath.split(dataPath).name, offset, end - offset)
    }
    try output.commit()
    written.append(dataPath)
    return result
  }

  /// Copies all of a tensor's file.
  private func copy(
    _ file: borrowing RegularFile, _ tensor: ExternalTensor, to output: inout ModelOutputFile
  ) throws(ONNXError) {
    let whole = TensorProto.ExternalReference(
      location: tensor.reference.location, offset: 0, length: file.byteCount)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    var done = 0
    while done < file.byteCount {
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<min(buffer.count, file.byteCount - done)])
      try reader.read(file, whole, tensor.proto, into: part, from: done)
      try output.write(UnsafeRawBufferPointer(part))
      done += part.count
    }
  }

  /// A new file beside the model at `path`.
  private func newSideFile(
    besideModel path: String
  ) throws(ONNXError) -> ModelOutputFile {
    var attempt = 0
    while true {
      let dataPath = path + (attempt == 0 ? ".data" : ".\(attempt).data")
      if let output = try ModelOutputFile(creating: dataPath) { return output }
      attempt += 1
    }
  }

  /// Writes the place of a tensor's data into its description.
  private mutating func relocate(
    _ tensor: TensorProto, to location: String, _ offset: Int, _ byteCount: Int
  ) {
    var content = WireContent()
    for (key, value) in [
      ("location", location), ("offset", "\(offset)"), ("length", "\(byteCount)"),
    ] {
      content.append(
        TensorStorageFields.external, message: MetadataEntry(key: key, value: value).content)
    }
    content.append(TensorStorageFields.location, integer: 1)
    replaceStorage(of: tensor, by: content)
  }
}

/// A tensor in a external data file.
struct ExternalTensor {
  let proto: TensorProto
  let reference: TensorProto.ExternalReference

  init?(_ proto: TensorProto) {
    guard case .external(let reference) = proto.storage else { return nil }
    self.proto = proto
    self.reference = reference
  }
}

extension ModelProto {
  /// All tensors of the model whose data lie in external data files, wherever they are, in the
  /// file's order.
  var externalTensors: [ExternalTensor] {
    var found = graph.allTensors
    for function in functions {
      found += function.defaults.flatMap(\.tensors) + function.nodes.flatMap(\.tensors)
    }
    return found.compactMap(ExternalTensor.init).sorted {
      $0.proto.span.start < $1.proto.span.start
    }
  }
}

extension GraphProto {
  fileprivate var allTensors: [TensorProto] {
    initializers + sparseInitializers.flatMap(\.tensors) + nodes.flatMap(\.tensors)
  }
}

extension SparseTensorProto {
  fileprivate var tensors: [TensorProto] { [values] + (indices.map { [$0] } ?? []) }
}

extension NodeProto {
  fileprivate var tensors: [TensorProto] { attributes.flatMap(\.tensors) }
}

extension AttributeProto {
  fileprivate var tensors: [TensorProto] {
    switch value {
    case .tensor(let tensor): [tensor]
    case .tensors(let tensors): tensors
    case .graph(let graph): graph.allTensors
    case .graphs(let graphs): graphs.flatMap(\.allTensors)
    case .sparseTensor(let tensor): tensor.tensors
    case .sparseTensors(let tensors): tensors.flatMap(\.tensors)
    case .float, .int, .string, .type, .floats, .ints, .strings, .types, .reference: []
    }
  }
}
