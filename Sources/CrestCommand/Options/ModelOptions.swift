import ArgumentParser
import Crest

/// The model and the data for training or evaluation.
struct ModelOptions: ParsableArguments {
  @Option(
    name: .customLong("model"),
    help: ArgumentHelp(
      "An ONNX file, a built-in network (\(Self.builtInNames.joined(separator: ", "))), or the weights of "
        + "one, as in a checkpoint (default: \(StandardRun.list(\.model))).",
      valueName: "name|file.onnx|file.safetensors"))
  private var givenModel: String?

  /// The network.
  var model: String { givenModel ?? (standard ?? .photographs).model }
  /// Whether the network was named.
  var isModelGiven: Bool { givenModel != nil }
  /// The names of all built-in networks.
  static let builtInNames = BuiltInModel.names + [Tabular.name] + TextModel.names

  @OptionGroup var weights: ArchitectureOption

  @Option(
    help: ArgumentHelp(
      "\(DataSource.summary); a folder of photographs with a folder for each class; a table, as a CSV file; or a text, as "
        + "book.txt.",
      valueName: "name|path"))
  var data: String

  @OptionGroup(title: "Tables") var table: TableOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The part of each class, or of all examples, that is held out for validation, where the data have no part of "
        + "their own for it (default: 0.2; of a text its last 0.1).", valueName: "x"))
  var validFraction: Double?

  @OptionGroup(title: "Images") var images: ImageOptions

  @OptionGroup(title: "Texts") var texts: TextOptions

  @Option(
    help: ArgumentHelp(
      "The loss to minimise: \(NamedLoss.all.map(\.usage).joined(separator: ", ")) (default: "
        + "\(Loss.standard(for: .int64).name) for classes, \(Loss.standard(for: .float32).name) "
        + "for numbers). Each takes reduction=mean|sum, too.",
      valueName: "name[:setting=x,…]"))
  var loss: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Label smoothing of the cross-entropy, from 0 to 1: the part of each target that is spread evenly over all "
        + "classes.", valueName: "x"))
  var labelSmoothing: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The class axis of the predictions, where axis 0 is the batch and -1 the last "
        + "axis (default: the one that the targets' shape implies; if there are several, the one the model "
        + "was trained with; then the only one along which target probabilities sum to 1; then that of the "
        + "network's final softmax; then 1).", valueName: "axis"))
  var classAxis: Int?

  @Option(
    help: ArgumentHelp(
      "The preprocessing: model, the model's own if it has one, otherwise as data; data, "
        + "the data set's own statistics; none, values as they are stored.",
      valueName: "choice"))
  var preprocessing = Preprocessing.Choice.model

  @Option(
    name: .customLong("batch-size"), parsing: .unconditional,
    help: ArgumentHelp(
      "Examples per batch (default: 64, or an ONNX file's fixed batch size; 256 for a table of 10,000 rows or more for "
        + "training).", valueName: "n"))
  var batchSize: Int?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "The batch axis of an input of an ONNX file, from 0, the first; its "
        + "name may be omitted if there is only one. May be repeated.", valueName: "[name=]axis"))
  var batchAxis: [String] = []

  @Option(
    name: .customLong("seed"), parsing: .unconditional,
    help: ArgumentHelp(
      "The seed of all random numbers: the same seed gives the same result.", valueName: "n"))
  var seedOption = SeedOption.standard

  /// The key of all random numbers.
  var seed: UInt64 { get throws(CommandError) { try seedOption.value() } }

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Number of threads; doesn't change the results (default: all cores).", valueName: "n"))
  var threads: Int?

  @Flag(help: "Print results as JSON, one object per line.")
  var json = false

  /// Refuses a missing model, which only some kinds of data have a default for.
  func validate() throws {
    guard givenModel != nil || standard != nil else {
      throw ValidationError("Missing expected argument '--model <name|file.onnx|file.safetensors>'")
    }
  }

  /// Reads the data and makes the network for it.
  ///
  /// With `keepsAll`, a set without a validation part uses all its examples for both training and
  /// validation. `headClasses` gives a network from a file a new last layer.
  func load(
    keepsAll: Bool = false, test: TestPart? = nil, headClasses: Int? = nil,
    headForData: Bool = false,
    selection: ParameterSelection = ParameterSelection()
  ) throws -> (data: DataSplit, model: Model, loss: Loss?) {
    let seed = try seed
    try checkFraction(keepsAll: keepsAll)
    var loss = try namedLoss()
    if let classAxis { loss = try (loss ?? .crossEntropy()).withClasses(along: classAxis) }
    if let headClasses {
      guard isFile else { throw CommandError.headOfBuiltIn(model: model) }
      guard headClasses >= 1 else { throw CommandError.headClasses(headClasses) }
      guard !model.isWeightsFile else { throw CommandError.headOfWeights(model) }
    }
    guard isFile || batchAxis.isEmpty else { throw CommandError.batchAxisOfBuiltIn(model: model) }
    let engine = try Engine(threadCount: threads)
    // Reading data may take seconds, so errors in the model come first.
    let source = try ModelSource(model, architecture: weights.architecture)
    var split = try loadData(divides: !keepsAll, test: test, for: source)
    if loss == nil { loss = split.train.preprocessing.table.flatMap { Tabular.loss(for: $0) } }
    if classAxis != nil || labelSmoothing != nil, self.loss == nil,
      case .values = split.train.target
    {
      throw LossError.noClasses(loss: Loss.standard(for: .float32).name)
    }
    switch source {
    case .file(let file, let weights):
      split = try arranged(split, for: file)
      func template(_ headClasses: Int?) throws -> ONNXTemplate {
        try ONNXTemplate(
          file, inputShapes: inputShapes(of: file, split), selection: selection,
          headClasses: headClasses, batchAxes: batchAxes(of: file.inputNames))
      }
      if let weights {
        return (split, try weights.model(template, seed: seed, engine: engine), loss)
      }
      return (
        split,
        try Model(
          template: template(
            headClasses ?? (headForData ? split.train.target.classNames?.count : nil)),
          seed: seed, engine: engine), loss
      )
    case .builtIn(let name, let weights):
      if let texts = split.train.preprocessing.texts {
        if let weights {
          return (
            split, try weights.textModel(name, for: texts, seed: seed, engine: engine), loss
          )
        }
        let name = name ?? model
        guard TextModel.names.contains(name) else {
          throw CommandError.modelOfNumbers(name, data: split.train.name)
        }
        return (split, try TextModel.make(name, for: split, seed: seed, engine: engine), loss)
      }
      if let name, TextModel.names.contains(name) {
        throw CommandError.modelOfTexts(name, data: split.train.name)
      }
      if let table = split.train.preprocessing.table,
        let built = try tabular(name, weights, table, loss, split, seed, engine)
      {
        return (split, built, loss)
      }
      guard name != Tabular.name else {
        throw CommandError.tabularOfOther(data: split.train.name)
      }
      guard split.train.inputs.count == 1 else {
        throw CommandError.severalInputs(
          model: name ?? model, data: split.train.name, count: split.train.inputs.count)
      }
      if let weights {
        // Without a name, the network is found by the example shape its weights were trained on.
        let shapes = Self.shapes(of: split.train.inputs[0].shape)
        let (built, shape) = try weights.builtInModel(
          name, inputs: shapes, seed: seed, engine: engine)
        return (try split.rearranged(to: shape), built, loss)
      }
      split = try arranged(split, forBuiltIn: name ?? model)
      let built = try BuiltInModel.make(
        name ?? model, input: split.train.inputs[0].shape,
        classes: outputCount(for: split, loss ?? .standard(for: split.train.target.elementType)),
        seed: seed, engine: engine)
      return (split, built, loss)
    }
  }

  private func checkFraction(keepsAll: Bool) throws(CommandError) {
    guard let validFraction else { return }
    guard validFraction > 0, validFraction < 1 else { throw .validFraction(validFraction) }
    guard !keepsAll else { throw .fractionOfAll }
  }

  /// The loss that was named, with its settings; nil for the default.
  private func namedLoss() throws -> Loss? {
    guard let labelSmoothing else {
      guard let named = loss.map(NamedSettings.init) else { return nil }
      return try Loss.named(named.name, settings: named.pairs(of: "--loss"))
    }
    let name = Loss.crossEntropy().name
    let named = NamedSettings(loss ?? name)
    var settings = try named.pairs(of: "--loss")
    guard try Loss.named(named.name, settings: settings).name == name else {
      throw CommandError.smoothingOfOther(loss: named.name)
    }
    guard labelSmoothing >= 0, labelSmoothing <= 1 else {
      throw CommandError.labelSmoothing(labelSmoothing)
    }
    let key = "label-smoothing"
    guard !settings.contains(where: { $0.key == key }) else {
      throw CommandError.repeatedSetting(owner: "--loss and --label-smoothing", setting: key)
    }
    settings.append((key, "\(labelSmoothing)"))
    return try Loss.named(name, settings: settings)
  }

  /// The batch size for a network and its training examples.
  func batchSize(for model: Model, _ data: DataSplit) -> Int {
    batchSize ?? model.template.fixedBatchSize ?? Self.tableBatchSize(for: data.train) ?? 64
  }

  /// Refuses a batch without examples.
  func checkBatchSize() throws(LearnerError) {
    if let batchSize, batchSize < 1 { throw .batchSize(batchSize) }
  }

  /// The batch axes by the names of the file's inputs.
  private func batchAxes(of names: [String]) throws(CommandError) -> [String: Int] {
    var axes: [String: Int] = [:]
    for argument in batchAxis {
      // A name may contain a =, a number can't.
      let place = argument.lastIndex(of: "=")
      let name = place.map { String(argument[..<$0]) }
      guard let axis = Int(place.map { argument[argument.index(after: $0)...] } ?? argument[...]),
        axis >= 0
      else { throw .batchAxis(argument) }
      guard let input = name ?? (names.count == 1 ? names[0] : nil), names.contains(input) else {
        throw .unknownInput(option: "--batch-axis", name, known: names)
      }
      guard axes.updateValue(axis, forKey: input) == nil else {
        throw .repeatedBatchAxis(input)
      }
    }
    return axes
  }

  /// Whether the network comes from a file and isn't built in.
  var isFile: Bool { networkName.isONNXFile }
  /// The option that names the network: the architecture for weights, otherwise the model.
  var networkName: String { weights.architecture ?? model }
  /// Whether the network counts as trained: true for parameters from an ONNX file or a checkpoint.
  var isTrained: Bool { model.isONNXFile || model.isWeightsFile }

  /// The inputs, by the option that names them.
  var inputs: [(option: String, path: String)] {
    [("--data", data), ("--model", model), ("--architecture", networkName)]
      + (images.labels.map { [("--labels", $0)] } ?? [])
      + (texts.tokenizer?.path.map { [("--tokenizer", $0)] } ?? [])
      + (table.valid.map { [("--valid", $0)] } ?? [])
  }

  /// The example shapes by the names of the file's inputs, for sizes that the file leaves open.
  private func inputShapes(of file: ONNXFile, _ split: DataSplit) -> [String: Shape] {
    let names = file.inputNames
    let inputs = split.train.inputs
    // A single input needs no name.
    if let name = names.first, names.count == 1, inputs.count == 1 {
      return [name: inputs[0].shape]
    }
    let known = inputs.filter { names.contains($0.name) }
    return Dictionary(known.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
  }

  /// The shapes to which examples of a shape can be rearranged, their own first.
  static func shapes(of stored: Shape) -> [Shape] {
    [stored] + ImageArrangement.all.compactMap { $0.result(of: stored) }
  }

  /// The data with their images in the layout that the file takes, if examples are along the first
  /// axis.
  private func arranged(_ split: DataSplit, for file: ONNXFile) throws -> DataSplit {
    guard batchAxis.isEmpty, let name = file.inputNames.first, file.inputNames.count == 1,
      split.train.inputs.count == 1, let sizes = file.exampleSizes(ofInput: name)
    else { return split }
    let stored = split.train.inputs[0].shape
    let arrangement = ImageArrangement(from: stored, toFit: sizes)
    return try arrangement?.result(of: stored, isKnown: true).map { try split.rearranged(to: $0) }
      ?? split
  }

  /// The data with their images channels first, as convolutions take them.
  private func arranged(_ split: DataSplit, forBuiltIn name: String) throws -> DataSplit {
    guard BuiltInModel.all.first(where: { $0.name == name })?.takesImages ?? false else {
      return split
    }
    let stored = split.train.inputs[0].shape
    let isChannelsLast = Preprocessing.Layout(ofImages: stored) == .channelsLast
    let arrangement: ImageArrangement? =
      isChannelsLast ? .channelsFirst : stored.rank == 2 ? .channelBefore : nil
    if let result = arrangement?.result(of: stored) { return try split.rearranged(to: result) }
    return split.notingAssumedChannels
  }

  /// The network for a table, if that is meant.
  private func tabular(
    _ name: String?, _ weights: CheckpointFile.Weights?, _ table: Preprocessing.Table,
    _ loss: Loss?,
    _ split: DataSplit, _ seed: UInt64, _ engine: Engine
  ) throws -> Model? {
    if let weights {
      return try weights.tabular(name, table, seed: seed, engine: engine)
    }
    guard name == Tabular.name else { return nil }
    let outputs = try outputCount(
      for: split, loss ?? .standard(for: split.train.target.elementType))
    return try Tabular.networks(for: table, outputs: outputs)[0].model(seed: seed, engine: engine)
  }

  private func outputCount(for split: DataSplit, _ loss: Loss) throws -> Int {
    let target = split.train.target
    switch target {
    // One binary output per example, or one for each of several.
    case .classes(_, let shape)
    where (loss.targets == .binary || loss.targets == .signs) && shape.rank <= 1:
      return shape.rank == 0 ? 1 : shape[0]
    case .classes(let names, let shape) where shape.rank == 0: return names.count
    case .classes(_, let shape) where shape.rank == 1:
      guard try split.withOneHotTargets(along: [1]) != nil else {
        throw CommandError.targetShape(model: model, data: split.train.name, shape: target.shape)
      }
      return shape[0]
    case .values(let shape) where shape.elementCount == 1 && shape.rank <= 1:
      return loss.traits.outputsPerTarget
    case .values(let shape) where shape.rank == 1 && loss.traits.outputsPerTarget == 1:
      return shape[0]
    case .classes, .values:
      throw CommandError.targetShape(model: model, data: split.train.name, shape: target.shape)
    }
  }
}

/// A seed as typed, so that the error for a wrong one can say what a seed is.
struct SeedOption: ExpressibleByArgument {
  static let standard = SeedOption(argument: "0")

  private let text: String

  init(argument: String) { text = argument }

  var defaultValueDescription: String { text }

  /// The number.
  func value() throws(CommandError) -> UInt64 {
    guard let value = UInt64(text) else { throw .seed(text) }
    return value
  }
}
