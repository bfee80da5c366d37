import Foundation
import ProcessSupport
import Testing

/// What the command says.
@Suite struct `Words` {
  static let unknown: [(arguments: String, line: String)] = [
    ("trian", "Error: Unknown command 'trian'. Did you mean 'train'?"),
    ("data inof", "Error: Unknown command 'inof'. Did you mean 'info'?"),
    ("plugins vrify", "Error: Unknown command 'vrify'. Did you mean 'verify'?"),
    ("fly", "Error: Unknown command 'fly'"),
    ("trian --model mlp", "Error: Unknown command 'trian'. Did you mean 'train'?"),
    ("data inof digits", "Error: Unknown command 'inof'. Did you mean 'info'?"),
    ("--verson", "Error: Unknown option '--verson'. Did you mean '--version'?"),
    ("train --lr 0.1", "Error: Unknown option '--lr'. Did you mean '--max-lr'?"),
    ("train --epoch 3", "Error: Unknown option '--epoch'. Did you mean '--epochs'?"),
    (
      "train --modle mlp --data digits --epochs 1 --max-lr 1",
      "Error: Unknown option '--modle'. Did you mean '--model'?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --batchsize 3",
      "Error: Unknown option '--batchsize'. Did you mean '--batch-size'?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --learning-rate 3",
      "Error: Unknown option '--learning-rate'. Did you mean '--max-lr'?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --wd 3",
      "Error: Unknown option '--wd'. Did you mean '--weight-decay'?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --bs 3",
      "Error: Unknown option '--bs'. Did you mean '--batch-size'?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --batch 3",
      "Error: Unknown option '--batch'. Did you mean '--batch-size'?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --josn 3",
      "Error: Unknown option '--josn'. Did you mean '--json'?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --hepl 3",
      "Error: Unknown option '--hepl'. Did you mean '--help'?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --frozen 3",
      "Error: Unknown option '--frozen'. Did you mean '--frozen-norm'?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --class 3",
      "Error: Unknown option '--class'. Did you mean '--class-axis'?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --num-workers 3",
      "Error: Unknown option '--num-workers'. Did you mean '--threads'?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --quite-another 3",
      "Error: Unknown option '--quite-another'"
    ),
    ("predict --ouput y.npy", "Error: Unknown option '--ouput'. Did you mean '--output'?"),
    (
      "train --frozen-norm inferenc",
      "Error: The value 'inferenc' is invalid for '--frozen-norm <how>'. Please provide one of 'inference', "
        + "'statistics' or 'trained'. Did you mean 'inference'?"
    ),
    (
      "find-lr --model mlp --data digits --optimizer adma",
      "Error: --optimizer: expected one of sgd, adam, adamw, lion, rmsprop, adagrad, adadelta, adamax, amsgrad, nadam, "
        + "radam, lamb, lars, adafactor, adan, muon, schedule-free-sgd, schedule-free-adamw, dadapt-sgd, prodigy, got "
        + "\"adma\"; did you mean \"adam\"?"
    ),
    (
      "evaluate --model resnet --data digits",
      "Error: --model: expected one of mlp, small-cnn, lenet, resnet20, resnet56, resnet110, resnet18, "
        + "resnet34, resnet50, airbench94, resnet9, wide-resnet16-4, wide-resnet28-10, densenet-bc100, "
        + "mobilenet-v3-small, efficientnet-b0, convnext-atto, vit-tiny, unet, tabular, gpt, text-transformer, lstm, "
        + "or a file that ends in .onnx, got \"resnet\"; did you mean \"resnet20\"?"
    ),
    (
      "evaluate --model mlp --data digits --loss cross-entropi",
      "Error: --loss: expected one of cross-entropy, focal, nll, kl-divergence, multi-class-hinge, bce, binary-focal, "
        + "hinge, squared-hinge, mse, mae, huber, smooth-l1, log-cosh, msle, mape, poisson, gaussian, quantile, dice, "
        + "tversky, cosine-similarity, cosine-embedding, triplet, ctc, got \"cross-entropi\"; did you mean "
        + "\"cross-entropy\"?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --callback early",
      "Error: --callback: expected one of activation-stats, adaptive-gradient-clip, csv-logger, "
        + "divergence-guard, early-stopping, ema, freeze-parameters, gradient-accumulation, "
        + "gradient-centralization, gradient-clip, gradient-noise-scale, gradient-statistics, limit-batches, "
        + "lookahead, model-checkpoint, pass-timer, recompute-batch-norm-statistics, reduce-lr-on-plateau, sam, "
        + "step-logger, swa, tensor-board, terminate-on-nan, time-limit, validate-every, got \"early\"; did you mean "
        + "\"early-stopping\"?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --callback early-stopping:monitor=acuracy",
      "Error: --callback early-stopping: there is no metric \"acuracy\" to monitor; choose one of "
        + "train_loss, valid_loss, accuracy; did you mean \"accuracy\"?"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --seed -1",
      "Error: --seed: expected an integer from 0 up, got -1"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 1 --seed 1.5",
      "Error: --seed: expected an integer from 0 up, got 1.5"
    ),
  ]

  @Test(arguments: unknown.indices)
  func `name what was meant by an unknown name`(index: Int) throws {
    let (arguments, line) = Self.unknown[index]
    let result = try CrestProcess.run(arguments.split(separator: " ").map(String.init))
    #expect(result.error.hasPrefix(line + "\n"), "\(result.error)")
    #expect(result.status == 64)
    #expect(result.output == "")
  }

  @Test func `of a list below say what was meant too`() throws {
    let result = try CrestProcess.run(["train", "--style", "smit"])
    #expect(result.error.contains("\n  - airbench\nDid you mean 'smith'?\n"), "\(result.error)")
    #expect(result.status == 64)
  }

  @Test func `name an input that a model has`() throws {
    let it = try CommandCase("epochs-overflow-trap")
    let trained = try it.run(
      "train", "--model", "mlp", "--data", "data", "--epochs", "1", "--max-lr", "0.01", "--export",
      "net.onnx")
    #expect(trained.status == 0)
    let result = try it.run(
      "predict", "--model", "net.onnx", "--input", "nosuch=data/train-x.npy", "--output", "y.npy")
    #expect(result.status == 64)
    #expect(result.error == "Error: --input: there is no input \"nosuch\"; there is input\n")
  }

  @Test func `tell the version`() throws {
    let result = try CrestProcess.run(["--version"])
    #expect(result.status == 0)
    #expect(result.output.wholeMatch(of: #/\d+\.\d+\.\d+(-[a-z]+)?\n/#) != nil)
  }

  @Test func `of a run that can't go on are no code, and name options`() throws {
    let folder = try TemporaryFolder()
    func train(_ options: String...) throws -> ProcessResult {
      try CrestProcess.run(
        [
          "train", "--model", "mlp", "--data", "digits", "--epochs", "2", "--max-lr", "0.05",
          "--checkpoint-dir", "run",
        ] + options, in: folder)
    }
    #expect(try train().status == 0)
    let checkpoint = "run/checkpoint-0000000046.safetensors"
    let schedule = try train("--resume", "--max-lr", "0.1")
    let policy = { (rate: String) in
      "convention fastai, maxLR \(rate), riseFraction 0.25, div 25.0, finalDiv 100000.0, annealing cosine, "
        + "momentum (high 0.95, low 0.85)"
    }
    #expect(
      schedule.error
        == "Error: \(checkpoint): the value set by --max-lr, --schedule and --style has changed: "
        + "\"\(policy("0.05"))\" when the run was saved, \"\(policy("0.1"))\" now; give "
        + "--max-lr, --schedule and --style as before, or --partial "
        + "callbacks.OneCycleScheduler.settings.policy to resume anyway\n"
    )
    for options in [
      ["--schedule", "cosine"], ["--optimizer", "adam"], ["--momentum", "0.8"],
      ["--max-lr", "0.1,0.2,0.3"], ["--weight-decay", "0.1"],
    ] {
      let result = try CrestProcess.run(
        [
          "train", "--model", "mlp", "--data", "digits", "--epochs", "2", "--max-lr", "0.05",
          "--checkpoint-dir", "run", "--resume",
        ] + options, in: folder)
      #expect(result.status == 65, "\(options): \(result.error)")
      #expect(!result.error.contains(#/Crest[A-Z]|\(\w+: /#), "\(result.error)")
    }
    let longer = try train("--resume", "--epochs", "3")
    #expect(
      longer.error
        == "Error: \(checkpoint) belongs to a fit of 2 epochs, but 3 were requested, which "
        + "changes its schedule; give --epochs 2, or --reschedule\n")
    #expect(longer.status == 64)
  }

  @Test func `in JSON say why a run ended`() throws {
    let result = try CrestProcess.run(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "50", "--max-lr", "0.1",
        "--json",
        "--callback", "early-stopping:min-delta=10",
      ])
    let last = try #require(try result.objects().last)
    #expect(last["ended"] as? String == "stopped")
    #expect(last["stopped_by"] as? String == "early-stopping")
    #expect(last["reason"] as? String == "valid_loss has not improved for 1 epoch")
  }

  @Test func `of every note are events in JSON`() throws {
    let it = try CommandCase("epochs-overflow-trap")
    let training = [
      "train", "--model", "mlp", "--data", "data", "--epochs", "1", "--max-lr", "0.01",
    ]
    #expect(try CrestProcess.run(training + ["--export", "net.onnx"], in: it.folder).status == 0)
    // A checkpoint that is damaged is told of when the run goes on.
    #expect(
      try CrestProcess.run(training + ["--checkpoint-dir", "run"], in: it.folder).status == 0)
    try it.folder.write([1], to: "run/damaged.safetensors")
    for arguments in [
      training + ["--model", "net.onnx", "--json"],
      training + ["--checkpoint-dir", "run", "--resume", "--json"],
    ] {
      let result = try CrestProcess.run(arguments, in: it.folder)
      #expect(result.status == 0, "\(result.error)")
      let notes = try result.objects().filter { $0["event"] as? String == "note" }
        .compactMap { $0["text"] as? String }
      let lines = result.error.split(separator: "\n").map {
        $0.hasPrefix("Note: ") ? String($0.dropFirst(6)) : String($0)
      }
      #expect(notes == lines)
      #expect(arguments.contains("net.onnx") || !notes.isEmpty)
    }
  }

  @Test func `of a failed program that uses the library come alone`() throws {
    let result = try Executable("callback-example").run(["nowhere"])
    #expect(result.status == 1)
    #expect(
      result.error
        == "Error: there is no data set and no folder \"nowhere\"; give one of digits, or the path of a folder of "
        + "train-images-idx3-ubyte[.gz] (MNIST and its like), data_batch_1.bin (CIFAR-10's binary version), "
        + "fine_label_names.txt (CIFAR-100's binary version) or train-x.npy or train-x.NAME.npy (NumPy arrays)\n"
    )
    #expect(result.output == "")
  }
}
