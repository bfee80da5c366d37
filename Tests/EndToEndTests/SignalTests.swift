import Foundation
import ProcessSupport
import Testing

@Suite struct `Signals` {
  @Test(arguments: [SIGINT, SIGTERM])
  func `end a run in order, with 130`(signal: Int32) throws {
    let folder = try TemporaryFolder()
    let run = try CrestProcess.start(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "100000", "--max-lr", "0.01",
        "--json", "--log-steps", folder["steps.csv"].path,
      ])
    while run.isRunning, try !run.output().contains("\n") { usleep(10_000) }
    run.send(signal)
    let result = try run.finish()
    #expect(result.status == 130)
    let message = try #require(
      try #/Error: interrupted in epoch (\d+) after (\d+) steps\n/#.wholeMatch(in: result.error),
      "\(result.error)")
    // Every step that was taken is in the log, and the last line is whole.
    let log = try String(contentsOf: folder["steps.csv"], encoding: .utf8)
    #expect(log.hasSuffix("\n"))
    #expect(log.split(separator: "\n").count - 1 == Int(message.2))
    let objects = try result.objects()
    #expect(objects.dropLast().allSatisfy { $0["event"] as? String == "epoch" })
    #expect(objects.last?["event"] as? String == "result")
    #expect(objects.last?["ended"] as? String == "interrupted")
  }

  /// A run that has saved nothing yet and trains until a signal comes.
  private func begin(
    in folder: TemporaryFolder, _ options: String...
  ) throws -> RunningProgram {
    let run = try CrestProcess.start(
      [
        "train", "--model", "small-cnn", "--data", "digits", "--epochs", "100000", "--max-lr",
        "0.01",
        "--threads", "1", "--checkpoint-dir", "run", "--checkpoint-every", "1000000epochs",
        "--log-steps", "steps.csv",
      ] + options, in: folder)
    let before = (try? folder.lines(of: "steps.csv").count) ?? 0
    let isTraining = try run.wait {
      ((try? folder.lines(of: "steps.csv").count) ?? 0) > max(before, 1)
    }
    let errors = try run.errors()
    #expect(isTraining, "\(errors)")
    return run
  }

  private func saved(_ folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder["run"].path)
      .filter { $0.hasSuffix(".safetensors") }
  }

  /// While nobody reads its output, a run waits for a second before it gives that up and saves: for so long it is not
  /// over, whatever comes.
  @Test(arguments: [0, 1000, 20_000])
  func `that come twice count once, and the run is saved`(microseconds: UInt32) throws {
    let folder = try TemporaryFolder()
    let pipe = try StuckPipe(in: folder)
    let run = try Executable(path: "/bin/sh").start(
      [
        "-c", #"exec "$@" >pipe"#, "sh", CrestProcess.path, "train", "--model", "mlp", "--data",
        "digits", "--epochs", "100000", "--max-lr", "0.01", "--checkpoint-dir", "run",
        "--checkpoint-every", "1000000epochs", "--log-steps", "steps.csv",
      ], in: folder.url)
    try pipe.waitUntilFull(by: run, log: "steps.csv")
    run.send(SIGINT)
    usleep(microseconds)
    run.send(SIGINT)
    run.send(SIGTERM)
    let result = try run.finish()
    try pipe.close()
    #expect(result.end == .exit(130), "\(result.error)")
    let message =
      #/Error: interrupted in epoch \d+ after (\d+) steps; the run is saved in run; resume it with --resume\n/#
    let steps = try #require(result.error.firstMatch(of: message)?.1, "\(result.error)")
    let name = "checkpoint-" + String(repeating: "0", count: 10 - steps.count) + steps
    #expect(try saved(folder) == [name + ".safetensors"])
    let inspected = try CrestProcess.run(["inspect", "run/\(name).safetensors"], in: folder)
    #expect(inspected.output.contains("saved after \(steps) steps"))
    // One or two, since the system may merge two SIGINT.
    let notes = result.error.split(separator: "\n").dropLast()
    #expect((1...2).contains(notes.count), "\(result.error)")
    for line in notes {
      #expect(line == "Note: the run is being saved; a signal after 5 s ends crest immediately")
    }
  }

  @Test func `say when the run could not be saved, with 74`() throws {
    let folder = try TemporaryFolder()
    let run = try begin(in: folder)
    try FileManager.default.removeItem(at: folder["run"])
    run.send(SIGTERM)
    let result = try run.finish()
    #expect(result.status == 74)
    let message =
      #/Error: interrupted in epoch \d+ after \d+ steps; the run could not be saved: run/checkpoint-\d+\.safetensors can't be written: No such file or directory \(open\); choose another path; there is no checkpoint to resume from\n/#
    #expect(result.error.wholeMatch(of: message) != nil, "\(result.error)")
  }

  private static let limiter = "/usr/bin/prlimit"

  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: limiter), "there is no prlimit"))
  func `name the newest checkpoint when the last save failed`() throws {
    let folder = try TemporaryFolder()
    let first = try begin(in: folder)
    first.send(SIGINT)
    #expect(try first.finish().status == 130)
    let checkpoints = try saved(folder)
    let run = try begin(in: folder, "--resume")
    // From now on its files can't grow beyond 20,000 bytes; the log, which is shorter, goes on.
    let limited = try Executable(path: Self.limiter).run(
      ["--pid", "\(run.processIdentifier)", "--fsize=20000"])
    #expect(limited.status == 0, "\(limited.error)")
    run.send(SIGINT)
    let result = try run.finish()
    #expect(result.status == 74, "\(result.error)")
    #expect(
      result.error.hasSuffix(
        "can't be written: File too large (write); choose another path or make room; the newest "
          + "checkpoint is run/\(checkpoints[0]); resume from there with --resume\n"),
      "\(result.error)")
    #expect(try saved(folder) == checkpoints)
  }

  /// A run that is over and writes its network, of a megabyte, to a pipe whose reader waits.
  private func export(in folder: TemporaryFolder) throws -> (RunningProgram, FileHandle) {
    #expect(mkfifo(folder["pipe"].path, 0o600) == 0)
    let descriptor = open(folder["pipe"].path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    let reader = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let run = try CrestProcess.start(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "1", "--max-lr", "0.1",
        "--export", "pipe",
      ], in: folder)
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    #expect(try run.wait { Foundation.poll(&poll, 1, 0) == 1 && poll.revents & Int16(POLLIN) != 0 })
    #expect(fcntl(descriptor, F_SETFL, 0) == 0)
    return (run, reader)
  }

  @Test func `wait for a network that is being written`() throws {
    let folder = try TemporaryFolder()
    let (run, reader) = try export(in: folder)
    run.send(SIGINT)
    let note =
      "Note: the network is being written to pipe; a signal after 5 s ends crest immediately\n"
    #expect(try run.wait { try run.errors() == note })
    let piped = try reader.readToEnd()
    let result = try run.finish()
    #expect(result.status == 0, "\(result.error)")
    let whole = try CrestProcess.run(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "1", "--max-lr", "0.1",
        "--export", "file",
      ], in: folder)
    #expect(whole.status == 0)
    #expect(try piped == Data(contentsOf: folder["file"]))
  }

  @Test func `end what takes longer than 5 s at once`() throws {
    let folder = try TemporaryFolder()
    let (run, reader) = try export(in: folder)
    run.send(SIGINT)
    #expect(try run.wait { try !run.errors().isEmpty })
    usleep(5_100_000)
    run.send(SIGTERM)
    let result = try run.finish()
    #expect(result.status == 130)
    #expect(
      result.error.hasSuffix(
        "Error: ended immediately, while the network is being written to "
          + "pipe\n"))
    try reader.close()
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func `end what has nothing to be saved at once, with 130`(signal: Int32) throws {
    for _ in 0..<5 {
      let run = try CrestProcess.start(
        ["train", "--model", "resnet110", "--data", "digits", "--epochs", "1", "--max-lr", "0.1"])
      usleep(60_000)
      run.send(signal)
      let result = try run.finish()
      // Whether the fit had begun or not.
      #expect(result.status == 130, "\(result.error)")
    }
  }
}
