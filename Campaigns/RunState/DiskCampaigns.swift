import ArgumentParser
import CrestFiles
import CrestState
import CrestTensor
import CrestTraining
import TrainingTestSupport

/// Loses power after every call of many saves, and looks at every disk that may be left.
struct PowerCuts: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "power-cuts", abstract: "Every disk that a loss of power may leave.")

  @Option(help: "The saves to cut.") var count = 100
  @Flag(help: "Do without fsync, which must lose most.") var control = false

  /// What was seen, over all states of the disk.
  private final class Tally: @unchecked Sendable {
    var promised = 0
    var seen: Set<[String: [UInt8]]> = []
    var states = 0
    var lost = 0
  }

  func run() throws {
    let tally = Tally()
    let disk = control ? SimulatedDisk.forgetful() : SimulatedDisk()
    let folder = try CheckpointFolder("d", on: disk)
    disk.afterEachCall { disk in
      for contents in disk.statesAfterPowerLoss() where tally.seen.insert(contents).inserted {
        tally.states += 1
        let found = try? CheckpointFolder("d", on: SimulatedDisk(contents)).newest()
        if (found.map { SmallSample.step(of: $0.state) } ?? 0) < tally.promised { tally.lost += 1 }
      }
    }
    var best: [Int] = []
    for step in 1...count {
      tally.seen = []
      try folder.save(SmallSample.state(step: step), as: "c-\(step)")
      tally.promised = step
      // Keep the last three, and of the others each tenth as a best.
      if step > 3 {
        if (step - 3).isMultiple(of: 10) {
          best.append(step - 3)
        } else {
          try folder.remove("c-\(step - 3)")
        }
      }
    }
    try Verdict(
      name: control ? "power-cuts, control without fsync (must lose most)" : "power-cuts",
      counts: [("saves", count), ("states", tally.states), ("promised and lost", tally.lost)],
      isGood: control
        ? 2 * tally.lost > tally.states : tally.lost == 0 && tally.states >= 10 * count
    ).report()
  }
}

/// Lets every call of a save fail once with each of six errors, with and without taking effect.
struct FailingCalls: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "failing-calls", abstract: "Every system call of a save fails once.")

  @Flag(help: "Remove the older checkpoint first, which must lose it.") var control = false

  static let errors: [(name: String, code: CInt)] = [
    ("EIO", 5), ("ENOSPC", 28), ("EMFILE", 24), ("EDQUOT", 122), ("EINTR", 4), ("EXDEV", 18),
  ]

  func run() throws {
    let probe = SimulatedDisk()
    let probed = try CheckpointFolder("d", on: probe)
    try probed.save(SmallSample.state(step: 1), as: "c-1")
    probe.failing(nil)
    try probed.save(SmallSample.state(step: 2), as: "c-2")
    let calls = probe.calls.count
    var (faults, unreported, lost) = (0, 0, 0)
    for call in 0..<calls {
      for error in Self.errors {
        for happens in [false, true] {
          faults += 1
          let disk = SimulatedDisk()
          let folder = try CheckpointFolder("d", on: disk)
          try folder.save(SmallSample.state(step: 1), as: "c-1")
          if control { try folder.remove("c-1") }
          disk.failing(.init(call: call, code: error.code, happens: happens))
          if (try? folder.save(SmallSample.state(step: 2), as: "c-2")) != nil { unreported += 1 }
          disk.failing(nil)
          let step =
            (try? folder.newest()).flatMap { $0 }.map { SmallSample.step(of: $0.state) } ?? 0
          if step < 1 { lost += 1 }
        }
      }
    }
    try Verdict(
      name: control ? "failing-calls, control without an older one (must lose)" : "failing-calls",
      counts: [
        ("calls of a save", calls), ("errors", Self.errors.count), ("faults", faults),
        ("unreported", unreported), ("older lost", lost),
      ], isGood: control ? lost > 0 : lost == 0 && unreported == 0
    ).report()
  }
}

/// Damages checkpoints in many ways, none of which may be accepted.
struct DamagedFiles: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "damaged-files", abstract: "Damaged checkpoints, none of which may be accepted.")

  @Option var count = 100_000
  @Option var seed: UInt64 = 1
  @Flag(help: "Read the tensors without the checksum, which must accept damage.") var control =
    false

  func run() throws {
    let random = Philox(seed: seed, stream: 2)
    let originals = try (1...8).map { try CheckpointFile.bytes(of: SmallSample.state(step: $0)) }
    let disk = SimulatedDisk()
    var (accepted, unchanged) = (0, 0)
    for number in 0..<count {
      func draw(_ bound: Int, _ place: UInt64) -> Int {
        random.integer(below: bound, UInt64(number) * 8 + place)
      }
      let original = originals[draw(originals.count, 0)]
      var bytes = original
      switch draw(5, 1) {
      case 0: bytes[draw(bytes.count, 2)] ^= 1 << draw(8, 3)
      case 1: bytes = Array(bytes.prefix(draw(bytes.count, 2)))
      case 2:
        // Spliced with another one, at the same place or another.
        let other = originals[draw(originals.count, 2)]
        let cut = draw(bytes.count, 3)
        bytes = Array(
          bytes.prefix(cut) + other.dropFirst(draw(2, 4) == 0 ? cut : draw(other.count, 5)))
      case 3:
        let start = draw(bytes.count, 2)
        let end = min(bytes.count, start + 1 + draw(64, 3))
        for place in start..<end { bytes[place] = 0 }
      default: bytes += [UInt8](repeating: UInt8(draw(256, 2)), count: 1 + draw(64, 3))
      }
      if originals.contains(bytes) {
        unchanged += 1
        continue
      }
      disk["d/c"] = bytes
      if control {
        if (try? Safetensors(parsing: bytes)) != nil { accepted += 1 }
      } else if (try? CheckpointFile.read("d/c", on: disk)) != nil {
        accepted += 1
      }
    }
    try Verdict(
      name: control
        ? "damaged-files, control without checksum (must accept some)" : "damaged-files",
      counts: [
        ("seed", Int(seed)), ("files", count), ("of them as they were", unchanged),
        ("accepted", accepted),
      ], isGood: control ? accepted > 0 : accepted == 0
    ).report()
  }
}

/// Small states that tell which save they are of.
enum SmallSample {
  static func state(step: Int) -> RunState {
    RunState(
      .fields([
        "run": .fields(["epochsBegun": .integer(step)]), "text": .text("é\"\\\n"),
        "model": .fields([
          "parameters": .fields([
            "w": .array(Tensor((0..<24).map { Float($0 * step) })),
            "b": .array(Tensor([Float(step)])),
          ])
        ]),
      ]))
  }

  static func step(of state: RunState) -> Int {
    if case .integer(let step) = state.fields[StateValue.Path(["run", "epochsBegun"])] {
      step
    } else {
      0
    }
  }
}
