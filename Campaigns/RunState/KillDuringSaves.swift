import ArgumentParser
import CrestState
import CrestTensor
import CrestTraining
import Foundation

/// Kills a saving process again and again, and asks whether the newest checkpoint is one it had promised or a
/// later one.
struct KillDuringSaves: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kill-during-saves", abstract: "kill -9 while checkpoints are saved.")

  @Option var count = 1000
  @Option var seed: UInt64 = 1
  @Flag(help: "Write files in their place, which must lose checkpoints.") var control = false

  func run() throws {
    let folder = try TemporaryFolder()
    let random = Philox(seed: seed, stream: 1)
    var (saves, lost, halfWritten) = (0, 0, 0)
    for kill in 0..<count {
      let process = try Child(
        ["write", folder.path] + (control ? ["--in-place"] : []))
      // Every other one perhaps before its first save is done.
      if control || kill.isMultiple(of: 2) { process.waitForPromise() }
      usleep(UInt32(random.integer(below: 30_000, UInt64(kill))))
      let promised = process.kill()
      saves += promised.count
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      if names.contains(where: { $0.hasPrefix(".tmp-") }) { halfWritten += 1 }
      let found = try? CheckpointFolder(folder.path).newest()
      let step = found.map { StateSample.step(of: $0.state) } ?? 0
      if step < promised.last ?? 0 { lost += 1 }
      if control && found == nil {
        for name in names where name.hasSuffix(".safetensors") {
          try FileManager.default.removeItem(atPath: folder.path + "/" + name)
        }
      }
    }
    try Verdict(
      name: control
        ? "kill-during-saves, control writing in place (must lose)" : "kill-during-saves",
      counts: [
        ("seed", Int(seed)), ("kills", count), ("promised saves", saves),
        ("half-written files seen", halfWritten), ("promised and lost", lost),
      ], isGood: control ? lost > 0 : lost == 0
    ).report()
  }
}

/// This program, started again.
final class Child {
  private let process = Process()
  private let pipe = Pipe()
  private var output = Data()

  init(_ arguments: [String], executable: URL = Child.own) throws {
    process.executableURL = executable
    process.arguments = arguments
    process.standardOutput = pipe
    try process.run()
  }

  static let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()

  /// Waits for its first line.
  func waitForPromise() { output += pipe.fileHandleForReading.availableData }

  /// Kills it, and reads the numbers it had written in whole lines.
  func kill() -> [Int] {
    Foundation.kill(process.processIdentifier, SIGKILL)
    output += pipe.fileHandleForReading.readDataToEndOfFile()
    let text = String(decoding: output, as: UTF8.self)
    process.waitUntilExit()
    let whole =
      text.hasSuffix("\n")
      ? text[...] : text.prefix(upTo: text.lastIndex(of: "\n") ?? text.startIndex)
    return whole.split(separator: "\n").compactMap { Int($0) }
  }
}

/// A folder that goes when this does.
final class TemporaryFolder {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appending(path: "crest-campaign-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
