import ArgumentParser
import Foundation
import ONNXTestSupport

/// Which models are damaged, and how.
struct FuzzModels: ParsableArguments {
  @Option(help: "What the damage follows from.")
  var seed: UInt64 = 0xC4E5_7002

  @Option(help: "Folders with good models; those of more than 20,000 bytes are left out.")
  var corpus: [String] = []

  @Option(help: "Where models that fail are saved.")
  var folder = ".build/campaign/fuzz-onnx"

  private static let byteLimit = 20_000

  var arguments: [String] {
    ["--seed", "\(seed)", "--folder", folder] + corpus.flatMap { ["--corpus", $0] }
  }

  func mutator() throws -> ModelMutator {
    let models = try corpus.flatMap { folder in
      let names =
        FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
      return try names.filter { $0.hasSuffix(".onnx") }.sorted().map { name in
        [UInt8](try Data(contentsOf: URL(filePath: folder + "/" + name)))
      }
    }.filter { $0.count <= Self.byteLimit }
    guard !models.isEmpty else {
      throw CampaignError("--corpus: expected folders with small .onnx files, got \(corpus)")
    }
    return ModelMutator(models, seed: seed)
  }

  /// A folder in memory where there is such a thing, since each model is written to a file.
  func makeWorkFolder(name: String) throws -> String {
    let memory = "/dev/shm"
    let root =
      FileManager.default.isWritableFile(atPath: memory)
      ? memory : FileManager.default.temporaryDirectory.path
    let path = "\(root)/crest-fuzz-\(ProcessInfo.processInfo.processIdentifier)-\(name)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    // What the side files of good models are called, so that damaged ones find something.
    for side in ["external.data", "weights.bin"] {
      try Data(repeating: 0x3F, count: 4096).write(to: URL(filePath: path + "/" + side))
    }
    return path
  }
}
