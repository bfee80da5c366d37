import ArgumentParser
import Foundation

/// Trains nothing, but uses its files as a trainer would that maps them: looks at the beginning, and again at the end.
struct MappingReader: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "map", shouldDisplay: false)

  static func scene(_ model: [UInt8]) throws -> Scene {
    Scene(
      name: "mapped", arguments: ["map"],
      files: [Scene.File(path: "m.onnx", other: model.map { $0 ^ 1 })], contents: ["m.onnx": model])
  }

  func run() throws {
    let data = try Data(contentsOf: URL(filePath: "m.onnx"), options: .alwaysMapped)
    FileManager.default.createFile(atPath: "steps.csv", contents: nil)
    let log = try FileHandle(forWritingTo: URL(filePath: "steps.csv"))
    for step in 0...Scene.stepCount {
      try log.write(contentsOf: Data("\(step)\n".utf8))
      usleep(150)
    }
    try Data(data.map { $0 }).write(to: URL(filePath: "out.onnx"))
  }
}
