import Foundation
import ONNXTestSupport
import ProcessSupport
import Testing

/// Every option and callback setting that the command declares, with values that are likely to trap.
///
/// The options are read from the command's own declaration, so that a new one is included. Of all pairs a sample is
/// tried; `CREST_OPTION_VALUES=all` tries all of them, and `CREST_SEED` repeats a sample.
@Suite struct `Numbers that users give` {
  static let values = [
    "0", "-1", "1", "2147483648", "4611686018427387904", "9223372036854775807", "nan", "inf",
    "-inf",
    "1e308", "1e-320", String(repeating: "n", count: 300),
  ]

  /// An option of a command, and how a value is written for it.
  struct Option: CustomTestStringConvertible, Sendable {
    let command: [String]
    let name: String
    /// What stands before and after the value.
    var before = ""
    var after = ""
    /// Other options that it needs.
    var needs: [String] = []

    var testDescription: String {
      (command + [name, before + "…" + after]).joined(separator: " ")
    }

    func arguments(_ value: String) -> [String] { needs + [name, before + value + after] }
  }

  private static let isWhole =
    ProcessInfo.processInfo.environment["CREST_OPTION_VALUES"] == "all"
  private static let seed =
    ProcessInfo.processInfo.environment["CREST_SEED"].flatMap(UInt64.init)
    ?? UInt64.random(in: 0..<1 << 32)
  private static let sampleCount = 2
  /// How long a run may take to end or to train; more beside all other tests, which may keep the machine busy.
  private static let patience = isWhole ? 5.0 : 100

  /// The options of all commands, as `--experimental-dump-help` tells them.
  static let options: [Option] = {
    guard
      let result = try? CrestProcess.run(["--experimental-dump-help"]),
      let object = try? JSONSerialization.jsonObject(with: Data(result.output.utf8)),
      let dump = object as? [String: Any], let root = dump["command"] as? [String: Any]
    else { return [] }
    return options(of: root, path: [])
  }()

  private static func options(of command: [String: Any], path: [String]) -> [Option] {
    let below = command["subcommands"] as? [[String: Any]] ?? []
    let ofThis = (command["arguments"] as? [[String: Any]] ?? [])
      .filter { $0["kind"] as? String == "option" }
      .flatMap { argument -> [Option] in
        guard let name = (argument["preferredName"] as? [String: Any])?["name"] as? String else {
          return []
        }
        let option = Option(command: path, name: "--" + name)
        let help = argument["abstract"] as? String ?? ""
        if name == "callback" || name == "loss" { return settings(help, path, of: "--" + name) }
        // The settings of augmentations and optimisers are many, and the same in each command.
        if name == "augment", path == ["train"] {
          var random = SplitMix(seed: seed)
          let all = settings(help, path, of: "--augment")
          return [option] + (isWhole ? all : Array(all.shuffled(using: &random).prefix(8)))
        }
        if name == "optimizer", path == ["train"] {
          var random = SplitMix(seed: seed)
          let all = settings(help, path, of: "--optimizer")
          return [option] + (isWhole ? all : Array(all.shuffled(using: &random).prefix(12)))
        }
        return forms(of: option)
      }
    return ofThis
      + below.flatMap { command -> [Option] in
        guard let name = command["commandName"] as? String, name != "help" else { return [] }
        return options(of: command, path: path + [name])
      }
  }

  /// An option alone, and with what may stand around a number.
  private static func forms(of option: Option) -> [Option] {
    func form(_ before: String, _ after: String) -> Option {
      Option(command: option.command, name: option.name, before: before, after: after)
    }
    return switch option.name {
    case "--checkpoint-every":
      ["", "epochs", "steps", "minutes"].map {
        Option(
          command: option.command, name: option.name, after: $0, needs: ["--checkpoint-dir", "run"])
      }
    case "--max-lr": [option, form("0.1:", ""), form(":", ""), form("0.1,", "")]
    case "--momentum": [option, form("0.95,", "")]
    case "--schedule":
      [
        option, form("warm-up:for=", "steps+cosine"), form("warm-up:for=", "epochs+cosine"),
        form("cosine:to=", ""), form("one-cycle:pct=", ""), form("one-cycle:final-div=", ""),
        form("polynomial:power=", ""), form("noam:warm-up=", "steps"),
        form("cosine-restarts:cycle=", "epochs"), form("tanh:lower=", ""),
        form("cosine-restarts:cycle=5steps,length-factor=", ""),
        form("exponential-decay:factor=0.5,every=", ""), form("inverse-time:rate=", ""),
        form("piecewise:values=1|1,at=", "steps"), form("triangular:cycle=", "steps"),
      ]
    case "--sizes": [option, form("8,", "")]
    case "--groups": [option, form("depth:", "")]
    case "--shape": [option, form("3,", "")]
    default: [option]
    }
  }

  /// The settings of callbacks, losses or optimisers, as help writes them: `name:key=kind,key=kind`.
  private static func settings(_ help: String, _ path: [String], of option: String) -> [Option] {
    let form = #/([a-z0-9-]+):([a-z0-9-]+=[a-z0-9|A-Z=,\/…-]+)/#
    return help.matches(of: form).flatMap { match -> [Option] in
      let callback = String(match.1)
      let pairs = match.2.split(separator: ",").map { $0.split(separator: "=").map(String.init) }
      return pairs.flatMap { pair -> [Option] in
        let needed = callback == "model-checkpoint" && pair[0] != "folder" ? "folder=saved," : ""
        return (pair[1] == "interval" ? ["epochs", "steps", "minutes"] : [""]).map { unit in
          Option(
            command: path, name: option, before: "\(callback):\(needed)\(pair[0])=",
            after: unit)
        }
      }
    }
  }

  /// A folder with a network and inputs for all runs to read.
  nonisolated(unsafe) fileprivate static let inputs: CommandCase? = {
    guard let it = try? CommandCase("epochs-overflow-trap"),
      let trained = try? it.run(
        "train", "--model", "mlp", "--data", "data", "--epochs", "1", "--max-lr", "0.01",
        "--export", "net.onnx"), trained.status == 0
    else { return nil }
    // It is never deinitialised, as all runs share it.
    atexit { removeInputs() }
    return it
  }()

  /// What a command needs besides the option that is tried.
  private static func usual(_ command: [String], _ inputs: TemporaryFolder) -> [String]? {
    let model = ["--model", inputs["net.onnx"].path]
    let data = ["--data", inputs["data"].path, "--threads", "1"]
    switch command.joined(separator: " ") {
    case "train": return model + data + ["--epochs", "1", "--max-lr", "0.01", "--json"]
    case "fine-tune": return model + data + ["--epochs", "2", "--max-lr", "0.01", "--json"]
    case "find-lr", "evaluate": return model + data
    case "find-batch-size": return model + data + ["--sizes", "8", "--steps", "2"]
    case "range-test": return model + data + ["--to", "0.1", "--steps", "40"]
    case "predict":
      return model + ["--input", inputs["data/train-x.npy"].path, "--output", "out.npy"]
    case "generate": return model
    case "inspect": return [inputs["net.onnx"].path]
    case "export": return [inputs["net.onnx"].path, "--to", "out.onnx"]
    case "data info": return [inputs["data"].path]
    case "plugins new": return ["--language", "c", "Name"]
    default: return nil
    }
  }

  @Test func `are tried in every option that takes a value`() {
    #expect(Self.options.count > 80, "\(Self.options.map(\.testDescription))")
    for name in [
      "--epochs", "--seed", "--threads", "--batch-size", "--freeze-to", "--replace-head",
    ] {
      #expect(Self.options.contains { $0.name == name })
    }
    #expect(Self.options.contains { $0.before == "early-stopping:patience=" })
    #expect(Self.options.contains { $0.before == "model-checkpoint:folder=saved,every=" })
  }

  @Test func `beyond all time are an interval that never comes`() throws {
    let it = try CommandCase("checkpoint-minutes-trap")
    let result = try it.run(
      "train", "--model", "mlp", "--data", "data", "--epochs", "1", "--max-lr", "0.05",
      "--checkpoint-dir", "run", "--checkpoint-every", "9223372036854775807minutes")
    #expect(result.status == 0, "\(result.error)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: it.folder["run"].path) == [".crest-lock"])
  }

  @Test(arguments: options) func `never trap or hang`(option: Option) throws {
    let inputs = try #require(Self.inputs)
    let usual = try #require(
      Self.usual(option.command, inputs.folder), "the test must know what \(option.command) needs")
    var random = SplitMix(
      seed: option.testDescription.utf8.reduce(Self.seed) { $0 &+ UInt64($1) &* 31 })
    let values =
      Self.isWhole
      ? Self.values : Array(Self.values.shuffled(using: &random).prefix(Self.sampleCount))
    for value in values {
      let folder = try TemporaryFolder()
      let run = try CrestProcess.start(
        option.command + usual + option.arguments(value), in: folder)
      // A long run is one as soon as it has trained more epochs than the usual one.
      let hasEnded = try run.wait(seconds: Self.patience) {
        try !run.isRunning || run.output().contains("\"epoch\":3,")
      }
      let isLong = hasEnded && run.isRunning
      let what = "\(option.testDescription) with \(value.prefix(30)), CREST_SEED=\(Self.seed)"
      #expect(hasEnded, "\(what): neither ended nor training after \(Self.patience) s")
      if run.isRunning { run.send(isLong ? SIGINT : SIGKILL) }
      let result = try run.finish()
      let status = try #require(
        result.status, "\(what): \(result.end)\n\(result.error.suffix(2000))")
      #expect(
        isLong ? status == 130 || status == 0 : [0, 64, 65, 66, 74].contains(status),
        "\(what): \(status)\n\(result.error.suffix(2000))")
      #expect(!result.error.contains("fault of crest"), "\(what): \(result.error)")
    }
  }
}

private func removeInputs() {
  guard let folder = `Numbers that users give`.inputs?.folder else { return }
  // Best effort: what stays behind lies in the system's temporary folder.
  try? FileManager.default.removeItem(at: folder.url)
}
