import ArgumentParser
import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import Foundation
import ProcessSupport

/// Reads, checks, trains and writes a model of 100 MB, and measures time and memory.
struct Large: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read and write a model of 100 MB.",
    discussion: """
      Fails unless reading and checking takes less than 100 ms at best, and writing all of its \
      parameters anew less than 32 MiB beyond the file's own pages.
      """)

  @Option(help: "How often it is read.")
  var repeats = 20

  private static let width = 1024
  private static let layers = 24
  private static let secondsLimit = 0.1
  private static let kibibytesLimit = 32 << 10

  func run() throws {
    let folder = try TemporaryFolder()
    let floats = folder["floats.onnx"].path
    let integers = folder["integers.onnx"].path
    try draft().content.write(toModel: floats)
    try withIntegers().write(toModel: integers)
    var isGood = true
    for (what, path) in [("raw floats", floats), ("and 45 MB of int64 varints", integers)] {
      let times = try (0..<max(repeats, 1)).map { _ in try readingTime(path) }.sorted()
      isGood = isGood && times[0] < Self.secondsLimit
      let size = try ByteSource(path: path).byteCount
      report(
        "read and checked, \(what), \(size) bytes: best \(milliseconds(times[0])), median "
          + "\(milliseconds(times[times.count / 2])) of \(times.count)")
    }
    let growth = try exportGrowth(floats, to: folder["out.onnx"].path)
    isGood = isGood && growth < Self.kibibytesLimit
    report("all parameters written anew: \(growth) KiB beyond the file's own pages")
    guard isGood else { throw ExitCode.failure }
  }

  // MARK: Models

  /// Products of matrices, of 25 million parameters.
  private func draft() -> ModelDraft {
    let size = Self.width
    var graph = GraphDraft(name: "large")
    let type = TensorDataType(.float32)
    graph.inputs = [
      ValueDraft(name: "v0", dataType: type, shape: [.parameter("N"), .size(Int64(size))])
    ]
    graph.outputs = [
      ValueDraft(
        name: "v\(Self.layers)", dataType: type, shape: [.parameter("N"), .size(Int64(size))])
    ]
    for layer in 0..<Self.layers {
      let values = (0..<size * size).map { Float(($0 &* 2_654_435_761 &+ layer) % 1000) / 1e5 }
      graph.initializers.append(
        TensorDraft(name: "w\(layer)", Tensor(values, shape: [size, size])))
      graph.nodes.append(
        NodeDraft(
          "MatMul", name: "product\(layer)", inputs: ["v\(layer)", "w\(layer)"],
          outputs: ["v\(layer + 1)"]))
    }
    return ModelDraft(graph: graph)
  }

  /// The same, with an initializer of 9 million numbers of five bytes.
  private func withIntegers() -> WireContent {
    let number: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x01]
    let count = 9_000_000
    var model = WireContent()
    let source = draft()
    model.append(1, integer: source.irVersion)
    model.append(7) { graph in
      graph.append(source.graph.content)
      graph.append(5) { tensor in
        tensor.append(1, integer: Int64(count))
        tensor.append(2, integer: Int64(TensorDataType(.int64).rawValue))
        tensor.append(7, bytes: [UInt8]((0..<count).lazy.flatMap { _ in number }))
        tensor.append(8, text: "integers")
      }
    }
    model.append(8) { $0.append(2, integer: 17) }
    return model
  }

  // MARK: Measurements

  private func readingTime(_ path: String) throws -> Double {
    let clock = ContinuousClock()
    let time = try clock.measure {
      guard try ONNXFile(path: path).inputNames == ["v0"] else {
        throw CampaignError("\(path): expected the input v0")
      }
    }
    return Double(time.components.attoseconds) / 1e18 + Double(time.components.seconds)
  }

  /// How much more memory than before it takes to write a model whose parameters all changed, in KiB,
  /// without pages of the file itself.
  private func exportGrowth(_ path: String, to output: String) throws -> Int {
    let model = try Model(onnx: path)
    model.store.withBuffer(.parameters) { floats in
      for place in floats.indices { floats[place] += 1 }
    }
    let before = try ProcessMemory()
    try ProcessMemory.forgetPeak()
    try model.exportONNX(to: output)
    let after = try ProcessMemory()
    guard try ByteSource(path: output).byteCount > 100_000_000 else {
      throw CampaignError("\(output): expected more than 100 MB")
    }
    report(
      "writing: \(before.resident) KiB before, \(after.peak) KiB at most, with \(after.file - before.file) "
        + "KiB more of the file's pages")
    return after.peak - before.resident - (after.file - before.file)
  }

  private func milliseconds(_ seconds: Double) -> String {
    String(format: "%.2f ms", seconds * 1000)
  }
}

/// What Linux says of this process's memory, in KiB.
struct ProcessMemory {
  let resident: Int
  /// The part of it that is pages of files.
  let file: Int
  /// The most it was.
  let peak: Int

  init() throws {
    let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    func number(_ name: String) throws -> Int {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
      guard let word = line?.split(whereSeparator: \.isWhitespace).dropFirst().first,
        let number = Int(word)
      else { throw CampaignError("/proc/self/status: expected \(name)") }
      return number
    }
    (resident, file, peak) = (
      try number("VmRSS"), try number("RssFile"), try number("VmHWM")
    )
  }

  /// Lets the peak begin anew.
  static func forgetPeak() throws {
    try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
  }
}
