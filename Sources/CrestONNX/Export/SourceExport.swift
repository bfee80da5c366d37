import CrestGraph
import CrestRuntime
import CrestTensor

/// Writes a model from a file back as that file with its present parameters.
///
/// All else stays as it is, byte by byte, but for nodes that mean something else in training, which are
/// rewritten for inference, and for copies of arrays that were untied.
struct SourceExport {
  private var splice: ModelSplice
  private let trace: ONNXTrace
  private var edits: [Int: NodeEdit] = [:]

  /// What changes of a node.
  private struct NodeEdit {
    var inputs: [String]
    var outputs: [String]
    var removedAttributes: Set<String> = []
    /// Arrays that this node is the first to read, before it.
    var initializers: [TensorDraft] = []
  }

  /// The file of `template` with the values of `store`.
  ///
  /// - Throws: ``ONNXError`` when a node can't be rewritten for inference.
  init(
    _ trace: ONNXTrace, _ store: ParameterStore, keepsTrainingNodes: Bool
  ) throws(ONNXError) {
    self.trace = trace
    splice = ModelSplice(trace.model.proto, reader: trace.reader)
    for variable in trace.plan.variables { replace(variable, store) }
    for copy in trace.plan.copies.values { replace(copy, store) }
    if let head = trace.head {
      for size in head.sizes {
        splice.replaceSize(of: size.value, axis: size.axis, by: Int64(head.classes))
      }
    }
    if !keepsTrainingNodes {
      for (place, node) in trace.model.nodes.enumerated() { try rewrite(node, at: place) }
    }
    for (place, edit) in edits.sorted(by: { $0.key < $1.key }) {
      let node = trace.model.nodes[place]
      splice.replace(node.span.field, by: content(of: node, edit))
    }
  }

  /// Writes the file, with entries of metadata in the place of those of the same keys, or added.
  func write(to path: String, metadata: [MetadataEntry]) throws(ONNXError) {
    var splice = splice
    for entry in metadata {
      let old = trace.model.proto.metadata.filter { $0.key == entry.key }
      guard old.contains(where: { $0.value != entry.value }) || old.isEmpty else { continue }
      splice.setMetadata(entry)
    }
    try splice.write(to: path)
  }

  // MARK: Parameters

  private mutating func replace(_ variable: ParameterPlan.Variable, _ store: ParameterStore) {
    guard let entry = store.entry(named: variable.name) else {
      programmerError("the store has no variable \(variable.name)")
    }
    guard variable.replacement == nil || !variable.edges.isEmpty else {
      return splice.replace(
        variable.source, by: TensorDraft(name: variable.source.name, store.value(of: entry)))
    }
    // What was not trained keeps its form, which may not be the only one for its elements.
    let isSame = store.withBytes(of: entry) { bytes in
      variable.value.withUnsafeBytes { $0.elementsEqual(bytes) }
    }
    guard !isSame else { return }
    // Read when it is written, so that there is no copy of all parameters.
    let elements = ByteStream(byteCount: entry.shape.elementCount * 4) { (sink) throws(ONNXError) in
      try store.withBytes(of: entry) { (bytes) throws(ONNXError) in try sink(bytes) }
    }
    guard let first = variable.edges.first else {
      splice.replaceElements(of: variable.source, by: elements)
      return
    }
    for edge in variable.edges { edit(edge.node) { $0.inputs[edge.input] = variable.name } }
    edit(first.node) { edit in
      edit.initializers.append(
        TensorDraft(
          name: variable.name, elementType: .float32, shape: entry.shape, elements: elements))
    }
  }

  /// Writes an array as it follows from a parameter.
  private mutating func replace(_ copy: RearrangedCopy, _ store: ParameterStore) {
    guard let entry = store.entry(named: copy.original),
      let variable = trace.plan.variables.first(where: { $0.name == copy.original }),
      let source = trace.plan.rows.first(where: { $0.array.name == copy.name })?.array.proto
    else { programmerError("the array \(copy.name) follows from none") }
    let value = store.value(of: entry)
    let isSame = value.withUnsafeBytes { now in
      variable.value.withUnsafeBytes { $0.elementsEqual(now) }
    }
    guard !isSame else { return }
    let elements = copy.elements(of: value.array(as: Float.self))
    splice.replaceElements(of: source, by: ByteStream(Tensor(elements, shape: copy.shape)))
  }

  private mutating func edit(_ place: Int, _ change: (inout NodeEdit) -> Void) {
    let node = trace.model.nodes[place]
    change(&edits[place, default: NodeEdit(inputs: node.inputs, outputs: node.outputs)])
  }

  // MARK: Nodes

  private mutating func rewrite(_ node: NodeProto, at place: Int) throws(ONNXError) {
    guard node.domain.isEmpty || node.domain == "ai.onnx" else { return }
    switch node.operation {
    case "BatchNormalization":
      let isTraining = node.attributes.contains { attribute in
        if case .int(1) = attribute.value { attribute.name == "training_mode" } else { false }
      }
      // Before opset 14 further outputs alone said that it trains.
      guard isTraining || node.outputs.count > 1 else { return }
      try checkUnread(node.outputs.dropFirst(), of: node)
      edit(place) { edit in
        edit.outputs = [node.outputs[0]]
        edit.removedAttributes = ["training_mode"]
      }
    case "Dropout" where node.inputs.count > 2:
      edit(place) { $0.inputs = Array($0.inputs.prefix($0.inputs[1].isEmpty ? 1 : 2)) }
    default: return
    }
  }

  /// Refuses to take outputs away that something reads.
  private func checkUnread(_ names: ArraySlice<String>, of node: NodeProto) throws(ONNXError) {
    let read = Set(trace.model.nodes.flatMap(\.inputs) + trace.model.outputs.map(\.name))
    guard let name = names.first(where: { !$0.isEmpty && read.contains($0) }) else { return }
    throw .invalid(
      file: trace.model.file,
      ONNXError.ModelProblem(
        place: "node \"\(node.label)\" (\(node.operation))",
        expected: "running statistics that nothing else reads, to rewrite it for inference",
        got: "\"\(name)\", which is read", advice: "export with the training nodes"))
  }

  private func content(of node: NodeProto, _ edit: NodeEdit) -> WireContent {
    let source = trace.model.proto.source
    var message = WireContent()
    for input in edit.inputs { message.append(1, text: input) }
    for output in edit.outputs { message.append(2, text: output) }
    for attribute in node.attributes where !edit.removedAttributes.contains(attribute.name) {
      message.append(source, attribute.span.field)
    }
    // Names and whatever fields ONNX may add, which keep their order among themselves.
    let others = [3, 4] + Array(6...ModelSplice.highestField)
    for range in splice.fields(of: node.span.body, numbers: others) {
      message.append(source, range)
    }
    var content = WireContent()
    for tensor in edit.initializers { content.append(5, message: tensor.content) }
    content.append(1, message: message)
    return content
  }
}

extension ModelSplice {
  /// More than any message of ONNX has, or will have soon.
  fileprivate static let highestField = 255
}

extension ParameterStore {
  /// Calls `body` with the bytes of a parameter or statistic, which must not escape.
  fileprivate func withBytes<Result, Failure: Error>(
    of entry: Entry, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withBuffer(entry.role == nil ? .statistics : .parameters) { (floats) throws(Failure) in
      try body(UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: floats[entry.range])))
    }
  }
}
