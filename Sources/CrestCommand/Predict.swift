import ArgumentParser
import Crest
import Foundation

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predict with a network.",
    discussion: """
      The first dimension of each input counts the examples. A network that crest trained says how its \
      data were prepared, and values are prepared likewise; else they are taken as they are. \
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
    parsing: .unconditional,
    help: ArgumentHelp(
      "Threads; makes no difference to results (default: all cores).", valueName: "n"))
  var threads: Int?

  func run() throws {
    let pipes = try [NamedOutput("--output", output)].open()
    defer { pipes.close() }
    let engine = try Engine(threadCount: threads)
    let file = try ONNXFile(path: model)
    let inputs = try readInputs(file.inputNames)
    let shapes = inputs.mapValues { Shape(Array($0.shape.dropFirst())) }
    let template = try ONNXTemplate(file, inputShapes: shapes)
    let network = try Model(template: template, engine: engine)
    let preprocessing = try preprocessing(in: template)
    let prediction = try predict(
      network,
      network.inputs.compactMap { input in
        try inputs[input.name]?.prepared(by: preprocessing)
      })
    Interruption.finish("the predictions are being written")
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

  private func readInputs(_ names: [String]) throws -> [String: Tensor] {
    var inputs: [String: Tensor] = [:]
    for argument in input {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let isNamed = parts.count == 2 && names.contains(String(parts[0]))
      guard isNamed || names.count == 1 else {
        throw CommandError.unknownName(
          what: "--input", name: parts.count == 2 ? String(parts[0]) : argument, known: names)
      }
      if !isNamed, parts.count == 2, !FileManager.default.fileExists(atPath: argument) {
        throw CommandError.unknownInput(String(parts[0]), known: names)
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
  /// The values that a model sees for these stored ones.
  fileprivate func prepared(by preprocessing: Preprocessing) throws -> Tensor {
    guard !preprocessing.isIdentity else { return self }
    let channels = preprocessing.mean.count
    let size = shape.dropFirst(2).reduce(1, *)
    guard channels == 0 || shape.rank >= 2 && shape[1] == channels else {
      throw CommandError.channels(expected: channels, shape: Shape(Array(shape.dropFirst())))
    }
    let values = doubles.enumerated().map { place, stored in
      preprocessing.value(stored, channel: channels == 0 ? 0 : place / size % channels)
    }
    return Tensor(values, shape: shape)
  }

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
