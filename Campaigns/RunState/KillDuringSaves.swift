import ArgumentParser
import CrestState
import CrestTensor
import CrestTraining
import Foundation
import ProcessSupport

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
      let run = try Executable.own.start(
        ["write", folder.path] + (control ? ["--in-place"] : []))
      // Every other one perhaps before its first save is done.
      if control || kill.isMultiple(of: 2) { _ = try run.wait { try !run.output().isEmpty } }
      usleep(UInt32(random.integer(below: 30_000, UInt64(kill))))
      run.send(SIGKILL)
      let promised = try Self.promises(in: run.finish())
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

  /// The numbers that were written in whole lines.
  private static func promises(in result: ProcessResult) throws -> [Int] {
    guard result.end == .signal(SIGKILL) else {
      throw ValidationError("a saving process ended with \(result.end): \(result.error)")
    }
    return result.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      .compactMap { Int($0) }
  }
}
