import ArgumentParser
import Crest

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predict with a network.",
    discussion: """
      The first dimension of each input counts the examples. A network that crest trained says how its \
      data were prepared, and values are prepared likewise; else, and with --preprocessing none, they are \
      taken as they are. \
      Predictions are those of the network's first output.
      """)

  @Option(help: ArgumentHelp("An ONNX file.", valueName: "file.onnx"))
  var model: String

  @Option(
    help: ArgumentHelp(
      "A NumPy array for an input; its name may be left out when there is one. May be repeated.",
      valueName: "[name=]file.npy"))
  var input: [String]

  @Option(help: ArgumentHelp("The NumPy array to write.", valueName: "file.npy"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "What values are prepared by: model, as the model was trained where it says so; none, taken as they are.",
      valueName: "choice"))
  var preprocessing = PreprocessingChoice.model

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Threads; makes no difference to results (default: all cores).", valueName: "n"))
  var threads: Int?

  func run() throws {
    guard preprocessing != .data else { throw CommandError.preprocessingOfData }
    let engine = try Engine(threadCount: threads)
    let file = try ONNXFile(path: model)
    let inputs = try arranged(readInputs(file.inputNames), for: file)
    let shapes = inputs.mapValues { Shape(Array($0.shape.dropFirst())) }
    let template = try ONNXTemplate(file, inputShapes: shapes)
    let network = try Model(template: template, engine: engine)
    let prediction = try predict(
      network,
      network.inputs.compactMap { input in
        try inputs[input.name].map { try prepared($0, for: input, of: network) }
      })
    try writeFile(prediction.npyBytes(), to: output)
  }

  /// Predicts batch by batch, so that memory doesn't grow with the number of examples.
  private func predict(_ network: Model, _ inputs: [Tensor]) throws -> Tensor {
    let counts = inputs.map { $0.shape[0] }
    guard let count = counts.first, counts.allSatisfy({ $0 == count }) else {
      throw CommandError.exampleCounts(counts)
    }
    let size = network.template.fixedBatchSize ?? 64
    var bytes: [UInt8] = []
    var elementType = ElementType.float32
    for start in stride(from: 0, to: count, by: size) {
      let rows = start..<min(start + size, count)
      let part = try network.predict(inputs.map { $0.rows(rows) })
      elementType = part.elementType
      part.withUnsafeBytes { bytes += $0 }
    }
    let shape = Shape([count] + network.outputShape.dimensions)
    return bytes.withUnsafeBytes { Tensor(bytes: $0, shape: shape, elementType: elementType) }
  }

  /// The values that the model sees for these stored ones.
  private func prepared(
    _ stored: Tensor, for input: Model.Input, of network: Model
  ) throws -> Tensor {
    guard input.elementType == .float32 else { return stored }
    let isOfBytes = stored.elementType == .uint8
    let known = network.preprocessing
    if known == nil, isOfBytes {
      note(
        "the model doesn't say how its inputs were prepared: the bytes of \"\(input.name)\" are taken as "
          + "they are, from 0 to 255")
    }
    var chosen = Preprocessing.identity
    if let known, !known.isIdentity {
      guard network.inputs.count == 1 else {
        throw ModelError.preprocessingOfSeveral(inputs: network.inputs.count)
      }
      if preprocessing == .none {
        note(
          "the values of \"\(input.name)\" are taken as they are stored, not prepared as the model was "
            + "trained, \(known)")
      } else {
        chosen = known
        // Floats may have been prepared already, which bytes can't have been.
        if !isOfBytes {
          note(
            "the values of \"\(input.name)\" are prepared as the model was trained, \(known); "
              + "--preprocessing none takes them as they are stored")
        }
      }
    }
    // Other types than numbers that float32 has are refused by the model.
    guard !chosen.isIdentity || isOfBytes || stored.isExactInFloat else { return stored }
    do throws(PreprocessingError) {
      return try chosen.applied(to: stored)
    } catch {
      throw CommandError.unsuitableInput(error)
    }
  }

  /// The arrays with images as the file takes them.
  private func arranged(_ inputs: [String: Tensor], for file: ONNXFile) -> [String: Tensor] {
    guard let (name, tensor) = inputs.first, inputs.count == 1,
      let sizes = file.exampleSizes(ofInput: name)
    else { return inputs }
    let stored = Shape(Array(tensor.shape.dropFirst()))
    guard let arrangement = ImageArrangement(from: stored, toFit: sizes),
      let result = arrangement.result(of: stored)
    else { return inputs }
    note("\(DataNote.rearranged(from: stored, to: result))")
    return [name: arrangement.applied(to: tensor)]
  }

  private func note(_ text: String) { StandardError.write("Note: \(text)\n") }

  private func readInputs(_ names: [String]) throws -> [String: Tensor] {
    var inputs: [String: Tensor] = [:]
    for argument in input {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let isNamed = parts.count == 2 && names.contains(String(parts[0]))
      guard isNamed || names.count == 1 else {
        throw CommandError.unknownName(
          what: "--input", name: parts.count == 2 ? String(parts[0]) : argument, known: names)
      }
      let name = isNamed ? String(parts[0]) : names[0]
      let tensor = try TensorFile.readInput(isNamed ? String(parts[1]) : argument)
      guard inputs.updateValue(tensor, forKey: name) == nil else {
        throw CommandError.repeatedInput(name)
      }
    }
    if let missing = names.first(where: { inputs[$0] == nil }) {
      throw CommandError.missingInput(missing)
    }
    return inputs
  }
}

extension Tensor {
  /// Some examples along the first dimension.
  fileprivate func rows(_ rows: Range<Int>) -> Tensor {
    let size = shape.dropFirst().reduce(1, *) * elementType.byteCount
    return withUnsafeBytes { bytes in
      Tensor(
        bytes: UnsafeRawBufferPointer(
          rebasing: bytes[rows.lowerBound * size..<rows.upperBound * size]),
        shape: Shape([rows.count] + shape.dropFirst()), elementType: elementType)
    }
  }
}
