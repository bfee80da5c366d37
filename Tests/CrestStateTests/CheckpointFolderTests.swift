import CrestState
import CrestTensor
import Testing
import TrainingTestSupport

/// Small states that tell how far their run was.
enum SampleState {
  static func after(_ epochs: Int, size: Int = 40) -> RunState {
    RunState(
      .fields([
        "run": .fields(["epochsBegun": .integer(epochs)]),
        "model": .fields([
          "parameters": .fields([
            "w": .array(Tensor((0..<size).map { Float($0 + epochs) })),
            "b": .array(Tensor([Float(epochs)])),
          ])
        ]),
        "fit": .null, "note": .text("é\"\\\n"), "third": .number(1 / 3),
        "list": .list([.null, .bool(true), .number(.infinity), .number(-.nan)]),
      ]))
  }

  static func epochs(of state: RunState) -> Int {
    if case .integer(let count) = state.fields[StateValue.Path(["run", "epochsBegun"])] {
      count
    } else {
      -1
    }
  }
}

@Suite struct CheckpointFileTests {
  @Test func `a state comes back to the bit, weights under their own names`() throws {
    let disk = SimulatedDisk()
    let state = SampleState.after(3)
    try CheckpointFile.write(state, to: "d/a", on: disk)
    #expect(try CheckpointFile.read("d/a", on: disk) == state)
    let bytes = try #require(disk["d/a"])
    #expect(try bytes == CheckpointFile.bytes(of: state), "the same state gives the same bytes")
    let contents = try Safetensors(parsing: bytes)
    #expect(contents.tensors.keys.sorted() == ["b", "w"])
    #expect(contents.metadata["crest.format"] == "2")
    #expect(state.weights.keys.sorted() == ["b", "w"])
    #expect(disk.paths == ["d/a"], "no temporary file stays")
  }

  @Test func `no change of a byte, and no missing one, is accepted`() throws {
    let state = SampleState.after(1, size: 3)
    let bytes = try CheckpointFile.bytes(of: state)
    let disk = SimulatedDisk()
    func accepts(_ damaged: [UInt8]) -> Bool {
      disk["d/a"] = damaged
      return (try? CheckpointFile.read("d/a", on: disk)) != nil
    }
    #expect(accepts(bytes))
    for place in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[place] ^= 1 << bit
        #expect(!accepts(damaged), "bit \(bit) of byte \(place)")
      }
      #expect(!accepts(Array(bytes.prefix(place))), "the first \(place) bytes")
      #expect(!accepts(bytes + bytes.prefix(place + 1)), "\(place + 1) bytes more")
    }
  }

  @Test func `what is wrong with a file is said`() throws {
    let disk = SimulatedDisk()
    func error(_ bytes: [UInt8]?) -> String? {
      disk["d/a"] = bytes
      return #expect(throws: CheckpointError.self) { try CheckpointFile.read("d/a", on: disk) }?
        .description
    }
    #expect(error(nil) == "d/a can't be read: No such file or directory (open)")
    #expect(
      error([1, 2, 3])
        == "d/a: a safetensors file has at least 10 bytes, but this one has 3; it is truncated, "
        + "or of another kind")
    let foreign = try Safetensors(tensors: ["w": Tensor(zeros: [2])]).bytes()
    #expect(
      error(foreign)
        == "d/a is not a checkpoint of crest, but another safetensors file; only its weights can "
        + "be loaded"
    )
    func file(_ metadata: [String: String]) throws -> [UInt8] {
      try Safetensors(tensors: [:], metadata: metadata).bytes()
    }
    #expect(
      error(try file(["crest.format": "3"]))
        == "d/a is a checkpoint of format 3, but this crest knows formats up to 2; use a newer crest"
    )
    #expect(
      error(try file(["crest.format": "x"]))
        == "d/a: the saved state is malformed: expected a format from 1 up in crest.format at offset 0 of "
        + "its text")
    #expect(
      error(try file(["crest.format": "1"]))
        == "d/a: the saved state is malformed: expected 64 digits in crest.sha256 at offset 0 of its text"
    )
    #expect(
      error(try file(["crest.format": "2"]))
        == "d/a: the saved state is malformed: expected 16 digits in crest.xxh64 at offset 0 of its text"
    )
    var damaged = try CheckpointFile.bytes(of: SampleState.after(1))
    damaged[damaged.count - 1] ^= 1
    #expect(
      error(damaged)
        == "d/a is damaged: its checksum is not the one it was written with; use an older checkpoint"
    )
  }

  /// States that no Crest writes, with the right checksum: whoever forges one can compute it.
  static let forged: [(String, String)] = [
    ("", "a digit"), ("[", "a digit"), ("{\"a\":1", "'}'"), ("{\"a\":1,\"a\":2}", "\"a\" once"),
    (String(repeating: "[", count: 100), "64 deep"), ("{\"a\":99999999999999999999}", "64 bits"),
    ("{\"a\":1e999}", "64 bits"), ("{\"\":\"w\"}", "a tensor called \"w\", used once"),
    ("{\"\":1}", "an array's name"), ("{\"\":\"\",\"bits\":\"x\"}", "a number's bits"),
    ("{\"a\":01}", "'}'"), ("nul", "a digit"), ("{} {}", "nothing more"),
  ]

  @Test(arguments: forged.indices)
  func `forged states are refused`(index: Int) throws {
    let (json, expected) = Self.forged[index]
    let disk = SimulatedDisk()
    disk["d/a"] = try CheckpointForgery.file(json: json, tensors: [:])
    let error = #expect(throws: CheckpointError.self) { try CheckpointFile.read("d/a", on: disk) }
    guard case .malformedState(_, _, let got) = error else {
      Issue.record("\(json): \(String(describing: error))")
      return
    }
    #expect(got.contains(expected), "\(json)")
  }

  @Test func `a tensor that the state doesn't use is refused`() throws {
    let disk = SimulatedDisk()
    disk["d/a"] = try CheckpointForgery.file(json: "{}", tensors: ["w": Tensor(zeros: [1])])
    let error = #expect(throws: CheckpointError.self) { try CheckpointFile.read("d/a", on: disk) }
    #expect(
      error?.description
        == "d/a: the saved state is malformed: expected a place for the tensor \"w\" at offset 0 of its "
        + "text")
  }
}

@Suite struct CheckpointFolderTests {
  @Test func `the newest that is as it was written wins, and the others stay`() throws {
    let disk = SimulatedDisk()
    let folder = try CheckpointFolder("d", on: disk)
    #expect(try folder.newest() == nil)
    for epochs in [2, 9, 10, 5] { try folder.save(SampleState.after(epochs), as: "c-\(epochs)") }
    disk["d/notes.txt"] = [1]
    disk["d/other.safetensors"] = try Safetensors(tensors: ["w": Tensor(zeros: [2])]).bytes()
    disk["d/cut.safetensors"] = [1, 2, 3]
    #expect(SampleState.epochs(of: try #require(try folder.newest()).state) == 10)

    var damaged = try #require(disk["d/c-10.safetensors"])
    damaged[damaged.count - 1] ^= 1
    disk["d/c-10.safetensors"] = damaged
    let found = try #require(try folder.newest())
    #expect(SampleState.epochs(of: found.state) == 9)
    #expect(found.path == "d/c-9.safetensors")
    #expect(found.rejected.count == 2)
    #expect(disk.paths.count == 7, "\(disk.paths)")

    for name in ["c-2", "c-5", "c-9"] { try folder.remove(name) }
    try folder.remove("c-2")
    let error = #expect(throws: CheckpointError.self) { try folder.newest() }
    #expect(
      error?.description
        == "no checkpoint in d can be read; the newest: d/cut.safetensors: a safetensors file "
        + "has at least 10 bytes, but this one has 3; it is truncated, or of another kind")
  }

  @Test func `only checkpoints are removed`() throws {
    let disk = SimulatedDisk()
    let folder = try CheckpointFolder("d", on: disk)
    disk["d/other.safetensors"] = try Safetensors(tensors: ["w": Tensor(zeros: [2])]).bytes()
    disk["d/cut.safetensors"] = [1, 2, 3]
    #expect(throws: CheckpointError.notACheckpoint(path: "d/other.safetensors")) {
      try folder.remove("other")
    }
    #expect(throws: CheckpointError.self) { try folder.remove("cut") }
    #expect(disk.paths.count == 2)
    for name in ["", ".hidden", "../x", "a/b", "a\0b"] { #expect(!CheckpointFolder.isName(name)) }
  }

  @Test func `a folder belongs to one run, and what a dead one left half-written goes`() throws {
    let disk = SimulatedDisk()
    // The disk of these tests knows one process that is no more.
    disk["d/.tmp-\(1 << 30)-ab-c.safetensors"] = [1]
    disk["d/.tmp-1-ab-c.safetensors"] = [1]
    disk["d/.tmp-file"] = [1]
    var folder: CheckpointFolder? = try CheckpointFolder("d", on: disk)
    #expect(disk.paths == ["d/.tmp-1-ab-c.safetensors", "d/.tmp-file"])
    let error = #expect(throws: CheckpointError.self) { try CheckpointFolder("d", on: disk) }
    #expect(
      error?.description
        == "d is in use by another run; choose another folder, or wait until that run ends")
    _ = folder
    folder = nil
    _ = try CheckpointFolder("d", on: disk)
  }

  static let errors: [CInt] = [
    5 /* EIO */, 28 /* ENOSPC */, 24 /* EMFILE */, 122 /* EDQUOT */, 4 /* EINTR */, 18, /* EXDEV */
  ]

  @Test(arguments: errors, [false, true])
  func `whichever call of a save fails, the checkpoint before is there`(code: CInt, happens: Bool)
    throws
  {
    let probe = SimulatedDisk()
    let probed = try CheckpointFolder("d", on: probe)
    try probed.save(SampleState.after(1), as: "c")
    probe.failing(nil)
    try probed.save(SampleState.after(2), as: "c")
    let calls = probe.calls
    #expect(calls.count >= 8, "\(calls)")
    for call in calls.indices {
      let disk = SimulatedDisk()
      let folder = try CheckpointFolder("d", on: disk)
      try folder.save(SampleState.after(1), as: "c")
      disk.failing(.init(call: call, code: code, happens: happens))
      let error = #expect(throws: CheckpointError.self) {
        try folder.save(SampleState.after(2), as: "c")
      }
      guard case .unwritable = error else {
        Issue.record("\(calls[call]): \(String(describing: error))")
        continue
      }
      disk.failing(nil)
      // The new one may be in its place when only the folder could not be brought to the disk.
      let found = try #require(try folder.newest(), "\(calls[call])")
      let epochs = SampleState.epochs(of: found.state)
      #expect(epochs == 1 || epochs == 2)
      if !calls[...call].contains("rename") { #expect(epochs == 1, "\(calls[call])") }
      // After a failed save the next one works.
      try folder.save(SampleState.after(3), as: "c")
      #expect(SampleState.epochs(of: try #require(try folder.newest()).state) == 3)
    }
  }

  /// Saves with keep-last-3, and looks at every disk that a loss of power may leave after every call.
  private func powerCuts(_ disk: SimulatedDisk, saves: Int) throws -> (states: Int, lost: Int) {
    final class Tally: @unchecked Sendable {
      var acknowledged = 0
      var states: Set<[String: [UInt8]]> = []
      var lost = 0
    }
    let tally = Tally()
    let folder = try CheckpointFolder("d", on: disk)
    disk.afterEachCall { disk in
      for contents in disk.statesAfterPowerLoss() where tally.states.insert(contents).inserted {
        let found = try? CheckpointFolder("d", on: SimulatedDisk(contents)).newest()
        let epochs = found.map { SampleState.epochs(of: $0.state) } ?? 0
        if epochs < tally.acknowledged { tally.lost += 1 }
      }
    }
    for epochs in 1...saves {
      try folder.save(SampleState.after(epochs, size: 12), as: "c-\(epochs)")
      tally.acknowledged = epochs
      if epochs > 3 { try folder.remove("c-\(epochs - 3)") }
    }
    disk.afterEachCall(nil)
    return (tally.states.count, tally.lost)
  }

  @Test func `no loss of power takes an acknowledged checkpoint`() throws {
    let (states, lost) = try powerCuts(SimulatedDisk(), saves: 8)
    #expect(states > 100)
    #expect(lost == 0)
  }

  @Test func `without fsync, most losses of power do`() throws {
    let (states, lost) = try powerCuts(.forgetful(), saves: 8)
    #expect(states > 100)
    #expect(2 * lost > states, "\(lost) of \(states)")
  }
}
