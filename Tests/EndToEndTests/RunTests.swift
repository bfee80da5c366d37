import Foundation
import ProcessSupport
import Testing

@Suite struct `Runs of the command` {
  private static let epochKeys: Set = [
    "event", "epoch", "train_loss", "valid_loss", "accuracy", "learning_rate", "seconds",
    "examples_per_second",
  ]

  private func trainDigits(_ options: String...) throws -> ProcessResult {
    try CrestProcess.run(
      ["train", "--model", "mlp", "--data", "digits", "--epochs", "3", "--max-lr", "0.1"] + options)
  }

  @Test func `train prints an object an epoch and a result, and learns`() throws {
    let result = try trainDigits("--json")
    #expect(result.status == 0)
    #expect(result.error == "")
    let objects = try result.objects()
    #expect(objects.compactMap { $0["event"] as? String } == ["epoch", "epoch", "epoch", "result"])
    #expect(objects.compactMap { $0["epoch"] as? Int } == [1, 2, 3, 3])
    for object in objects.dropLast() { #expect(Set(object.keys) == Self.epochKeys) }
    let last = try #require(objects.last)
    #expect(Set(last.keys) == Self.epochKeys.union(["ended", "restored", "measured_afterwards"]))
    #expect(last["ended"] as? String == "finished")
    #expect(last["restored"] as? Bool == false)
    // The last of 69 steps of `.fastai`'s 1cycle.
    let position = (68.0 / 69 - 0.25) / 0.75
    let rate = 0.1 + (0.1 / 1e5 - 0.1) / 2 * (1 - cos(.pi * position))
    #expect(abs(try #require(last["learning_rate"] as? Double) - rate) < 1e-12)
    // Chance is 0.1. Seeds 0 to 9 give 0.93 to 0.96.
    #expect(try #require(last["accuracy"] as? Double) > 0.9)
    for key in ["train_loss", "valid_loss", "accuracy"] {
      #expect(last[key] as? Double == objects[2][key] as? Double)
    }
  }

  static let losses = [
    "focal:gamma=1.5,alpha=0.25",
    "cross-entropy:class-weights=1/1/1/1/1/2/1/1/0.5/1,label-smoothing=0.1",
    "cross-entropy:ignored-label=9", "multi-class-hinge", "dice:per-batch=true",
    "tversky:per-batch=true,alpha=0.3,beta=0.7,gamma=1.333", "cross-entropy:reduction=mean",
  ]

  @Test(arguments: losses)
  func `train learns by a loss with settings, on kernels`(loss: String) throws {
    let result = try trainDigits("--json", "--loss", loss)
    #expect(result.status == 0)
    #expect(result.error == "")
    // Chance is 0.1.
    #expect(try #require(result.objects().last?["accuracy"] as? Double) > 0.75)
  }

  @Test func `the same seed gives the same bits for any number of threads`() throws {
    let losses = try ["1", "2", "3"].map { threads in
      try trainDigits("--json", "--threads", threads, "--seed", "7").objects()
        .map { [$0["train_loss"] as? Double, $0["valid_loss"] as? Double] }
    }
    #expect(losses[1] == losses[0])
    #expect(losses[2] == losses[0])
    let other = try trainDigits("--json", "--seed", "8").objects()
    #expect(other.first?["train_loss"] as? Double != losses[0][0][0])
  }

  @Test func `train prints rows and a summary for people, and nothing else to a file`() throws {
    let result = try trainDigits()
    #expect(result.error == "")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 5)
    #expect(
      lines[0].split(separator: " ").joined(separator: " ")
        == "epoch train loss valid loss accuracy time")
    #expect(lines[1].contains("1/3"))
    let results =
      #/accuracy 0\.\d{4}, valid loss \d\.\d{4}, train loss \d\.\d{4} after 3 epochs in /#
    let pace = #/\d+\.\d s, \d+ examples a second/#
    let end = try #require(lines[4].prefixMatch(of: results)?.range.upperBound, "\(lines[4])")
    #expect(lines[4][end...].wholeMatch(of: pace) != nil, "\(lines[4])")
  }

  @Test func `export writes the trained network, and a bad path is refused before training`() throws
  {
    let folder = try TemporaryFolder()
    let path = folder["digits.onnx"].path
    let result = try trainDigits("--export", path)
    #expect(result.status == 0)
    let bytes = try Data(contentsOf: folder["digits.onnx"])
    let text = String(decoding: bytes, as: UTF8.self)
    for part in ["crest.classes", "crest.preprocessing", "\"divisor\":16", "dense1.weight"] {
      #expect(text.contains(part), "\(part) is missing")
    }
    let missing = folder["missing/digits.onnx"].path
    let refused = try trainDigits("--export", missing)
    #expect(refused.status == 74)
    #expect(refused.output == "")
    #expect(
      refused.error
        == "Error: \(missing) can't be written: No such file or directory; choose another path\n"
    )
  }

  @Test func `logs have a row a step and a row an epoch`() throws {
    let folder = try TemporaryFolder()
    _ = try trainDigits(
      "--log", folder["epochs.csv"].path, "--log-steps", folder["steps.csv"].path)
    let steps = try folder.lines(of: "steps.csv")
    #expect(steps[0] == "step,epoch,batch,loss,learning_rate,momentum")
    // 1,438 examples in batches of 64.
    #expect(steps.count == 1 + 3 * 23)
    let first = steps[1].split(separator: ",")
    // `.fastai` begins at a 25th of the maximum and at momentum 0.95.
    #expect(Double(first[4]) == 0.1 / 25)
    #expect(Double(first[5]) == 0.95)
    #expect(steps[69].hasPrefix("68,3,22,"))
    let epochs = try folder.lines(of: "epochs.csv")
    #expect(
      epochs[0] == "epoch,train_loss,valid_loss,accuracy,seconds,examples_per_second")
    #expect(epochs.count == 4)
  }

  @Test(arguments: [
    "--schedule constant", "--schedule flat-cosine", "--schedule cosine", "--schedule linear",
    "--schedule triangular", "--schedule step", "--style fastai1", "--style pytorch",
    "--style pytorch-three-phase", "--style smith", "--style airbench",
    "--momentum 0.9 --nesterov", "--label-smoothing 0.1", "--callback lookahead",
    "--augment crop:padding=1,border=zero", "--momentum 0.9", "--momentum 0.98,0.8",
    "--optimizer adam --max-lr 0.003", "--optimizer lion --max-lr 0.0005",
    "--optimizer rmsprop:centred=true,alpha=0.95 --max-lr 0.001", "--optimizer adagrad",
    "--optimizer adadelta --max-lr 1", "--optimizer adamax:beta2=0.99 --max-lr 0.005",
    "--optimizer amsgrad --max-lr 0.003", "--optimizer nadam --max-lr 0.003",
    "--optimizer radam --max-lr 0.01", "--optimizer lamb --max-lr 0.02",
    "--optimizer lars --max-lr 5", "--optimizer adafactor", "--optimizer adan --max-lr 0.003",
    "--optimizer muon:scale=match-adamw --max-lr 0.01",
    "--optimizer schedule-free-sgd --schedule constant --max-lr 0.2",
    "--optimizer schedule-free-adamw:beta2=0.99 --schedule constant --max-lr 0.005",
    "--optimizer dadapt-sgd --schedule constant --max-lr 1",
    "--optimizer prodigy:coefficient=2 --schedule cosine --max-lr 1",
    "--optimizer-for dense1.*=adamw:beta2=0.99,rate=0.05", "--callback sam",
    "--callback gradient-centralization", "--callback adaptive-gradient-clip:factor=0.1",
    "--metric f1 --metric top-5-accuracy", "--callback time-limit:seconds=100000",
    "--optimizer adamw --max-lr 0.003 --weight-decay 0.1",
    "--weight-decay 0.001 --weight-decay-kind decoupled --weight-decay-on all", "--no-shuffle",
    "--augment crop", "--batch-size 50", "--callback early-stopping:patience=2,monitor=accuracy",
  ])
  func `every option leads to a run that learns`(_ options: String) throws {
    let result = try CrestProcess.run(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "4", "--max-lr", "0.05",
        "--json",
      ]
        + options.split(separator: " ").map(String.init))
    #expect(result.status == 0, "\(result.error)")
    let objects = try result.objects()
    let first = try #require(objects.first?["train_loss"] as? Double)
    let last = try #require(objects.last?["train_loss"] as? Double)
    #expect(last < first)
    // Chance is 0.1; moving images of 8 × 8 by up to 4 makes it hard.
    #expect(try #require(objects.last?["accuracy"] as? Double) > 0.3)
  }

  @Test func `a callback that ends the run says so`() throws {
    let result = try CrestProcess.run(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "50", "--max-lr", "0.1",
        "--callback", "early-stopping:min-delta=10",
      ])
    #expect(result.status == 0)
    #expect(
      result.output.contains(
        "ended by early-stopping: valid_loss has not improved for 1 epoch\n"))
    #expect(result.output.contains(" after 2 epochs in "))
  }

  @Test func `find-lr recommends, suggests by four methods and draws`() throws {
    let folder = try TemporaryFolder()
    let arguments = ["find-lr", "--model", "mlp", "--data", "digits"]
    let result = try CrestProcess.run(arguments + ["--json", "--plot", folder["plot.svg"].path])
    #expect(result.status == 0)
    #expect(result.error == "")
    let object = try #require(try result.objects().first)
    #expect(
      Set(object.keys) == [
        "event", "valley", "slide", "steepest", "minimum", "max_lr", "certainty", "reason", "seeds",
      ])
    let seeds = try #require(object["seeds"] as? [[String: Any]])
    #expect(seeds.compactMap { $0["seed"] as? String } == ["0", "1", "2"])
    #expect(seeds[0]["minimum"] as? Double == object["minimum"] as? Double)
    let curve = try #require(seeds[2]["curve"] as? [String: [Double]])
    #expect(Set(curve.keys) == ["learning_rate", "loss", "smoothed_loss"])
    let maxLR = try #require(object["max_lr"] as? Double)
    #expect(0.01 < maxLR && maxLR < 1, "\(maxLR)")
    let valley = try #require(object["valley"] as? Double)
    #expect(1e-5 < valley && valley < 1, "\(valley)")
    let drawing = try String(contentsOf: folder["plot.svg"], encoding: .utf8)
    #expect(drawing.hasPrefix("<?xml") && drawing.hasSuffix("</svg>\n"))

    let text = try CrestProcess.run(
      arguments + ["--seeds", "1", "--start-lr", "1e-4", "--end-lr", "5", "--advise"])
    #expect(text.output.hasPrefix("Recommended for 1cycle: --max-lr 0."))
    for part in ["  a tenth of the rate at the lowest loss", "\nloss\n", "valley", "\nAdvice:\n"] {
      #expect(text.output.contains(part), "\(part)")
    }
    #expect(
      text.output.hasSuffix(" --epochs N\n")
        && text.output.contains("\nNext: crest train --model mlp --data digits --max-lr 0."))
    #expect(text.error == "")
  }

  @Test func `the command to type next keeps what the search was told`() throws {
    let result = try CrestProcess.run([
      "find-lr", "--model=mlp", "--data", "digits", "--seeds", "1", "--steps=60", "--nesterov",
      "--label-smoothing", "0.1", "--no-shuffle",
    ])
    let next =
      "\nNext: crest train --model=mlp --data digits --nesterov --label-smoothing 0.1 --no-shuffle --max-lr 0."
    #expect(result.output.contains(next), "\(result.output)")
  }

  @Test func `range-test gives its verdict, rates and advice, or says why not`() throws {
    let folder = try TemporaryFolder()
    let arguments = ["range-test", "--model", "mlp", "--data", "digits", "--steps", "300"]
    let result = try CrestProcess.run(
      arguments + ["--json", "--seeds", "2", "--plot", folder["plot.svg"].path])
    #expect(result.status == 0)
    let object = try #require(try result.objects().last)
    #expect(object["verdict"] as? String == "peak")
    #expect((object["curves"] as? [[String: Any]])?.count == 2)
    #expect((object["advice"] as? [[String: Any]])?.isEmpty == false)
    let maxLR = try #require(object["max_lr"] as? Double)
    #expect(0.01 < maxLR && maxLR < 2, "\(maxLR)")
    let drawing = try String(contentsOf: folder["plot.svg"], encoding: .utf8)
    #expect(drawing.hasPrefix("<?xml") && drawing.hasSuffix("</svg>\n"))

    let text = try CrestProcess.run(arguments)
    for part in [
      "accuracy\n", "\nVerdict: peak: super-convergence is unlikely (confidence ", "\nAdvice:\n",
      "\nNext: crest train --model mlp --data digits --max-lr ",
    ] {
      #expect(text.output.contains(part) || text.output.hasPrefix(part), "\(part)")
    }

    let none = try CrestProcess.run(arguments + ["--to", "1e30", "--json"])
    #expect(none.status == 65)
    #expect(try none.objects().last?["verdict"] is NSNull)
    #expect(none.error.contains("Error: range test: no verdict: "))
    for (options, message) in [
      (["--to", "0"], "--to: expected a number above 0 that float32 holds, got 0.0"),
      (["--points", "2"], "--points: expected 20 to 1000, got 2"),
      (["--seeds", "0"], "--seeds: expected 1 to 100, got 0"),
      (["--trial-epochs", "-1"], "--trial-epochs: expected 0 to 1000, got -1"),
    ] {
      let refused = try CrestProcess.run(arguments + options)
      #expect(refused.status == 64)
      #expect(refused.error == "Error: \(message)\n")
    }
  }

  @Test func `train finds the highest rate by itself`() throws {
    let arguments = ["train", "--model", "mlp", "--data", "digits", "--epochs", "3"]
    let result = try CrestProcess.run(arguments + ["--max-lr", "auto", "--json"])
    #expect(result.status == 0)
    let note = try #require(
      try result.objects().compactMap { $0["text"] as? String }.first {
        $0.contains("--max-lr auto")
      })
    #expect(note.hasPrefix("--max-lr auto: a maximum learning rate of "))
    let refused = try CrestProcess.run(arguments + ["--max-lr", "auto", "--schedule", "cosine"])
    #expect(refused.status == 64)
    #expect(
      refused.error
        == "Error: --max-lr auto: it finds a rate for 1cycle, but the schedule is cosine; give a rate, as crest find-lr "
        + "suggests\n")
  }

  @Test func `evaluate measures the untrained network`() throws {
    let arguments = ["evaluate", "--model", "mlp", "--data", "digits"]
    let object = try #require(
      try CrestProcess.run(arguments + ["--json"]).objects().last)
    #expect(
      Set(object.keys)
        == ["event", "valid_loss", "accuracy", "seconds", "examples_per_second"])
    // Ten classes, nothing learned: about ln 10 and a tenth.
    #expect(abs(try #require(object["valid_loss"] as? Double) - 2.3) < 1)
    let text = try CrestProcess.run(arguments)
    #expect(text.output.hasSuffix(" on 359 examples of digits (validation), untrained\n"))
  }

  @Test func `data info describes both parts`() throws {
    let result = try CrestProcess.run(["data", "info", "digits", "--json"])
    #expect(result.status == 0)
    let object = try #require(try result.objects().first)
    let train = try #require(object["train"] as? [String: Any])
    let valid = try #require(object["valid"] as? [String: Any])
    #expect(train["count"] as? Int == 1438)
    #expect(valid["count"] as? Int == 359)
    #expect((train["class_counts"] as? [Int])?.reduce(0, +) == 1438)
    #expect(object["class_names"] as? [String] == (0...9).map(String.init))
    let text = try CrestProcess.run(["data", "info", "digits"])
    #expect(text.output.contains("1438 examples"))
  }

  @Test func `data info leaves classes without examples out of the text alone`() throws {
    let folder = try TemporaryFolder()
    let record: [UInt8] = [0, 42] + [UInt8](repeating: 7, count: 3072)
    for file in ["train.bin", "test.bin"] { try folder.write(record, to: file) }
    try folder.write(
      (0..<100).map { "class-\($0)\n" }.joined(), to: "fine_label_names.txt")
    let text = try CrestProcess.run(["data", "info", folder.path])
    #expect(text.status == 0, "\(text.error)")
    #expect(
      text.output.hasSuffix(
        "\nclass-42         1           1\n99 classes have no examples: class-0, class-1, class-2, class-3, "
          + "class-4, class-5, class-6, class-7, class-8, class-9 and 89 more\n"), "\(text.output)")
    let result = try CrestProcess.run(["data", "info", folder.path, "--json"])
    let object = try #require(try result.objects().first)
    let train = try #require(object["train"] as? [String: Any])
    #expect((train["class_counts"] as? [Int])?.count == 100)
    #expect((object["class_names"] as? [String])?.count == 100)
  }

  @Test func `three epochs of 1cycle take small-cnn beyond 95 % on digits`() throws {
    let result = try CrestProcess.run(
      [
        "train", "--model", "small-cnn", "--data", "digits", "--epochs", "3", "--max-lr", "0.1",
        "--json",
      ])
    let last = try #require(try result.objects().last)
    #expect(try #require(last["accuracy"] as? Double) > 0.95)
  }
}
