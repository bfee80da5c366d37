import ArgumentParser
import CrestState
import CrestTensor
import Foundation
import ProcessSupport

/// Something went wrong that the user of a campaign must know.
struct CampaignFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Changes each file that `crest train` opens, in every way, at every moment.
///
/// A run has to end with the network of one content of its files, or with an error that names the file, and every
/// checkpoint has to be whole.
@main
struct FileCampaign: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "file-campaign", abstract: "Change files while they are used.",
    subcommands: [Changes.self, MappingReader.self], defaultSubcommand: Changes.self)
}

struct Changes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "file-changes", abstract: "Make all changes.")

  @Option(help: "A model of 8 × 8 images in ten classes.") var model = "models/mlp.onnx"
  @Option(help: "How often each change of each file at each moment is made.") var repeats = 2
  @Option var seed: UInt64 = 1
  @Option(help: "The command crest; beside this program unless given.") var crest: String?
  @Option(help: "Only these files.") var file: [String] = []
  @Flag(help: "A program that maps its files in the place of crest, which must fail.") var control =
    false

  private enum Outcome: String, CaseIterable {
    /// The network of the files as they were.
    case unharmed
    /// The network of the new content, or that training diverged with it.
    case other
    /// An error that names the file.
    case refused
    /// The file wasn't there yet, or any more.
    case untouched
    // These are failures.
    case died, wrong, unexplained, damaged

    var isGood: Bool { [.unharmed, .other, .refused, .untouched].contains(self) }
  }

  private var executable: Executable {
    control ? .own : crest.map { Executable(path: $0) } ?? Executable("crest")
  }

  func run() throws {
    let source = Array(try Data(contentsOf: URL(filePath: model)))
    let command = crest.map { Executable(path: $0) } ?? Executable("crest")
    let scenes =
      control
      ? [try MappingReader.scene(source)]
      : [
        try .whole(model: source, crest: command), try .parts(model: source),
        try .resumed(model: source, crest: command),
      ]
    var counts: [Outcome: Int] = [:]
    var number: UInt64 = 0
    for scene in scenes {
      let expected = try network(of: scene, with: nil)
      report("\(scene.name): \(scene.files.count) files")
      for file in scene.files where self.file.isEmpty || self.file.contains(file.path) {
        let other = try file.other.map { try network(of: scene, with: (file.path, $0)) }
        if let other, other == expected {
          throw CampaignFailure("the other content of \(file.path) makes no difference")
        }
        for change in FileChange.allCases where !change.isValid || file.other != nil {
          for moment in Moment.allCases {
            for _ in 0..<repeats {
              number += 1
              let (outcome, detail) = try outcome(
                of: scene, file, change, moment, number, expected: expected, other: other)
              counts[outcome, default: 0] += 1
              if !outcome.isGood {
                report(
                  "\(outcome): \(scene.name), \(file.path) \(change) at the \(moment) (\(number)): \(detail)"
                )
              }
            }
          }
        }
      }
    }
    let bad = counts.filter { !$0.key.isGood }.values.reduce(0, +)
    let isGood = control ? bad > 0 : bad == 0
    report(
      "\(isGood ? "passed" : "FAILED") file-changes\(control ? ", control by a mapping reader (must fail)" : ""): "
        + "seed \(seed), changes \(number), "
        + Outcome.allCases.map { "\($0) \(counts[$0] ?? 0)" }.joined(separator: ", "))
    if !isGood { throw ExitCode(1) }
  }

  /// The network that a run ends with when nobody disturbs it.
  private func network(
    of scene: Scene, with other: (path: String, content: [UInt8])?
  ) throws -> [UInt8] {
    let folder = try scene.folder()
    if let other { try folder.write(other.content, to: other.path) }
    let result = try executable.run(scene.arguments, in: folder.url)
    guard result.status == 0 else {
      throw CampaignFailure("\(scene.name), undisturbed: \(result.end), \(result.error)")
    }
    return Self.network(in: folder)
  }

  /// What a run has exported, with its external data.
  private static func network(in folder: TemporaryFolder) -> [UInt8] {
    ["out.onnx", "out.onnx.data"].flatMap { name in
      // A file that is not there makes another network than any.
      Array((try? Data(contentsOf: folder[name])) ?? Data())
    }
  }

  private func outcome(
    of scene: Scene, _ file: Scene.File, _ change: FileChange, _ moment: Moment, _ number: UInt64,
    expected: [UInt8], other: [UInt8]?
  ) throws -> (Outcome, String) {
    let folder = try scene.folder()
    let random = Philox(seed: seed, stream: 7)
    let run = try executable.start(scene.arguments, in: folder.url)
    switch moment {
    case .start: usleep(UInt32(random.integer(below: 40_000, number)))
    case .middle: try wait(for: Scene.stepCount / 2, run, folder)
    case .end: try wait(for: Scene.stepCount - random.integer(below: 20, number), run, folder)
    }
    var path = file.path
    if path == Scene.newestCheckpoint { path = Scene.checkpoints(in: folder).last ?? path }
    // A run that ended early may have no checkpoint.
    let isChanged =
      try path == Scene.newestCheckpoint
      ? false : change.apply(to: folder[path].path, other: file.other ?? [])
    let result = try run.finish()
    for name in Scene.checkpoints(in: folder) where name != path {
      do { _ = try CheckpointFile.read(folder[name].path) } catch {
        return (.damaged, "\(name): \(error)")
      }
    }
    switch result.end {
    case .signal: return (.died, "\(result.end)")
    case .exit(0):
      // Whoever changes the result itself has what he wants.
      if path == "out.onnx", moment == .end { return (.untouched, "") }
      let network = Self.network(in: folder)
      if network == expected { return (isChanged ? .unharmed : .untouched, "") }
      if moment == .start, change.isValid, network == other { return (.other, "") }
      return (.wrong, "\(network.count) bytes")
    // Any bytes are numbers, with which training may diverge.
    case .exit(66) where moment == .start && !change.isValid: return (.other, "")
    case .exit(let code):
      let parts = path.split(separator: "/")
      let isNamed = parts.contains { result.error.contains($0) } && result.error.contains("Error: ")
      return isNamed ? (.refused, "") : (.unexplained, "\(code): \(result.error)")
    }
  }

  private func wait(for steps: Int, _ run: RunningProgram, _ folder: TemporaryFolder) throws {
    _ = try run.wait {
      let data = (try? Data(contentsOf: folder["steps.csv"])) ?? Data()
      return data.count { $0 == UInt8(ascii: "\n") } > steps
    }
  }
}

/// Writes a line at once, since a campaign may be watched, or stopped.
private func report(_ line: String) {
  print(line)
  fflush(nil)
}
