import ArgumentParser
import CrestState
import CrestTensor
import CrestTraining
import Foundation

/// A process that saves all the time and tells each save that it was promised: what is killed.
struct Writer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "write", abstract: "Save all the time until killed.", shouldDisplay: false)

  @Argument var folder: String
  @Option var kibibytes = 1024
  @Flag(help: "Write the file in its place, as a control that must lose.") var inPlace = false

  func run() throws {
    let folder = try CheckpointFolder(folder)
    var step = try folder.newest().map { StateSample.step(of: $0.state) } ?? 0
    let name = { (step: Int) in inPlace ? "c" : "c-\(step)" }
    while true {
      step += 1
      let state = StateSample.state(step: step, kibibytes: kibibytes)
      if inPlace {
        try write(CheckpointFile.bytes(of: state), to: folder.path(of: name(step)))
      } else {
        try folder.save(state, as: name(step))
        if step > 3 { try folder.remove(name(step - 3)) }
      }
      // One call, so that what is promised is promised whole.
      FileHandle.standardOutput.write(Data("\(step)\n".utf8))
    }
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    let handle = try FileHandle(forWritingTo: created(path))
    try handle.truncate(atOffset: 0)
    for start in stride(from: 0, to: bytes.count, by: 65536) {
      try handle.write(contentsOf: bytes[start..<min(start + 65536, bytes.count)])
    }
    try handle.close()
  }

  private func created(_ path: String) throws -> URL {
    if !FileManager.default.fileExists(atPath: path) {
      try Data().write(to: URL(filePath: path))
    }
    return URL(filePath: path)
  }
}

/// States that tell which save they are of, and whether they are whole.
enum StateSample {
  static func state(step: Int, kibibytes: Int) -> RunState {
    let values = [Float](repeating: Float(step), count: kibibytes * 256)
    return RunState(
      .fields([
        "run": .fields(["epochsBegun": .integer(step)]),
        "model": .fields(["parameters": .fields(["w": .array(Tensor(values))])]),
      ]))
  }

  static func step(of state: RunState) -> Int {
    guard case .integer(let step) = state.fields[StateValue.Path(["run", "epochsBegun"])],
      let values = state.weights["w"]?.array(as: Float.self),
      values.allSatisfy({ $0 == Float(step) })
    else { return -1 }
    return step
  }
}
