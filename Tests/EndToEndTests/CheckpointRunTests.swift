import Foundation
import ProcessSupport
import Testing

@Suite struct `Checkpoints of the command` {
  private func arguments(_ folder: TemporaryFolder, _ options: String...) -> [String] {
    [
      "train", "--model", "mlp", "--data", "digits", "--epochs", "3", "--max-lr", "0.05",
      "--log-steps", folder["steps.csv"].path, "--checkpoint-dir", folder["run"].path,
    ] + options
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func `a run that a signal ended is saved, and goes on to the same end`(signal: Int32) throws {
    let clean = try TemporaryFolder()
    #expect(try CrestProcess.run(arguments(clean)).status == 0)
    let expected = try clean.lines(of: "steps.csv")

    let folder = try TemporaryFolder()
    let options = ["--epochs", "3000"]
    let run = try CrestProcess.start(
      arguments(folder, "--checkpoint-every", "1000000steps") + options)
    while run.isRunning, (try? folder.lines(of: "steps.csv").count) ?? 0 < 30 { usleep(5_000) }
    run.send(signal)
    let ended = try run.finish()
    #expect(ended.status == 130)
    let message = try #require(
      try
        #/Error: interrupted in epoch \d+ after (\d+) steps; the run is saved in (.+); resume it with --resume\n/#
        .wholeMatch(in: ended.error), "\(ended.error)")
    #expect(message.2 == folder["run"].path)

    // On another schedule, as it was asked for a thousand times as many epochs.
    let refused = try CrestProcess.run(arguments(folder, "--resume"))
    #expect(refused.status == 64)
    #expect(refused.error.contains("belongs to a fit of 3000 epochs, but 3 were requested"))

    let again = try TemporaryFolder()
    for step in [10, 25, 60] {
      _ = step
      let part = try CrestProcess.start(
        arguments(again, "--resume", "--checkpoint-every", "1steps"))
      while part.isRunning, (try? again.lines(of: "steps.csv").count) ?? 0 < step { usleep(1_000) }
      part.send(signal)
      let status = try part.finish().status
      #expect(status == 130 || status == 0)
    }
    let end = try CrestProcess.run(arguments(again, "--resume", "--json"))
    #expect(end.status == 0, "\(end.error)")
    #expect(try again.lines(of: "steps.csv") == expected)
    let result = try #require(try end.objects().last)
    #expect(result["event"] as? String == "result")
    #expect(result["epoch"] as? Int == 3)
  }

  @Test func `what can't be gone on with is refused`() throws {
    let folder = try TemporaryFolder()
    #expect(try CrestProcess.run(arguments(folder)).status == 0)
    let path = folder["run"].path
    let checkpoint = path + "/checkpoint-0000000069.safetensors"
    let cases: [([String], Int32, String)] = [
      (
        [], 64,
        "\(path) already holds checkpoints of a run, the newest \(checkpoint); give --resume to "
          + "resume it, or choose another folder"
      ),
      (
        ["--resume", "--model", "small-cnn"], 65,
        "\(checkpoint): the value set by --model has changed: "
      ),
      (
        ["--resume", "--seed", "1"], 65,
        "\(checkpoint): the value set by --seed has changed: \"0\" when the run was saved, \"1\" now; "
          + "give --seed as before, or --partial run.seed to resume anyway\n"
      ),
      (
        ["--resume", "--optimizer", "adam"], 65,
        "\(checkpoint): the value set by --optimizer has changed: "
      ),
      (
        ["--resume", "--max-lr", "0.1"], 65,
        "\(checkpoint): the value set by --max-lr, --schedule and --style has changed: "
      ),
      (
        ["--resume", "--batch-size", "32"], 65,
        "\(checkpoint): the value set by --batch-size has changed: 64 when"
      ),
      (
        ["--resume", "--augment", "crop"], 65,
        "\(checkpoint): the value set by --augment has changed: "
      ),
      (
        ["--resume", "--callback", "ema"], 65,
        "\(checkpoint): the saved state has no callbacks.EMA; it comes from a run with other parts"
      ),
      (
        ["--resume", "--partial", "nothing"], 65,
        "\(checkpoint): there is no nothing to skip in the saved state"
      ),
      (["--reschedule"], 64, "--reschedule: it has no effect without --resume"),
      (["--checkpoint-every", "often"], 64, "The value 'often' is invalid"),
    ]
    for (options, status, message) in cases {
      let result = try CrestProcess.run(arguments(folder) + options)
      #expect(result.status == status, "\(options): \(result.error)")
      #expect(result.error.hasPrefix("Error: \(message)"), "\(options): \(result.error)")
    }
    let without = try CrestProcess.run(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "1", "--max-lr", "0.1",
        "--resume",
      ])
    #expect(without.status == 64)
    #expect(
      without.error
        == "Error: --resume: it has no effect without --checkpoint-dir; name the folder of the "
        + "run\n"
    )

    let skipped = try CrestProcess.run(
      arguments(folder, "--resume", "--partial", "loader.transforms", "--augment", "crop"))
    #expect(skipped.status == 0, "\(skipped.error)")
    let longer = try CrestProcess.run(
      arguments(folder, "--resume", "--reschedule", "--epochs", "4", "--json"))
    #expect(longer.status == 0, "\(longer.error)")
    #expect(try longer.objects().compactMap { $0["epoch"] as? Int } == [4, 4])

    let file = folder["file"]
    try Data().write(to: file)
    let notAFolder = try CrestProcess.run(arguments(folder, "--checkpoint-dir", file.path))
    #expect(notAFolder.status == 74, "\(notAFolder.error)")
    #expect(notAFolder.error.hasPrefix("Error: \(file.path) can't be written: "))
  }

  @Test func `inspect lists what a checkpoint holds`() throws {
    let folder = try TemporaryFolder()
    #expect(try CrestProcess.run(arguments(folder)).status == 0)
    let path = folder["run"].path + "/checkpoint-0000000069.safetensors"
    let text = try CrestProcess.run(["inspect", path])
    #expect(text.status == 0, "\(text.error)")
    #expect(text.output.hasPrefix("a run that can be resumed: "))
    #expect(text.output.contains("saved after 69 steps, in epoch 3\n"))
    for field in ["run.seed", "fit.position.epoch", "callbacks.OneCycleScheduler.settings.policy"] {
      #expect(text.output.contains("\n\(field) "), "\(field)")
    }
    let json = try #require(try CrestProcess.run(["inspect", path, "--json"]).objects().first)
    #expect(json["event"] as? String == "checkpoint")
    #expect(json["steps"] as? Int == 69)
    let refused = try CrestProcess.run(["inspect", path, "--check"])
    #expect(refused.status == 64)
    #expect(
      refused.error
        == "Error: --arrays, --check and --shape: expected an ONNX file, got \(path); leave them out for a "
        + "checkpoint\n")
  }

  @Test func `two runs don't share a folder`() throws {
    let folder = try TemporaryFolder()
    let first = try CrestProcess.start(arguments(folder, "--epochs", "100000"))
    while first.isRunning, (try? folder.lines(of: "steps.csv").count) ?? 0 < 3 { usleep(5_000) }
    let second = try CrestProcess.run(
      arguments(folder, "--resume", "--log-steps", folder["other.csv"].path))
    #expect(second.status == 74)
    #expect(
      second.error
        == "Error: \(folder["run"].path) is in use by another run; choose another folder, or "
        + "wait until that run ends\n")
    first.send(SIGTERM)
    #expect(try first.finish().status == 130)
  }
}

/// Runs that earlier builds saved.
@Suite struct `A run of an earlier build` {
  @Test func `resumes, and ends with the same network`() throws {
    let source = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Fixtures/checkpoints/format-1-run")
    let folder = try TemporaryFolder()
    for name in ["m.onnx", "data", "run"] {
      try FileManager.default.copyItem(at: source.appending(path: name), to: folder[name])
    }
    let arguments = [
      "train", "--model", "m.onnx", "--data", "data", "--epochs", "4000", "--max-lr", "0.01",
      "--optimizer", "adamw", "--weight-decay", "0.01", "--checkpoint-dir", "run",
      "--checkpoint-every", "1000000epochs", "--threads", "1", "--callback",
      "early-stopping:monitor=valid_loss,patience=9999", "--callback",
      "reduce-lr-on-plateau:patience=5", "--export", "out.onnx",
    ]
    let run = try CrestProcess.start(
      arguments + ["--resume"], in: folder, environment: ["CREST_ISA": "baseline"])
    let result = try run.finish()
    #expect(result.status == 0, "\(result.error)")
    // The table begins after the epochs that the earlier build trained.
    #expect(!result.output.contains("\n   1/4000"), "it began anew")
    #expect(
      try Data(contentsOf: folder["out.onnx"])
        == Data(contentsOf: source.appending(path: "end.onnx")))
  }
}
