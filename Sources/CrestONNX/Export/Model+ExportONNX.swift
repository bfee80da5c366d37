import CrestGraph
public import CrestLayers
import CrestRuntime
import CrestTensor

extension Model {
  /// Writes the model with its present parameters as an ONNX file that other tools can run and train.
  ///
  /// Opset 17, IR 8, the batch open. The file appears whole or not at all.
  ///
  /// - Parameters:
  ///   - path: Where; a file that is there is replaced.
  ///   - metadata: Entries for the file's `metadata_props`, such as class names; the same keys always
  ///     stand in the same order.
  /// - Throws: ``ONNXError`` when an operation has no equal in ONNX or the file can't be written.
  public func exportONNX(
    to path: String, metadata: [String: String] = [:]
  ) throws(ONNXError) {
    var draft = try onnxDraft()
    draft.metadata = metadata.sorted { $0.key < $1.key }.map { key, value in
      MetadataEntry(key: key, value: value)
    }
    try draft.content.write(toModel: path)
  }

  /// Refuses a model that can't be written as ONNX: before a long training, say.
  ///
  /// - Throws: ``ONNXError`` when an operation has no equal in ONNX.
  public func checkONNXExport() throws(ONNXError) { _ = try onnxDraft() }

  private func onnxDraft() throws(ONNXError) -> ModelDraft {
    ModelDraft(
      graph: try GraphExport.draft(of: graph, name: "crest") { [store] declaration in
        guard let entry = store.entry(named: declaration.name) else {
          preconditionFailure("the store has no variable \(declaration.name)")
        }
        return store.value(of: entry)
      })
  }
}
