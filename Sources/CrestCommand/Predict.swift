import ArgumentParser
import Crest
import Foundation

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predict with a network.",
    discussion: """
      Inputs have the shapes and types that the file declares; the predictions are the values of its first \
      output. Many rows along the first dimension are predicted in batches if the network provably computes \
      rows independently; for a file with a fixed batch size, the last batch is padded. A network trained by \
      crest carries its preprocessing, which is applied to the inputs; if it has none, or with --preprocessing \
      none, values are used as they are.
      Of PNG and JPEG images, or folders of them, the classes and their probabilities are printed; of a table, as a CSV \
      file, a line for each row.
      """)

  @Option(
    help: ArgumentHelp(
      "An ONNX file, or the weights of a network, as in a checkpoint.",
      valueName: "file.onnx|file.safetensors"))
  var model: String

  @OptionGroup var weights: ArchitectureOption

  @Argument(
    help: ArgumentHelp(
      "PNG or JPEG images, and folders of them.", valueName: "image|folder"))
  var images: [String] = []

  @Option(
    help: ArgumentHelp(
      "A NumPy array for an input; its name may be omitted if there is only one. May be repeated.",
      valueName: "[name=]file.npy"))
  var input: [String] = []

  @Option(
    help: ArgumentHelp(
      "A table of the columns that the network was trained on, as a CSV file.",
      valueName: "file.csv"))
  var data: String?

  @OptionGroup(title: "Tables") var tableFormat: TableFormatOptions

  @Option(
    help: ArgumentHelp(
      "The file to write: a NumPy array of the predictions, or, of images and tables, their classes and probabilities, or "
        + "values, if it ends in .csv.",
      valueName: "file.npy|file.csv"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "The preprocessing: model, the model's own if it has one; none, values as they are.",
      valueName: "choice"))
  var preprocessing = InputPreparation.model

  @Option(
    help: ArgumentHelp(
      "The column of the table that has texts, for a model that was trained on texts of classes.",
      valueName: "column"))
  var text: String?

  @OptionGroup var tta: AugmentationsOption

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Number of threads; doesn't change the results (default: all cores).", valueName: "n"))
  var threads: Int?

  @Flag(help: "Print the predictions of images or of a table as JSON, one object per line.")
  var json = false

  func validate() throws {
    if text != nil, data == nil {
      throw ValidationError("--text: it has no effect without --data; name the table, or omit it")
    }
    if data != nil {
      guard images.isEmpty, input.isEmpty else {
        throw ValidationError(
          "--data and images or --input are given; predict for one of them at a time")
      }
      if let output, ![".npy", ".csv"].contains(where: output.lowercased().hasSuffix) {
        throw ValidationError("--output: expected a file that ends in .npy or .csv, got \(output)")
      }
      if tta.name != nil { throw ValidationError("--tta: a table has no other views; omit it") }
      return
    }
    if let option = tableFormat.given.first(where: \.isGiven)?.option {
      throw ValidationError(
        "\(option): it has no effect without --data; name the table, or omit it")
    }
    if images.isEmpty {
      if input.isEmpty {
        throw ValidationError(
          "Missing expected argument '<image|folder>', '--data <file.csv>' or '--input <[name=]file.npy>'"
        )
      }
      if output == nil { throw ValidationError("Missing expected argument '--output <file.npy>'") }
      if json { throw ValidationError("--json is for the predictions of images and texts") }
    } else if let output, ![".npy", ".csv"].contains(where: output.lowercased().hasSuffix) {
      throw ValidationError("--output: expected a file that ends in .npy or .csv, got \(output)")
    } else if !input.isEmpty {
      throw ValidationError("Images and --input are given; predict for one of them at a time")
    }
  }

  func run() throws {
    Notes.areEvents(json)
    let augmentations = try tta.augmentations()
    let outputs = try NamedOutput.list(("--output", output)).open(
      besides: [("--model", model)] + (data.map { [("--data", $0)] } ?? [])
        + images.map { ("images", $0) }
        + input.map { ("--input", $0) }
        + input.compactMap { text in
          text.firstIndex(of: "=").map { ("--input", String(text[text.index(after: $0)...])) }
        })
    defer { outputs.close() }
    let engine = try Engine(threadCount: threads)
    let source = try ModelSource(model, architecture: weights.architecture)
    if let data, let text {
      let given: [(option: String, isGiven: Bool)] =
        tableFormat.given + [("--preprocessing", preprocessing == .none)]
      for (option, isGiven) in given where isGiven {
        throw CommandError.needs(
          option: option, other: "other tables",
          advice: "omit it, as texts are cut into the model's tokens")
      }
      return try predictTexts(source, engine, data: data, column: text)
    }
    if let data { return try predictTable(data, source, engine) }
    guard images.isEmpty else {
      return try predictImages(source, engine, augmentations)
    }
    let prediction = try predict(source, engine, augmentations, reading: readInputs)
    Interruption.finish("the predictions are being written")
    if let output { try writeFile(prediction.values.npyBytes(), to: output) }
  }

  /// What a network predicts.
  struct Prediction {
    let values: Tensor
    let form: OutputForm
  }

  /// How stored arrays are read: by the names and types of a model's inputs, with where they are from.
  typealias Reading = (_ names: [String], _ elementType: (String) -> ElementType) throws -> (
    inputs: [String: Tensor], paths: [String: String]
  )

  /// The predictions for what `reading` gives.
  func predict(
    _ source: ModelSource, _ engine: Engine, _ augmentations: TestTimeAugmentation?,
    reading: Reading
  ) throws -> Prediction {
    switch source {
    case .file(let file, let weights):
      try predict(file, weights, engine, augmentations, reading)
    case .builtIn(let name, let weights):
      try predict(name, weights, engine, augmentations, reading)
    }
  }

  /// Runs a file on the inputs as they are.
  private func predict(
    _ file: ONNXFile, _ weights: CheckpointFile.Weights?, _ engine: Engine,
    _ augmentations: TestTimeAugmentation?, _ readInputs: Reading
  ) throws -> Prediction {
    let known = try weights?.preprocessing ?? file.metadata().preprocessing
    let types = Dictionary(
      uniqueKeysWithValues: file.inputNames.map { ($0, file.elementType(ofInput: $0) ?? .float32) })
    let (stored, paths) = try readInputs(file.inputNames) { types[$0] ?? .float32 }
    var inputs = arranged(stored, for: file)
    for name in file.inputNames {
      inputs[name] = try inputs[name].map {
        try prepared(
          $0, for: name, types[name] ?? .float32, by: known, inputCount: types.count)
      }
    }
    guard let weights else {
      if let mode = file.trainingMode { Notes.write("\(mode)") }
      let template = try ONNXSpecialization(file, inputs: inputs)
      try checkNumbers(of: inputs, paths, for: template.sample)
      return try predictions(
        of: Predictor(template, engine: engine), template.sample, for: template.inputs,
        augmentations)
    }
    // Whether the weights belong to this network can only be checked on the network for training.
    let shapes = inputs.mapValues { Shape(Array($0.shape.dropFirst())) }
    let network = try weights.model(
      { try ONNXTemplate(file, inputShapes: shapes, headClasses: $0) }, seed: 0, engine: engine)
    try checkNumbers(of: inputs, paths, for: network.graph)
    let values = try network.inputs.map { input in
      guard let value = inputs[input.name] else { throw CommandError.missingInput(input.name) }
      return value
    }
    return try predictions(
      of: Predictor(network.template, store: network.store, engine: engine), network.graph,
      for: values, augmentations)
  }

  /// The predictions, or the mean of those for views of each image.
  private func predictions(
    of predictor: Predictor, _ graph: Graph, for values: [Tensor],
    _ augmentations: TestTimeAugmentation?
  ) throws -> Prediction {
    let form = graph.outputForm
    guard let augmentations else {
      return Prediction(
        values: try predictor.predict(values, batchSize: Self.batchSize), form: form)
    }
    let output = graph.outputs.first.map { graph.type(of: $0.value) }
    let reason = augmentations.objection(
      toInputs: values.map { ($0.elementType, Shape(Array($0.shape.dropFirst()))) },
      prediction: output.map { Shape(Array($0.shape.dropFirst())) } ?? [])
    if let reason { throw LearnerError.augmentation(name: augmentations.name, reason: reason) }
    let mean = try augmentations.average(of: values[0]) {
      try predictor.predict([$0], batchSize: Self.batchSize)
    }
    return Prediction(values: mean, form: form)
  }

  /// Runs a built-in network with the weights of a checkpoint.
  private func predict(
    _ name: String?, _ weights: CheckpointFile.Weights?, _ engine: Engine,
    _ augmentations: TestTimeAugmentation?, _ readInputs: Reading
  ) throws -> Prediction {
    guard let weights else { throw CommandError.untrainedPrediction(model: name ?? model) }
    if let table = weights.preprocessing?.table,
      let network = try weights.tabular(name, table, seed: 0, engine: engine)
    {
      return try predict(network, readInputs)
    }
    let (inputs, paths) = try readInputs(["input"]) { _ in .float32 }
    guard let stored = inputs["input"], stored.shape.rank >= 1 else {
      throw CommandError.missingInput("input")
    }
    let given = Shape(Array(stored.shape.dropFirst()))
    let (network, shape) = try weights.builtInModel(
      name, inputs: ModelOptions.shapes(of: given), seed: 0, engine: engine)
    let values = try prepared(
      arranged(stored, toFit: shape.map { $0 }), for: "input", .float32,
      by: network.preprocessing)
    try checkNumbers(of: ["input": values], paths, for: network.graph)
    return try predictions(
      of: Predictor(network.template, store: network.store, engine: engine), network.graph,
      for: [values], augmentations)
  }

  /// Runs the network for a table on its inputs as they are.
  private func predict(_ network: Model, _ readInputs: Reading) throws -> Prediction {
    let types = Dictionary(
      uniqueKeysWithValues: network.inputs.map { ($0.name, $0.elementType) })
    let (inputs, paths) = try readInputs(network.inputs.map(\.name)) { types[$0] ?? .float32 }
    try checkNumbers(of: inputs, paths, for: network.graph)
    let values = try network.inputs.map { input in
      guard let value = inputs[input.name] else { throw CommandError.missingInput(input.name) }
      return value
    }
    return try predictions(
      of: Predictor(network.template, store: network.store, engine: network.engine), network.graph,
      for: values, nil)
  }

  /// Notes numbers that the network may swallow, and refuses indices out of range.
  private func checkNumbers(
    of inputs: [String: Tensor], _ paths: [String: String], for graph: Graph
  ) throws {
    let ranges = graph.indexRanges
    for port in graph.inputs {
      guard let tensor = inputs[port.name] else { continue }
      let found = DataError.UnusualNumbers.find(
        in: tensor, DataError.UnusualNumbers.Search(indexBound: ranges[port.value]?.count),
        input: port.name,
        of: paths[port.name] ?? port.name)
      for numbers in found {
        if case .indexOutOfRange = numbers.kind { throw LearnerError.unusualNumbers(numbers) }
        Notes.write("\(Learner.Note.unusualNumbers(numbers))")
      }
    }
  }

  /// The rows to predict at once, where that makes no difference.
  private static let batchSize = 64

  /// The preprocessed values for these stored ones.
  private func prepared(
    _ stored: Tensor, for input: String, _ elementType: ElementType, by known: Preprocessing?,
    inputCount: Int = 1
  ) throws -> Tensor {
    guard elementType == .float32 else { return stored }
    let isOfBytes = stored.elementType == .uint8
    if known == nil, isOfBytes {
      Notes.write(
        "the model doesn't say how its inputs were preprocessed: the bytes of \"\(input)\" are used as "
          + "they are, from 0 to 255")
    }
    var chosen = Preprocessing.identity
    if let known, !known.isIdentity {
      guard inputCount == 1 else { throw ModelError.preprocessingOfSeveral(inputs: inputCount) }
      if preprocessing == .none {
        Notes.write(
          "the values of \"\(input)\" are used as they are stored, not preprocessed as the model was "
            + "trained, \(known)")
      } else {
        chosen = known
        // Floats may have been preprocessed already; bytes can't have been.
        if !isOfBytes {
          Notes.write(
            "the values of \"\(input)\" are preprocessed as the model was trained, \(known); "
              + "--preprocessing none uses them as they are stored")
        }
      }
    }
    // The model refuses types whose numbers float32 can't represent.
    guard !chosen.isIdentity || isOfBytes || stored.isExactInFloat else { return stored }
    do throws(PreprocessingError) {
      return try chosen.applied(to: stored)
    } catch {
      throw CommandError.unsuitableInput(error)
    }
  }

  /// The arrays with images in the layout that the file takes.
  private func arranged(_ inputs: [String: Tensor], for file: ONNXFile) -> [String: Tensor] {
    guard let (name, tensor) = inputs.first, inputs.count == 1,
      let sizes = file.exampleSizes(ofInput: name)
    else { return inputs }
    return [name: arranged(tensor, toFit: sizes)]
  }

  /// An array with images in the layout of a network with these example sizes, where nil fits any.
  private func arranged(_ tensor: Tensor, toFit sizes: [Int?]) -> Tensor {
    let stored = Shape(Array(tensor.shape.dropFirst()))
    guard let arrangement = ImageArrangement(from: stored, toFit: sizes),
      let result = arrangement.result(of: stored, isKnown: true)
    else { return tensor }
    Notes.write("\(DataSplit.Note.rearranged(from: stored, to: result))")
    return arrangement.applied(to: tensor)
  }

  private func readInputs(
    _ names: [String], _ elementType: (String) -> ElementType
  ) throws -> (inputs: [String: Tensor], paths: [String: String]) {
    var inputs: [String: Tensor] = [:]
    var paths: [String: String] = [:]
    for argument in input {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let isNamed = parts.count == 2 && names.contains(String(parts[0]))
      // Text before `=` that isn't an input's name may be part of a file's name.
      let isFile = FileManager.default.fileExists(atPath: argument)
      guard isNamed || names.count == 1 && (parts.count == 1 || isFile) else {
        throw CommandError.unknownInput(
          option: "--input", parts.count == 2 ? String(parts[0]) : nil, known: names)
      }
      let name = isNamed ? String(parts[0]) : names[0]
      let path = isNamed ? String(parts[1]) : argument
      let tensor = try TensorFile.readInput(path, for: elementType(name))
      paths[name] = path
      guard inputs.updateValue(tensor, forKey: name) == nil else {
        throw CommandError.repeatedInput(name)
      }
    }
    if let missing = names.first(where: { inputs[$0] == nil }) {
      throw CommandError.missingInput(missing)
    }
    return (inputs, paths)
  }
}

/// The preprocessing of a prediction's inputs.
enum InputPreparation: String, CaseIterable, ExpressibleByArgument {
  case model
  case none
}
