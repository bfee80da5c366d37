import CrestGraph
public import CrestLayers
import CrestRuntime
import CrestTensor

extension Model {
  /// Writes the model with its current parameters as an ONNX file that other tools can run and
  /// train.
  ///
  /// A model from an ONNX file becomes that file with new weights. Opset, names and everything else
  /// stay as they are, except that nodes in training mode are rewritten for inference, a new head
  /// replaces the file's, and `metadata` replace the file's entries under the same keys. If nothing
  /// was trained and the metadata are the same, so are the bytes. Other models are written with
  /// opset 17, IR 8 and an open batch. The file appears whole or not at all.
  ///
  /// The model's ``Model/preprocessing``, ``Model/classNames`` and ``Model/classAxis`` are added to
  /// the metadata (``ONNXFile/Metadata``); the file's entries stay if they are unchanged.
  ///
  /// - Parameters:
  ///   - path: Where; a file that is there is replaced.
  ///   - metadata: Entries for the file's `metadata_props`, such as class names; the same keys are
  ///     always in the same order.
  ///   - keepsTrainingNodes: Whether batch norm and dropout of an ONNX file stay in the mode they were
  ///     exported in, so that other tools can train on.
  /// - Throws: ``ONNXError`` when an operation has no equivalent in ONNX, a running statistic isn't finite, or the file
  ///   can't be
  ///   written.
  public func exportONNX(
    to path: String, metadata: [String: String] = [:], keepsTrainingNodes: Bool = false
  ) throws(ONNXError) {
    if let found = store.nonFiniteStatistics.first, case .statistic(let name) = found.source {
      throw .nonFiniteStatistic(name: name, value: found.value)
    }
    let entries = knownMetadata.merging(metadata) { _, given in given }
      .sorted { $0.key < $1.key }.map { key, value in MetadataEntry(key: key, value: value) }
    if let template = template as? ONNXTemplate {
      return try SourceExport(template.trace, store, keepsTrainingNodes: keepsTrainingNodes)
        .write(to: path, metadata: entries)
    }
    var draft = try onnxDraft()
    draft.metadata = entries
    try draft.content.write(toModel: path)
  }

  /// What the model says of itself and its file doesn't.
  private var knownMetadata: [String: String] {
    var known = ONNXFile.Metadata(
      preprocessing: preprocessing, classNames: classNames, classAxis: classAxis)
    if preprocessing == template.preprocessing { known.preprocessing = nil }
    if classNames == template.classNames { known.classNames = nil }
    if classAxis == template.classAxis { known.classAxis = nil }
    if classNames == nil, let template = template as? ONNXTemplate, template.hasNewHead,
      template.metadata[ONNXFile.Metadata.classNamesKey] != nil
    {
      // The file's names are those of the old head.
      known.classNames = []
    }
    return known.entries
  }

  /// Refuses a model that can't be written as ONNX, for example before a long training run.
  ///
  /// - Throws: ``ONNXError`` when an operation has no equivalent in ONNX.
  public func checkONNXExport() throws(ONNXError) {
    if let template = template as? ONNXTemplate {
      _ = try SourceExport(template.trace, store, keepsTrainingNodes: false)
    } else {
      _ = try onnxDraft()
    }
  }

  private func onnxDraft() throws(ONNXError) -> ModelDraft {
    ModelDraft(
      graph: try GraphExport.draft(of: graph, name: "crest") { [store] declaration in
        guard let entry = store.entry(named: declaration.name) else {
          programmerError("the store has no variable \(declaration.name)")
        }
        return store.value(of: entry)
      })
  }
}
