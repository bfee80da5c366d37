import Foundation
import ProcessSupport
import Testing

/// Runs that end for what has nothing to do with training: they are saved first.
@Suite struct `Runs that end early` {
  private let it: CommandCase
  private let folder: TemporaryFolder

  init() throws {
    it = try CommandCase("epochs-overflow-trap")
    folder = it.folder
  }

  private static let saving = [
    "--checkpoint-dir", "run", "--checkpoint-every", "1000000000epochs",
  ]

  private func arguments(_ options: [String], epochs: Int = 1_000_000) -> [String] {
    [
      "train", "--model", "mlp", "--data", "data", "--epochs", "\(epochs)", "--max-lr", "0.01",
      "--threads", "1",
    ] + options
  }

  private func checkpoints() throws -> [String] {
    // Before the fit there is no folder.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder["run"].path)) ?? []
    // A file that is being written has a name of its own.
    return names.filter { $0.hasPrefix("checkpoint-") }
  }

  /// What a run that ended for `reason` says, with the steps that were taken.
  private func steps(_ result: ProcessResult, endedBy reason: String) throws -> Int {
    let end =
      #/ended training in epoch \d+ after (\d+) steps; the run is saved in run; resume it with --resume\n/#
    #expect(result.status == 74, "\(result.error)")
    #expect(result.error.contains("Error: \(reason); this "), "\(result.error)")
    return try #require(result.error.firstMatch(of: end).flatMap { Int($0.1) }, "\(result.error)")
  }

  private static let limiter = "/usr/bin/prlimit"

  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: limiter), "there is no prlimit"),
    arguments: ["--log", "--log-steps"])
  func `because neither log nor checkpoint can be written say both`(option: String) throws {
    let options = Self.saving + [option, "log.csv"]
    // Less than a checkpoint and more than what is said at the end, which goes into a file too.
    let failed = try Executable(path: Self.limiter).run(
      ["--fsize=4000", CrestProcess.path] + arguments(options), in: folder.url)
    #expect(failed.status == 74)
    #expect(
      failed.error.contains(
        #/Error: log\.csv can't be written: File too large; choose another path or make room; this ended training in epoch \d+ after \d+ steps; the run could not be saved: run/checkpoint-\d+\.safetensors can't be written: File too large \(write\); choose another path or make room; there is no checkpoint to resume from\n/#
      ), "\(failed.error)")
  }

  @Test(arguments: ["--log", "--log-steps"])
  func `because of a full log are saved, and the log has every row at the end`(option: String)
    throws
  {
    // A pipe whose reader goes away can't be written, as a disk that is full.
    #expect(mkfifo(folder["pipe"].path, 0o600) == 0)
    let reader = open(folder["pipe"].path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    let options = Self.saving + [option, "pipe"]
    let run = try CrestProcess.start(arguments(options), in: folder)
    var poll = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
    #expect(try run.wait { Foundation.poll(&poll, 1, 0) == 1 && poll.revents & Int16(POLLIN) != 0 })
    close(reader)
    let steps = try steps(
      run.finish(), endedBy: "pipe can't be written: Broken pipe; choose another path")
    let name = "checkpoint-" + String(repeating: "0", count: 10 - "\(steps)".count) + "\(steps)"
    #expect(try checkpoints() == [name + ".safetensors"])
    // The row that could not be written is in the checkpoint, and comes first in what the next reader gets.
    let second = open(folder["pipe"].path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    defer { close(second) }
    let again = try CrestProcess.start(arguments(options + ["--resume"]), in: folder)
    poll = pollfd(fd: second, events: Int16(POLLIN), revents: 0)
    #expect(
      try again.wait { Foundation.poll(&poll, 1, 0) == 1 && poll.revents & Int16(POLLIN) != 0 })
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(second, &bytes, bytes.count)
    let row = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    // Of an epoch of one step, which rows of epochs count from 1 and of steps from 0.
    let first = option == "--log" ? steps : steps - 1
    #expect(row.hasPrefix("\(first),"), "\(row) after \(steps) steps")
    again.send(SIGINT)
    #expect(try again.finish().status == 130)
  }

  @Test func `because of a log that was removed are saved`() throws {
    let run = try CrestProcess.start(arguments(Self.saving + ["--log", "log.csv"]), in: folder)
    #expect(try run.wait { ((try? folder.lines(of: "log.csv").count) ?? 0) > 2 })
    try FileManager.default.removeItem(at: folder["log.csv"])
    let steps = try steps(
      run.finish(), endedBy: "log.csv can't be written: it was removed during the run")
    #expect(try checkpoints().map { $0.contains("\(steps)") } == [true])
  }

  @Test func `because another callback can't save are saved`() throws {
    try folder.write([], to: "file")
    try FileManager.default.createDirectory(at: folder["best"], withIntermediateDirectories: true)
    let run = try CrestProcess.start(
      arguments(Self.saving + ["--callback", "model-checkpoint:folder=best,every=1steps"]),
      in: folder)
    #expect(
      try run.wait {
        // The lock and the probe of a folder that is being opened are no checkpoints.
        try FileManager.default.contentsOfDirectory(atPath: folder["best"].path)
          .contains { $0.hasPrefix("checkpoint-") }
      })
    // Removing it would meet files that the run adds meanwhile.
    try FileManager.default.moveItem(at: folder["best"], to: folder["gone"])
    let result = try run.finish()
    #expect(result.status == 74)
    let message =
      #/Error: 4 checkpoints in a row could not be saved, the last: best/checkpoint-\d+\.safetensors can't be written: No such file or directory \(open\); choose another path; there is no checkpoint to resume from; this ended training in epoch \d+ after \d+ steps; the run is saved in run; resume it with --resume\n/#
    #expect(result.error.firstMatch(of: message) != nil, "\(result.error)")
    #expect(
      result.error.contains(
        #/\n--callback model-checkpoint: best/checkpoint-\d+\.safetensors can't be written: No such file or directory \(open\); choose another path; training continues\n/#
      ), "\(result.error)")
  }

  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: limiter), "there is no prlimit"))
  func `because nothing can be saved any more name the newest checkpoint`() throws {
    let run = try CrestProcess.start(
      arguments(["--checkpoint-dir", "run", "--checkpoint-every", "1steps"]), in: folder)
    #expect(try run.wait { try !checkpoints().isEmpty })
    let limited = try Executable(path: Self.limiter).run(
      ["--pid", "\(run.processIdentifier)", "--fsize=20000"])
    #expect(limited.status == 0, "\(limited.error)")
    let result = try run.finish()
    #expect(result.status == 74)
    let newest = try #require(try checkpoints().max())
    #expect(
      result.error.hasSuffix(
        "can't be written: File too large (write); choose another path or make room; the newest "
          + "checkpoint is run/\(newest); resume from there with --resume\n"), "\(result.error)")
    #expect(result.error.contains("Error: 4 checkpoints in a row could not be saved, the last: "))
    #expect(!result.error.contains("BackupAndRestore"))
    #expect(result.error.contains("--checkpoint-dir: run/checkpoint-"))
  }

  /// Runs the command in a shell, which says how it ended.
  private func shell(_ script: String) throws -> RunningProgram {
    try Executable(path: "/bin/sh").start(
      ["-c", script, "sh", CrestProcess.path] + arguments(Self.saving + ["--log-steps", "s.csv"]),
      in: folder.url)
  }

  private func isTraining() -> Bool { ((try? folder.lines(of: "s.csv").count) ?? 0) > 2 }

  @Test func `because the terminal was closed are saved`() throws {
    let run = try shell(#"exec "$@""#)
    #expect(try run.wait(until: isTraining))
    run.send(SIGHUP)
    let result = try run.finish()
    #expect(result.status == 130, "\(result.error)")
    #expect(result.error.hasSuffix("; the run is saved in run; resume it with --resume\n"))
    #expect(try checkpoints().count == 1)
  }

  @Test func `go on without a terminal under nohup`() throws {
    let run = try shell(#"trap '' HUP; exec "$@""#)
    #expect(try run.wait(until: isTraining))
    run.send(SIGHUP)
    let before = try folder.lines(of: "s.csv").count
    #expect(try run.wait { try folder.lines(of: "s.csv").count > before + 20 })
    #expect(run.isRunning)
    run.send(SIGINT)
    #expect(try run.finish().status == 130)
    #expect(try checkpoints().count == 1)
  }

  @Test(arguments: [">pipe", ">pipe 2>&1", ">pipe --json"])
  func `while nobody reads what they print are saved`(redirection: String) throws {
    let reader = try StuckPipe(in: folder)
    let json = redirection.hasSuffix("--json")
    let run = try Executable(path: "/bin/sh").start(
      [
        "-c", #"exec "$@" \#(redirection.replacing(" --json", with: ""))"#, "sh", CrestProcess.path,
      ] + arguments(Self.saving + ["--log-steps", "s.csv"] + (json ? ["--json"] : [])),
      in: folder.url)
    try reader.waitUntilFull(by: run, log: "s.csv")
    run.send(SIGINT)
    let result = try run.finish()
    #expect(result.status == 130, "\(result.error)")
    #expect(try checkpoints().count == 1)
    if !redirection.contains("2>") {
      #expect(result.error.hasSuffix("; the run is saved in run; resume it with --resume\n"))
    }
    try reader.close()
  }

  @Test func `because a log's reader has stopped reading end when they are asked to`() throws {
    let reader = try StuckPipe(in: folder)
    let run = try CrestProcess.start(
      arguments(Self.saving + ["--log-steps", "pipe", "--log", "e.csv"]), in: folder)
    try reader.waitUntilFull(by: run, log: "e.csv")
    run.send(SIGTERM)
    let result = try run.finish()
    #expect(result.status == 130, "\(result.error)")
    #expect(try checkpoints().count == 1)
    try reader.close()
  }

  static let newFolders = [
    "--checkpoint-dir run --log run/log.csv --export run/x.onnx",
    "--export a/x.onnx --log-steps a/b/s.csv --checkpoint-dir a/b/run",
    "--log best/log.csv --callback model-checkpoint:folder=best",
  ]

  @Test(arguments: newFolders) func `may write into folders that they make`(options: String) throws
  {
    let options = options.split(separator: " ").map(String.init)
    let result = try CrestProcess.run(arguments(options, epochs: 1), in: folder)
    #expect(result.status == 0, "\(result.error)")
    for path in options where path.contains("/") && path.contains(".") {
      #expect(FileManager.default.fileExists(atPath: folder[path].path), "\(path)")
    }
  }

  @Test func `leave no folder behind when they can't begin`() throws {
    let before = try folder.names
    let result = try CrestProcess.run(
      arguments(["--checkpoint-dir", "a/b", "--log", "a/b/l.csv", "--data", "nowhere"], epochs: 1),
      in: folder)
    #expect(result.status == 64)
    #expect(try folder.names == before)
  }

  @Test func `tell in JSON why they ended`() throws {
    let diverged = try CrestProcess.run(
      arguments(["--json", "--max-lr", "1e10"], epochs: 3), in: folder)
    #expect(diverged.status == 66)
    let last = try #require(try diverged.objects().last)
    #expect(last["event"] as? String == "result")
    #expect(last["ended"] as? String == "diverged")
    #expect(last["exit_code"] as? Int == 66)
    let reason = try #require(last["reason"] as? String)
    #expect(diverged.error == "Error: \(reason)\n")
    #expect(try diverged.objects().count { $0["event"] as? String == "result" } == 1)
    for command in ["evaluate", "find-lr", "train"] {
      let training = command == "train" ? ["--epochs", "1", "--max-lr", "1"] : []
      let failed = try CrestProcess.run(
        [command, "--model", "nowhere.onnx", "--data", "data", "--json"] + training, in: folder)
      let object = try #require(try failed.objects().last)
      #expect(object["ended"] as? String == "failed", "\(command)")
      #expect(object["exit_code"] as? Int == 74, "\(command)")
      #expect("Error: \(object["reason"] ?? "")\n" == failed.error)
    }
  }

  @Test func `whose log is another one are told apart`() throws {
    let options = ["--checkpoint-dir", "run", "--log", "l1.csv"]
    #expect(try CrestProcess.run(arguments(options, epochs: 2), in: folder).status == 0)
    let log = try String(contentsOf: folder["l1.csv"], encoding: .utf8)
    let size = log.utf8.count
    let other = try CrestProcess.run(
      arguments(options + ["--log", "l2.csv", "--resume"], epochs: 2), in: folder)
    #expect(other.status == 74)
    #expect(
      other.error
        == "Error: l2.csv is not the log of this run, whose first \(size) bytes were written to "
        + "l1.csv; use that path, move the log, or give --partial callbacks.CSVLogger to start "
        + "it again\n")
    #expect(try !folder.names.contains("l2.csv"))
    // One that was moved is the same.
    try FileManager.default.moveItem(at: folder["l1.csv"], to: folder["l2.csv"])
    let moved = try CrestProcess.run(
      arguments(options + ["--log", "l2.csv", "--resume"], epochs: 2), in: folder)
    #expect(moved.status == 0, "\(moved.error)")
    try folder.write(Array("junk\n\(log)".utf8), to: "l1.csv")
    let changed = try CrestProcess.run(arguments(options + ["--resume"], epochs: 2), in: folder)
    #expect(changed.status == 74)
    #expect(
      changed.error
        == "Error: the first \(size) bytes of l1.csv are not those that were written to it "
        + "before the checkpoint; restore it, or give --partial callbacks.CSVLogger to start it "
        + "again\n")
    #expect(try String(contentsOf: folder["l1.csv"], encoding: .utf8) == "junk\n\(log)")
  }

  @Test func `tell of reductions of the learning rate`() throws {
    let options = [
      "--schedule", "constant", "--callback", "reduce-lr-on-plateau:patience=1,min-delta=10",
    ]
    let notes = [(2, "1e-3", "1e-2"), (3, "1e-4", "1e-3")].map { epoch, rate, before in
      "the learning rate is \(rate) instead of \(before) after epoch \(epoch): valid_loss has "
        + "not improved for 1 epoch"
    }
    let text = try CrestProcess.run(arguments(options, epochs: 4), in: folder)
    #expect(text.error == notes.map { "Note: \($0)\n" }.joined())
    let json = try CrestProcess.run(arguments(options + ["--json"], epochs: 4), in: folder)
    let told = try json.objects().filter { $0["event"] as? String == "note" }
      .compactMap { $0["text"] as? String }
    #expect(told == notes)
  }

  static let needs: [(options: String, message: String)] = [
    (
      "--checkpoint-every 1epochs",
      "--checkpoint-every: it has no effect without --checkpoint-dir; name the folder of the "
        + "run"
    ),
    (
      "--resume",
      "--resume: it has no effect without --checkpoint-dir; name the folder of the run"
    ),
    (
      "--checkpoint-dir run --partial run.seed",
      "--partial: it has no effect without --resume; add it, or omit both"
    ),
    (
      "--plugin-failure stop",
      "--plugin-failure: it has no effect without --plugin; name the plugin, or omit it"
    ),
    (
      "--frozen-norm trained",
      "--frozen-norm: it has no effect without --freeze or --freeze-to; name what to freeze, "
        + "or omit it"
    ),
  ]

  @Test(arguments: needs.indices)
  func `are refused where an option does nothing without another`(index: Int) throws {
    let (options, message) = Self.needs[index]
    let result = try CrestProcess.run(
      arguments(options.split(separator: " ").map(String.init), epochs: 1), in: folder)
    #expect(result.error == "Error: \(message)\n")
    #expect(result.status == 64)
    #expect(try !folder.names.contains("run"))
  }

  static let rates = ["0.1:1e-320", "1e-320", "1e39", "0.1,0.1,1e-320", ":1e-320", "1e-40:0.1"]

  @Test(arguments: rates) func `are refused for rates that float32 can't hold`(rate: String) throws
  {
    let result = try CrestProcess.run(arguments(["--max-lr", rate], epochs: 1), in: folder)
    #expect(result.status == 64)
    let number = rate == "1e39" ? "1e+39" : rate.contains("1e-40") ? "1e-40" : "1e-320"
    #expect(
      result.error
        == "Error: --max-lr: expected numbers from 1.2e-38 to 3.4e38, the range of float32, got "
        + "\(number)\n"
    )
  }
}
