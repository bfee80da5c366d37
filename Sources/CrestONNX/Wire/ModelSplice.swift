import CrestTensor

/// A model's own bytes with some fields replaced; every other byte stays as it is, also what no version
/// of this reader knows.
package struct ModelSplice {
  /// Whole fields of one message that other content replaces.
  struct Edit {
    let range: Range<Int>
    let content: WireContent
  }

  package let model: ModelProto
  /// Reads what lies in external data files.
  let reader: TensorReader
  private(set) var edits: [Edit] = []
  /// New elements of tensors in external data files, by the start of the tensor's field.
  private(set) var externalElements: [Int: ByteStream] = [:]
  /// The starts of the fields of tensors that others replace.
  private(set) var replacedTensors: Set<Int> = []
  private var appended = WireContent()

  /// The bytes of a model, with external data as `reader` has read them; as they are now when nil.
  package init(_ model: ModelProto, reader: TensorReader? = nil) {
    self.model = model
    self.reader = reader ?? TensorReader(model)
  }

  /// Whether the result is the source, byte by byte.
  package var isUntouched: Bool {
    edits.isEmpty && externalElements.isEmpty && appended.byteCount == 0
  }

  // MARK: Edits

  /// Replaces the fields at `range` by `content`, which may be empty.
  ///
  /// - Precondition: `range` begins and ends with fields of one message and holds at least one, and no
  ///   other edit overlaps it.
  package mutating func replace(_ range: Range<Int>, by content: WireContent) {
    programmerError(unless: !range.isEmpty, "nothing to replace at \(range.lowerBound)")
    edits.append(Edit(range: range, content: content))
  }

  /// Adds fields of `ModelProto`, as of metadata, at the end.
  package mutating func append(_ content: WireContent) {
    appended.append(content)
  }

  /// Puts another tensor in the place of one of the graph's initializers, or of a node's attribute.
  package mutating func replace(_ tensor: TensorProto, by draft: TensorDraft) {
    replacedTensors.insert(tensor.span.start)
    var content = WireContent()
    // Initializers of a graph and the tensor of an attribute happen to have the same field number.
    content.append(5, message: draft.content)
    replace(tensor.span.field, by: content)
  }

  /// States another size of an input, output or value in between.
  ///
  /// - Precondition: its type is a tensor with a size along `axis`.
  package mutating func replaceSize(of value: ValueInfoProto, axis: Int, by size: Int64) {
    // type, tensor_type, shape, dim
    let path = [(2, 0), (1, 0), (2, 0), (1, axis)]
    var body = value.span.body
    var field = value.span.field
    for (number, place) in path {
      let found = spans(in: body, number: number)
      programmerError(unless: place < found.count, "\(value.name) has no size along axis \(axis)")
      (field, body) = (found[place].field, found[place].body)
    }
    var dimension = WireContent()
    dimension.append(1, integer: size)
    for range in fields(of: body, numbers: [3]) { dimension.append(model.source, range) }
    var content = WireContent()
    content.append(1, message: dimension)
    replace(field, by: content)
  }

  /// Sets an entry of the model's metadata, in the place of all of its key.
  package mutating func setMetadata(_ entry: MetadataEntry) {
    var content = WireContent()
    content.append(14, message: entry.content)
    let whole = model.source.withBytes { 0..<$0.count }
    let places = zip(spans(in: whole, number: 14), model.metadata)
      .filter { $0.1.key == entry.key }.map(\.0.field)
    guard let first = places.first else { return append(content) }
    replace(first, by: content)
    for place in places.dropFirst() { replace(place, by: WireContent()) }
  }

  /// Gives a tensor of the model other elements, of the same type and shape.
  ///
  /// `raw_data`, `float_data` and `double_data` stay what they are; elements that stood as varints
  /// become `raw_data`; elements in a external data file go to a new one when the model is written.
  ///
  /// - Precondition: there are as many bytes as the tensor's elements take.
  package mutating func replaceElements(of tensor: TensorProto, by elements: ByteStream) {
    programmerError(
      unless: elements.byteCount == tensor.byteCount,
      "\(elements.byteCount) bytes for \(tensor.dataType.name) \(tensor.shape)")
    if case .external = tensor.storage {
      externalElements[tensor.span.start] = elements
      return
    }
    var number = TensorStorageFields.raw
    if case .typed(let field, _) = tensor.storage, field.width != nil { number = field.rawValue }
    var content = WireContent()
    content.append(number, stream: elements)
    replaceStorage(of: tensor, by: content)
  }

  /// Puts `content` where the elements of `tensor` stood first, and removes all its other storage.
  mutating func replaceStorage(of tensor: TensorProto, by content: WireContent) {
    var isFirst = true
    for range in fields(of: tensor.span.body, numbers: TensorStorageFields.numbers) {
      replace(range, by: isFirst ? content : WireContent())
      isFirst = false
    }
    programmerError(unless: !isFirst, "the tensor \"\(tensor.name)\" has no elements to replace")
  }

  /// The fields of one number in the message at `body`.
  private func spans(in body: Range<Int>, number: Int) -> [WireSpan] {
    model.source.withBytes { bytes in
      var reader = WireReader(bytes, in: body)
      var spans: [WireSpan] = []
      while let field = Self.next(&reader) {
        if field.number == number { spans.append(field.span) }
      }
      return spans
    }
  }

  /// The fields with these numbers in the message at `body`, neighbours as one range.
  package func fields(of body: Range<Int>, numbers: [Int]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    model.source.withBytes { bytes in
      var reader = WireReader(bytes, in: body)
      while let field = Self.next(&reader) {
        guard numbers.contains(field.number) else { continue }
        if let last = ranges.last, last.upperBound == field.span.start {
          ranges[ranges.count - 1] = last.lowerBound..<field.span.end
        } else {
          ranges.append(field.span.field)
        }
      }
    }
    return ranges
  }

  // MARK: The result

  /// The new file's bytes: ranges of the source, new content, and lengths of what encloses it.
  package var content: WireContent {
    var sorted = edits.sorted { $0.range.lowerBound < $1.range.lowerBound }[...]
    for (edit, next) in zip(sorted, sorted.dropFirst()) {
      programmerError(
        unless: edit.range.upperBound <= next.range.lowerBound,
        "two edits overlap at byte \(next.range.lowerBound)")
    }
    var content = model.source.withBytes { bytes in
      rebuilt(0..<bytes.count, of: bytes, &sorted)
    }
    programmerError(unless: sorted.isEmpty, "an edit lies beyond the end of the model")
    content.append(appended)
    return content
  }

  /// The message at `range` after the edits that lie in it, which are taken off.
  private func rebuilt(
    _ range: Range<Int>, of bytes: UnsafeRawBufferPointer, _ edits: inout ArraySlice<Edit>
  ) -> WireContent {
    var content = WireContent()
    var copied = range.lowerBound
    var reader = WireReader(bytes, in: range)
    while let edit = edits.first, edit.range.lowerBound < range.upperBound,
      let field = Self.next(&reader)
    {
      let span = field.span
      guard edit.range.lowerBound < span.end else { continue }
      content.append(model.source, copied..<span.start)
      if edit.range.lowerBound == span.start {
        edits.removeFirst()
        content.append(edit.content)
        var end = span.end
        while end < edit.range.upperBound, let field = Self.next(&reader) { end = field.span.end }
        programmerError(
          unless: end == edit.range.upperBound, "an edit ends inside of a field, at \(end)")
        copied = end
      } else {
        programmerError(
          unless: field.type == .bytes && edit.range.lowerBound >= span.bodyStart
            && edit.range.upperBound <= span.end, "an edit begins inside of a field")
        let message = rebuilt(span.body, of: bytes, &edits)
        if message.byteCount == span.body.count {
          content.append(model.source, span.start..<span.bodyStart)
          content.append(message)
        } else {
          content.append(field.number, message: message)
        }
        copied = span.end
      }
    }
    content.append(model.source, copied..<range.upperBound)
    return content
  }

  /// The next field of bytes that have been read before without a fault.
  private static func next(_ reader: inout WireReader) -> WireField? {
    do throws(WireFault) {
      return try reader.next()
    } catch {
      programmerError("an edit lies in bytes that are no message, at \(error.offset)")
    }
  }
}
