public import CrestGraph

/// What matters for training a model from elsewhere, with what to do about it.
public struct TrainingReadiness: Sendable, Equatable, CustomStringConvertible {
  /// Why an array is not trained.
  public enum FixedReason: Sendable, Hashable {
    /// The selection of parameters says so.
    case asked
    /// Training computes in `float32`.
    case elementType(String)
    /// Its values are those of an attention mask.
    case mask
    /// A number in arithmetic is a setting.
    case scalar
    /// It scales or shifts the input as it was given.
    case inputNormalization
    /// It is named as a mean, deviation or variance, and only arithmetic reads it.
    case statisticName
    /// It is a table of sines and cosines.
    case sinusoids
    /// It is a geometric series, or meets data as an angle only.
    case frequencies
    /// Only its square root meets data.
    case variance
    /// It is an identity matrix.
    case identity
    /// It consists of integers, or of equally spaced numbers.
    case positions
    /// It is a constant in the program, which keeps learned arrays elsewhere.
    case literal
    /// The exporter computed it, and all elements are equal.
    case filled
    /// It is the same filter for each channel.
    case filter
    /// It must be known before the model runs: a size, a ratio.
    case setting
    /// No gradient of the first output reaches it.
    case noGradient
    /// Only outputs other than the first, which is trained, depend on it.
    case otherOutput
    /// It holds no floats.
    case integers
    /// The file says that it is a buffer of the program.
    case buffer
    /// It is a single number that the exporter computed, perhaps from learned ones.
    case computedScalar
    /// It is a vector of spectral norm's power iteration, by name.
    case powerIteration
  }

  /// Why an array is trained when the file can't tell.
  public enum AssumedReason: Sendable, Hashable {
    /// The selection of parameters says so.
    case asked
    /// It is a single number that has a name in the program.
    case scalar
    /// The exporter computed it from arrays that it doesn't name.
    case computed
    /// Its values look like a designed filter or matrix, not a learned one.
    case pattern
    /// Many of its values are 0.
    case zeros
    /// One row of an embedding is 0.
    case paddingRow
    /// It scales or shifts the output.
    case outputScaling
    /// The exporter merged it with an array that isn't learned.
    case merged
  }

  /// An array that a file has a second time, in another arrangement.
  public struct RearrangedArray: Sendable, Equatable {
    /// The array that is the parameter.
    public let name: String
    /// The array that follows from it.
    public let copy: String

    /// An array and its rearranged copy.
    public init(name: String, copy: String) {
      self.name = name
      self.copy = copy
    }
  }

  /// An array that an exporter merged from several.
  public struct UntiedArray: Sendable, Equatable {
    /// The array in the file.
    public let name: String
    /// The parameters that it becomes, itself the first.
    public let copies: [String]

    /// An array and its copies.
    public init(name: String, copies: [String]) {
      self.name = name
      self.copies = copies
    }
  }

  /// Something found.
  public enum Note: Sendable, Equatable {
    /// Many convolutions and no normalisation: an exporter folded batch norm into the filters.
    case foldedBatchNorm(convolutions: Int)
    /// A value is named after a dropout that isn't there.
    case noDropout(name: String)
    /// The model ends in probabilities.
    case finalActivation(operation: String, node: String)
    /// Batch norm's running statistics are those of a new network that an exporter ran once.
    case tracedStatistics
    /// Batch norm's running statistics may be those of a network that an exporter ran once.
    case possiblyTracedStatistics
    /// The model's shapes hold for one batch size only.
    case frozenBatch(Int)
    /// The model declares a batch size, but its shapes follow from the inputs'.
    case declaredBatch(Int)
    /// Arrays that are used in several places: they stay tied.
    case tied(names: [String], uses: Int)
    /// Arrays that are used in several places only because their elements were equal at export.
    case untied([UntiedArray])
    /// Arrays that are several of the program's, according to the file, and were equal at export.
    case unmerged([UntiedArray])
    /// Arrays that are others in another arrangement: they stay tied.
    case rearranged([RearrangedArray])
    /// Arrays that begin as others in another arrangement, and are trained separately.
    case rearrangedApart([RearrangedArray])
    /// Nodes that compute with a batch's statistics, or drop values, if the file is run as it is.
    case trainingMode(normalizations: Int, dropouts: Int)
    /// The last layer has another number of outputs than in the file, with new weights.
    case newHead(node: String, operation: String, from: Int, to: Int)
    /// Parameters of the program for which the file has no array.
    case leftOut(names: [String])
    /// Arrays that could be trained but aren't.
    case fixed(names: [String], FixedReason)
    /// Arrays that are trained although the file can't tell whether they are learned.
    case assumed(names: [String], AssumedReason)
    /// It isn't proved that the examples of a batch are computed independently, or it is proved
    /// that they aren't.
    case rowsTogether(Graph.RowMixing)
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
    case .noDropout(let name):
      "no Dropout, but \"\(name)\": an export for inference left it out. To train with it, "
        + "export from PyTorch with "
        + "torch.onnx.export(model, …, dynamo=False, training=TrainingMode.TRAINING)"
    case .finalActivation(let operation, let node):
      "the model ends in \(operation) (\"\(node)\"): "
        + (operation == "Softmax" ? "cross-entropy" : "bce")
        + " uses its input, predictions still apply it"
    case .tracedStatistics:
      "batch norm's running statistics are those of a new network that the exporter ran once, on "
        + "its own numbers: training resets them to mean 0 and variance 1"
    case .possiblyTracedStatistics:
      "batch norm's running statistics may be those of a network that the exporter ran once, because no "
        + "variance is lower than a single step from 1 can leave it: training continues from them"
    case .frozenBatch(let size):
      "the model is made for batches of \(size) only. Export it with a dynamic batch: "
        + "dynamic_axes={\"input\": {0: \"batch\"}}, or dynamic_shapes with dynamo"
    case .declaredBatch(let size):
      "the model declares batches of \(size), but accepts other sizes too"
    case .tied(let names, let uses):
      "\(listed(names)) \(names.count == 1 ? "is" : "are each") used in \(uses) places, which stay tied"
    case .untied(let arrays):
      "\(listed(arrays.map(\.name))) \(arrays.count == 1 ? "has" : "have each") equal elements and "
        + "several uses that share nothing else: exporters merge equal arrays, so they are "
        + "trained separately, as \(listed(arrays.flatMap(\.copies)))"
    case .unmerged(let arrays):
      "\(listed(arrays.map(\.name))) \(arrays.count == 1 ? "is" : "are each") several arrays of the "
        + "program, which the exporter wrote once because they were equal: they are trained separately, as "
        + "\(listed(arrays.flatMap(\.copies)))"
    case .rearranged(let arrays):
      "\(listed(arrays.map(\.copy))) \(arrays.count == 1 ? "is" : "are") \(listed(arrays.map(\.name))) "
        + "in another arrangement, bit for bit: they stay tied, and the exported file has both"
    case .rearrangedApart(let arrays):
      "\(listed(arrays.map(\.copy))) \(arrays.count == 1 ? "begins" : "begin") as "
        + "\(listed(arrays.map(\.name))) in another arrangement: by their names they are not tied, and are "
        + "trained separately"
    case .trainingMode(let normalizations, let dropouts):
      "the file is in training mode (\(trainingNodes(normalizations, dropouts))): predictions and "
        + "evaluation run in inference mode, \(inference(normalizations, dropouts)); ONNX Runtime runs it as it "
        + "is, \(training(normalizations, dropouts))"
    case .newHead(let node, let operation, let old, let new):
      "the head \"\(node)\" (\(operation)) has \(new) outputs instead of \(old), and new weights"
    case .leftOut(let names):
      "the program's \(names.count == 1 ? "parameter" : "parameters") \(listed(names)) "
        + "\(names.count == 1 ? "has" : "have") no array in the file: nothing reads "
        + "\(names.count == 1 ? "it" : "them"), another is tied to \(names.count == 1 ? "it" : "them"), or "
        + "the exporter left \(names.count == 1 ? "it" : "them") out, such as a scale of 1 or a bias of 0"
    case .fixed(let names, let reason):
      "\(listed(names)) \(names.count == 1 ? "is" : "are") not trained: \(reason)"
        + (reason.isAssumed ? "; --unfreeze NAME overrides this" : "")
    case .assumed(let names, let reason):
      "\(listed(names)) \(names.count == 1 ? "is" : "are") trained: \(reason)"
        + (reason == .asked ? "" : "; --freeze NAME overrides this")
    case .rowsTogether(let mixing) where mixing.kind == .combined:
      "the examples of a batch are not computed independently: \(mixing). The model can predict, from inputs as a whole; it "
        + "can be trained only if the batch axis is another one (--batch-axis)"
    case .rowsTogether(let mixing):
      "it is not proved that the examples of a batch are computed independently: \(mixing). Inputs are "
        + "predicted as a whole, and training begins with a trial"
    }
  }

  /// The arrays that it is about, all of them.
  public var arrays: [String] {
    switch self {
    case .tied(let names, _), .fixed(let names, _), .assumed(let names, _): names
    case .untied(let arrays), .unmerged(let arrays): arrays.flatMap(\.copies)
    case .rearranged(let arrays), .rearrangedApart(let arrays):
      arrays.flatMap { [$0.name, $0.copy] }
    default: []
    }
  }

  private func trainingNodes(_ normalizations: Int, _ dropouts: Int) -> String {
    [(normalizations, "BatchNormalization"), (dropouts, "Dropout")].filter { $0.0 > 0 }
      .map { $0.0 == 1 ? $0.1 : "\($0.1) ×\($0.0)" }.joined(separator: ", ")
  }

  private func inference(_ normalizations: Int, _ dropouts: Int) -> String {
    (normalizations > 0 ? ["with running statistics"] : [] as [String])
      .appending(dropouts > 0 ? "without dropout" : nil).joined(separator: " and ")
  }

  private func training(_ normalizations: Int, _ dropouts: Int) -> String {
    (normalizations > 0 ? ["with the statistics of the batch"] : [] as [String])
      .appending(dropouts > 0 ? "dropping values at random" : nil).joined(separator: " and ")
  }

  private static let listedCount = 3

  /// As in `"a", "b", "c" and 5 more`.
  private func listed(_ names: [String]) -> String {
    let shown = names.count <= Self.listedCount + 1 ? names.count : Self.listedCount
    let first = names.prefix(shown).map { "\"\($0)\"" }
    if shown < names.count {
      return first.joined(separator: ", ") + " and \(names.count - shown) more"
    }
    return first.count < 2
      ? first.joined()
      : first.dropLast().joined(separator: ", ") + " and \(first[first.count - 1])"
  }
}

extension TrainingReadiness.FixedReason: CustomStringConvertible {
  /// The reason.
  public var description: String {
    switch self {
    case .asked: "excluded by the selection of parameters"
    case .elementType(let type):
      "\(type), and training computes in float32; export the model in float32"
    case .mask: "the values of an attention mask"
    case .scalar: "a single number in arithmetic is a setting"
    case .inputNormalization:
      "arithmetic with the raw input, as in a normalisation"
    case .statisticName: "a mean, standard deviation or variance, judging by its name"
    case .sinusoids: "a table of sines and cosines"
    case .frequencies: "frequencies of sines and cosines, or another geometric series"
    case .variance: "a variance, of which only the square root is used"
    case .identity: "an identity matrix"
    case .positions: "integers or equally spaced numbers, such as positions"
    case .literal: "constants in the program, which keeps learned arrays elsewhere"
    case .filled: "equal numbers computed by the exporter"
    case .filter: "the same filter for every channel"
    case .setting: "a size, ratio or other setting"
    case .noGradient: "no gradient of the first output reaches it"
    case .otherOutput:
      "used only for outputs other than the first, and only the first is trained"
    case .integers: "of an integer or boolean type"
    case .buffer: "registered as a buffer in the program, as the file says"
    case .computedScalar:
      "a single number computed by the exporter, perhaps from learned ones, such as exp(logit_scale) or 1 / p"
    case .powerIteration: "a vector of spectral norm's power iteration, by its name"
    }
  }

  /// Whether somebody may expect that it is trained.
  var isNoteworthy: Bool {
    switch self {
    case .scalar, .filled, .setting, .noGradient, .integers: false
    default: true
    }
  }

  /// Whether the file can't tell for certain.
  var isAssumed: Bool {
    switch self {
    case .asked, .elementType, .setting, .noGradient, .otherOutput, .integers, .buffer: false
    default: true
    }
  }
}

extension TrainingReadiness.AssumedReason: CustomStringConvertible {
  /// The reason.
  public var description: String {
    switch self {
    case .asked: "included by the selection of parameters"
    case .scalar: "a single number with a name in the program, perhaps learned"
    case .computed:
      "computed by the exporter from arrays that the file doesn't have; training doesn't "
        + "preserve what the computation did, such as a mask's zeros or a norm"
    case .pattern:
      "few distinct values, or an orthogonal, symmetric or averaging matrix: a fixed filter or transform, "
        + "or weights initialised like one"
    case .zeros:
      "many of its values are exactly 0, as after a mask, and training changes them"
    case .paddingRow:
      "one row of the embedding is 0, as PyTorch's padding_idx keeps it, and training changes it"
    case .outputScaling:
      "scales or shifts the output, perhaps by the targets' deviation and mean"
    case .merged:
      "equal to an array that isn't learned, so the exporter merged the two"
    }
  }
}

extension [String] {
  fileprivate func appending(_ text: String?) -> [String] { self + [text].compactMap(\.self) }
}
