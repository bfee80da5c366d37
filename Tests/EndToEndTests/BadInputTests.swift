import Foundation
import ProcessSupport
import Testing

/// Options that can't be right: exit code 64 and one message.
@Suite struct `Wrong usage` {
  struct Case: CustomTestStringConvertible {
    let arguments: String
    let message: String
    var testDescription: String { arguments }
  }

  static let cases = [
    Case(
      arguments: "--model alexnet",
      message:
        "--model: expected one of mlp, small-cnn, lenet, resnet20, resnet56, resnet110, resnet18, "
        + "resnet34, resnet50, airbench94, resnet9, wide-resnet16-4, wide-resnet28-10, densenet-bc100, "
        + "mobilenet-v3-small, efficientnet-b0, convnext-atto, vit-tiny, unet, tabular, gpt, text-transformer, lstm, "
        + "or a file that "
        + "ends in .onnx, got \"alexnet\"; did you mean \"lenet\"?"
    ),
    Case(
      arguments: "--data nowhere",
      message:
        "there is no data set and no folder \"nowhere\"; give one of digits, or the path of a folder "
        + "of train-images-idx3-ubyte[.gz] (MNIST and its like), data_batch_1.bin (CIFAR-10's binary "
        + "version), fine_label_names.txt (CIFAR-100's binary version) or train-x.npy or train-x.NAME.npy (NumPy arrays)"
    ),
    Case(arguments: "--epochs 0", message: "--epochs: expected at least 1, got 0"),
    Case(arguments: "--epochs -3", message: "--epochs: expected at least 1, got -3"),
    Case(
      arguments: "--max-lr -0.1",
      message: "--max-lr: expected numbers from 1.2e-38 to 3.4e38, the range of float32, got -0.1"),
    Case(
      arguments: "--max-lr nan",
      message: "--max-lr: expected numbers from 1.2e-38 to 3.4e38, the range of float32, got nan"
    ),
    Case(
      arguments: "--max-lr inf",
      message: "--max-lr: expected numbers from 1.2e-38 to 3.4e38, the range of float32, got inf"
    ),
    Case(
      arguments: "--schedule cosine --max-lr 0",
      message: "--max-lr: expected numbers from 1.2e-38 to 3.4e38, the range of float32, got 0.0"),
    Case(arguments: "--batch-size 0", message: "--batch-size: expected at least 1, got 0"),
    Case(
      arguments: "--threads 0",
      message: "--threads: expected a number the system can start, from 1 up, got 0; use fewer"),
    Case(
      arguments: "--loss hingy",
      message:
        "--loss: expected one of cross-entropy, focal, nll, kl-divergence, multi-class-hinge, bce, binary-focal, hinge, "
        + "squared-hinge, mse, mae, huber, smooth-l1, log-cosh, msle, mape, poisson, gaussian, quantile, dice, tversky, "
        + "cosine-similarity, cosine-embedding, triplet, ctc, got \"hingy\"; did you mean \"hinge\"?"
    ),
    Case(
      arguments: "--optimizer mion",
      message:
        "--optimizer: expected one of sgd, adam, adamw, lion, rmsprop, adagrad, adadelta, adamax, amsgrad, nadam, radam, "
        + "lamb, lars, adafactor, adan, muon, schedule-free-sgd, schedule-free-adamw, dadapt-sgd, prodigy, got \"mion\"; "
        + "did you mean \"lion\"?"),
    Case(
      arguments: "--optimizer adamw --weight-decay-kind l2",
      message:
        "--weight-decay-kind: expected decoupled for adamw, got l2; use --optimizer adam for l2"),
    Case(
      arguments: "--momentum 2",
      message: "--momentum: expected a number from 0 to below 1, got 2.0"),
    Case(
      arguments: "--momentum 0.8,0.9",
      message: "--momentum: expected the higher value first, got 0.8,0.9; swap the two"),
    Case(
      arguments: "--schedule step --momentum 0.95,0.85",
      message:
        "--momentum: two values are the bounds of a 1cycle schedule, but the schedule is step; "
        + "give one"
    ),
    Case(
      arguments: "--schedule cosine --style smith",
      message: "--style: it is for 1cycle, but the schedule is cosine; leave one of them out"),
    Case(
      arguments: "--max-lr 0.1:-1",
      message: "--max-lr: expected numbers from 1.2e-38 to 3.4e38, the range of float32, got -1.0"),
    Case(
      arguments: "--max-lr 0.1,0.2",
      message: "--max-lr: expected a number for each of the 3 groups of parameters, got 2"),
    Case(
      arguments: "--weight-decay 0,-1",
      message: "--weight-decay: expected a finite number of at least 0, got -1.0"),
    Case(
      arguments: "--weight-decay 0,0.1",
      message: "--weight-decay: expected a number for each of the 3 groups of parameters, got 2"),
    Case(
      arguments: "--groups depth:9",
      message: "--groups: expected from 1 to 3, the number of layers with parameters, got 9"),
    Case(
      arguments: "--freeze dens.*",
      message: "no parameter matches \"dens.*\"; similar names are \"dense1.weight\", "
        + "\"dense1.bias\", \"dense2.weight\"; use * for any characters"),
    Case(
      arguments: "--freeze *", message: "every parameter is frozen; unfreeze some to train"),
    Case(
      arguments: "--freeze-to 3",
      message:
        "--freeze-to: expected a number from -3 to 2, because there are 3 groups, negative "
        + "numbers counting from the last, got 3"),
    Case(
      arguments: "--replace-head 5",
      message: "--replace-head: it is for ONNX files, but --model is mlp, which is made for the "
        + "data's classes; omit it"),
    Case(
      arguments: "--augment crop,smear",
      message: "--augment: expected one of \(augmentations), got \"smear\"; did you mean \"shear\"?"
    ),
    Case(
      arguments: "--augment cutout",
      message: "the transform cutout(size 16) can't be used on digits (train): a square of 16 is "
        + "larger than the images, which are 8 × 8"),
    Case(
      arguments: "--callback pruning",
      message:
        "--callback: expected one of activation-stats, adaptive-gradient-clip, csv-logger, divergence-guard, "
        + "early-stopping, ema, freeze-parameters, gradient-accumulation, gradient-centralization, "
        + "gradient-clip, gradient-noise-scale, gradient-statistics, limit-batches, lookahead, "
        + "model-checkpoint, pass-timer, recompute-batch-norm-statistics, reduce-lr-on-plateau, sam, "
        + "step-logger, swa, tensor-board, terminate-on-nan, time-limit, validate-every, got \"pruning\""
    ),
    Case(
      arguments: "--callback early-stopping:patience=long",
      message: "--callback early-stopping: patience is \"long\", expected an integer"),
    Case(
      arguments: "--callback early-stopping:wait=3",
      message: "--callback early-stopping: expected settings monitor, patience, min-delta, mode, "
        + "restore-best, baseline, start-epoch, threshold, "
        + "got \"wait\""),
    Case(
      arguments: "--callback early-stopping:patience",
      message: "--callback early-stopping: expected settings as key=value, got \"patience\"; "
        + "separate settings with commas"),
    Case(
      arguments: "--callback early-stopping:patience=1,patience=2",
      message: "--callback early-stopping: patience is given twice; give it once"),
    Case(
      arguments: "--callback early-stopping:monitor=f1",
      message:
        "--callback early-stopping: there is no metric \"f1\" to monitor; choose one of train_loss, "
        + "valid_loss, accuracy"),
    Case(
      arguments: "--callback early-stopping:patience=-1",
      message: "--callback early-stopping: patience is -1, expected at least 1 epoch"),
    Case(
      arguments: "--callback early-stopping:min-delta=-1",
      message:
        "--callback early-stopping: min-delta is -1.0, expected a finite number of at least 0"),
    Case(
      arguments: "--checkpoint-dir r --checkpoint-every 0steps",
      message: "--checkpoint-every: expected an interval above 0, got 0 steps"),
    Case(
      arguments: "--epochs 9223372036854775807",
      message:
        "--epochs: expected at most 186737708, as an epoch has 23 batches and a fit can count 4294967295 "
        + "batches, got 9223372036854775807"),
    Case(
      arguments: "--epochs 4611686018427387904 --batch-size 4611686018427387904",
      message:
        "--epochs: expected at most 4294967295, as an epoch has 1 batch and a fit can count 4294967295 "
        + "batches, got 4611686018427387904"),
    Case(
      arguments: "--model UPPER.ONNX",
      message:
        "--model: expected one of mlp, small-cnn, lenet, resnet20, resnet56, resnet110, resnet18, "
        + "resnet34, resnet50, airbench94, resnet9, wide-resnet16-4, wide-resnet28-10, densenet-bc100, "
        + "mobilenet-v3-small, efficientnet-b0, convnext-atto, vit-tiny, unet, tabular, gpt, text-transformer, lstm, "
        + "or a file that "
        + "ends in .onnx, got \"UPPER.ONNX\""),
    Case(
      arguments: "--callback csv-logger",
      message: "--callback csv-logger: path is missing; write it as csv-logger:path=…"),
    Case(
      arguments: "--callback terminate-on-nan:now=1",
      message: "--callback terminate-on-nan: it has no settings, got \"now\""),
  ]

  @Test(arguments: cases + trainingOptions + scheduleOptions)
  func `ends with 64 and says what to do`(_ wrong: Case)
    throws
  {
    // Of an option given twice the last one counts.
    let usual = ["--model", "mlp", "--data", "digits", "--epochs", "1", "--max-lr", "0.1"]
    let wrongArguments = wrong.arguments.split(separator: " ").map(String.init)
    let result = try CrestProcess.run(["train"] + usual + wrongArguments)
    #expect(result.error == "Error: \(wrong.message)\n")
    #expect(result.output == "")
    #expect(result.status == 64)
  }

  @Test(arguments: [
    ["train"], ["train", "--frobnicate"], ["fly"], ["train", "--max-lr", "much"],
    ["find-lr", "--epochs", "3"],
    ["data", "info"],
  ])
  func `of options is worded by the parser, with 64`(_ arguments: [String]) throws {
    let result = try CrestProcess.run(arguments)
    #expect(result.error.hasPrefix("Error: "))
    #expect(result.error.contains("See 'crest"))
    #expect(result.output == "")
    #expect(result.status == 64)
  }

  @Test func `of find-lr names its own options`() throws {
    let result = try CrestProcess.run(
      ["find-lr", "--model", "mlp", "--data", "digits", "--momentum", "0.95,0.85"])
    #expect(
      result.error
        == "Error: --momentum: two values are the bounds of a 1cycle schedule, but the schedule is a "
        + "range test; give one\n")
    #expect(result.status == 64)
  }
}

/// Models and data that can't be right: exit code 65 and one message.
@Suite struct `Bad models and data` {
  @Test func `a network that the images are too small for`() throws {
    let result = try CrestProcess.run(
      ["train", "--model", "lenet", "--data", "digits", "--epochs", "1", "--max-lr", "0.1"])
    #expect(
      result.error.hasPrefix(
        "Error: model lenet can't take examples of shape [1, 8, 8]: layer \"conv2\" (Conv): "))
    #expect(result.error.split(separator: "\n").count == 1)
    #expect(result.status == 65)
  }

  /// Files of a folder, what is wrong with them, and the exit code.
  struct Folder: CustomTestStringConvertible, Sendable {
    let files: [String: [UInt8]]
    let message: @Sendable (String) -> String
    var status: Int32 = 65
    var testDescription: String { files.keys.sorted().joined(separator: ", ") }
  }

  private static let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 2, 3, 4]

  static let folders = [
    Folder(
      files: [:],
      message: {
        "\($0) holds no known data set; looked for train-images-idx3-ubyte[.gz] (MNIST and its "
          + "like), data_batch_1.bin (CIFAR-10's binary version), fine_label_names.txt "
          + "(CIFAR-100's binary version) or train-x.npy or train-x.NAME.npy (NumPy arrays)"
      }),
    Folder(
      files: ["train-labels-idx1-ubyte": labels],
      message: {
        "\($0)/train-images-idx3-ubyte is missing; the data set's other files are there, so add it "
          + "or unpack the set again"
      }),
    Folder(
      files: [
        "train-images-idx3-ubyte": [0, 0, 8, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 7],
        "train-labels-idx1-ubyte": labels,
      ],
      message: {
        "\($0)/train-images-idx3-ubyte begins with the number 2049, expected 2051; the file "
          + "isn't of the kind that its name says"
      }),
    Folder(
      files: [
        "train-images-idx3-ubyte": [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 7, 7],
        "train-labels-idx1-ubyte": labels,
      ],
      message: {
        "\($0)/train-images-idx3-ubyte is truncated: expected 24 bytes, got 18; fetch the file "
          + "again"
      }),
    Folder(
      files: [
        "train-x.npy": npy(
          "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 16), }"),
        "train-y.npy": npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }"),
      ],
      message: { "\($0)/train-x.npy: " }),
  ]

  @Test(arguments: folders) func `data that are damaged`(_ damaged: Folder) throws {
    let folder = try TemporaryFolder()
    for (name, bytes) in damaged.files { try folder.write(bytes, to: name) }
    for command in [["data", "info", folder.path], train(folder)] {
      let result = try CrestProcess.run(command)
      #expect(result.error.hasPrefix("Error: " + damaged.message(folder.path)), "\(command)")
      #expect(result.error.split(separator: "\n").count == 1)
      #expect(result.output == "")
      #expect(result.status == damaged.status)
    }
  }

  @Test func `labels that name no class`() throws {
    let folder = try TemporaryFolder()
    let pixels: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2] + [UInt8](0..<8)
    for (part, last) in [("train", UInt8(4)), ("t10k", 77)] {
      try folder.write(pixels, to: "\(part)-images-idx3-ubyte")
      try folder.write([0, 0, 8, 1, 0, 0, 0, 2, 3, last], to: "\(part)-labels-idx1-ubyte")
    }
    let result = try CrestProcess.run(train(folder))
    #expect(
      result.error
        == "Error: label 1 of \(folder.path)/t10k-labels-idx1-ubyte is 77, but the set's classes are "
        + "0 to 4; number the classes from 0 and use the same ones for training and validation\n")
    #expect(result.status == 65)
  }

  @Test func `a learning rate that a network can't bear`() throws {
    let result = try CrestProcess.run(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "1", "--max-lr", "1e30",
        "--json",
      ])
    let place = #/Error: the training loss is -?(nan|inf) in step \d+ \(epoch 1, batch \d+\): /#
    #expect(result.error.prefixMatch(of: place) != nil, "\(result.error)")
    #expect(result.error.contains(" in layer dense"))
    #expect(result.error.hasSuffix("; lower the learning rate\n"))
    #expect(try result.objects().map { $0["ended"] as? String } == ["diverged"])
    #expect(result.status == 66)
  }

  private func train(_ folder: TemporaryFolder) -> [String] {
    [
      "train", "--model", "mlp", "--data", folder.path, "--epochs", "1", "--max-lr", "0.1",
    ]
  }

  private static func npy(_ header: String) -> [UInt8] {
    let padded = header + String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(padded.utf8.count), 0] + Array(padded.utf8)
  }
}

/// Files that can't be read or written: exit code 74.
@Suite struct `Files out of reach` {
  @Test(arguments: ["--log", "--log-steps"]) func `a log that can't be begun`(option: String) throws
  {
    let result = try CrestProcess.run(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "1", "--max-lr", "0.1", option,
        "/no/such/folder/log.csv",
      ])
    #expect(
      result.error
        == "Error: /no/such/folder/log.csv can't be written: No such file or directory; "
        + "choose another path\n")
    #expect(result.output == "")
    #expect(result.status == 74)
  }

  @Test func `an output without a name`() throws {
    let result = try CrestProcess.run(
      ["find-lr", "--model", "mlp", "--data", "digits", "--plot", ""])
    #expect(
      result.error
        == "Error: \"\" can't be written: No such file or directory; choose another path\n"
    )
    #expect(result.status == 74)
  }

  @Test func `a drawing that can't be written`() throws {
    let result = try CrestProcess.run(
      ["find-lr", "--model", "mlp", "--data", "digits", "--plot", "/no/such/folder/plot.svg"])
    #expect(
      result.error
        == "Error: /no/such/folder/plot.svg can't be written: No such file or directory; "
        + "choose another path\n")
    #expect(result.status == 74)
  }
}
