public import CrestGraph

/// What was found in a model from elsewhere that matters for training it, with what to do about it.
public struct TrainingReadiness: Sendable, Equatable, CustomStringConvertible {
  /// Why an array is not trained.
  public enum FixedReason: Sendable, Equatable {
    /// The selection of parameters says so.
    case asked
    /// Training computes in `float32`.
    case elementType(String)
    /// Its numbers are those of a mask that is added to scores.
    case mask
    /// A number in arithmetic is a setting.
    case scalar
  }

  /// Something found.
  public enum Note: Sendable, Equatable {
    /// Many convolutions and no normalisation: an exporter folded batch norm into the filters.
    case foldedBatchNorm(convolutions: Int)
    /// No dropout in a model exported for inference, which leaves it out.
    case noDropout
    /// The model ends in probabilities.
    case finalActivation(operation: String, node: String)
    /// Batch norm's running statistics are those of a new network that an exporter ran once.
    case tracedStatistics
    /// The model's shapes hold for one batch size only.
    case frozenBatch(Int)
    /// The model declares a batch size, but its shapes follow from the inputs'.
    case declaredBatch(Int)
    /// An array that several places read: they stay tied.
    case tied(name: String, uses: Int)
    /// An array that several places read only since it had equal elements when it was exported.
    case untied(name: String, into: [String])
    /// The last layer has another number of outputs than in the file, with new weights.
    case newHead(node: String, operation: String, from: Int, to: Int)
    /// An array that could be trained but isn't.
    case fixed(name: String, FixedReason)
    /// It isn't proved that the examples of a batch are computed one by one, or proved that they are not.
    case rowsTogether(RowMixing)
  }

  /// All that was found.
  public let notes: [Note]

  /// A line for each note.
  public var description: String { notes.map(\.description).joined(separator: "\n") }
}

extension TrainingReadiness.Note: CustomStringConvertible {
  /// What it is, what it means for training, and what to do.
  public var description: String {
    switch self {
    case .foldedBatchNorm(let count):
      "\(count) convolutions and no normalisation: batch norm was probably folded into the filters. "
        + "To train with it, export from PyTorch with torch.onnx.export(model, …, dynamo=False, "
        + "training=TrainingMode.TRAINING, do_constant_folding=False)"
    case .noDropout:
      "no Dropout: if the network has any, an export for inference left it out. To train with it, "
        + "export from PyTorch with "
        + "torch.onnx.export(model, …, dynamo=False, training=TrainingMode.TRAINING)"
    case .finalActivation(let operation, let node):
      "the model ends in \(operation) (\"\(node)\"): "
        + (operation == "Softmax" ? "cross-entropy" : "bce")
        + " takes what goes into it, predictions keep it"
    case .tracedStatistics:
      "batch norm's running statistics are those of a new network that the exporter ran once, on "
        + "numbers of its own: training begins them afresh, at mean 0 and variance 1"
    case .frozenBatch(let size):
      "the model is made for batches of \(size) only. Export it with a dynamic batch: "
        + "dynamic_axes={\"input\": {0: \"batch\"}}, or dynamic_shapes with dynamo"
    case .declaredBatch(let size):
      "the model declares batches of \(size), but takes others too"
    case .tied(let name, let uses):
      "\"\(name)\" is read in \(uses) places, which stay tied"
    case .untied(let name, let names):
      "\"\(name)\" is read in \(names.count) places and has equal elements: exporters merge equal "
        + "arrays, so they are trained apart, as \(names.map { "\"\($0)\"" }.joined(separator: ", "))"
    case .newHead(let node, let operation, let old, let new):
      "the head \"\(node)\" (\(operation)) has \(new) outputs in place of \(old), and its weights begin anew"
    case .fixed(let name, let reason):
      "\"\(name)\" is not trained: \(reason)"
    case .rowsTogether(let mixing) where mixing.kind == .combined:
      "the examples of a batch are not computed one by one: \(mixing). It predicts, from inputs as a whole; it "
        + "can be trained only if the batch lies along another axis (--batch-axis)"
    case .rowsTogether(let mixing):
      "it is not proved that the examples of a batch are computed one by one: \(mixing). Predictions are "
        + "made from inputs as a whole, and training begins with a trial"
    }
  }
}

extension TrainingReadiness.FixedReason: CustomStringConvertible {
  /// The reason and what to do.
  public var description: String {
    switch self {
    case .asked: "the selection of parameters says so"
    case .elementType(let type):
      "it is \(type), and training computes in float32; export the model in float32"
    case .mask: "it looks like a mask of scores; select it to train it"
    case .scalar: "it is a single number; select it to train it"
    }
  }
}
