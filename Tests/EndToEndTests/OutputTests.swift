import Foundation
import ProcessSupport
import Testing

/// Where outputs go: links are followed, pipes and devices written to or refused, and none is replaced.
@Suite struct `Outputs` {
  private let it: CommandCase
  private let training = [
    "train", "--model", "mlp", "--data", "data", "--epochs", "1", "--max-lr", "0.01",
  ]

  init() throws { it = try CommandCase("export-replaces-device") }

  private func run(_ arguments: [String]) throws -> ProcessResult {
    try CrestProcess.run(arguments, in: it.folder)
  }

  private func kind(_ name: String) throws -> mode_t {
    var status = stat()
    let path = name.hasPrefix("/") ? name : it.folder[name].path
    #expect(lstat(path, &status) == 0, "\(name)")
    return status.st_mode
  }

  private func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: it.folder[name].path, withDestinationPath: target)
  }

  /// An option, the beginning of what it writes, and the rest of the command.
  static let outputs: [(option: String, beginning: String, command: String)] = [
    ("--export", "\u{8}", "train"), ("--log", "epoch,", "train"), ("--log-steps", "step,", "train"),
    ("--callback csv-logger:path=", "epoch,", "train"),
    ("--callback step-logger:path=", "step,", "train"),
    ("--plot", "<?xml", "find-lr"), ("--output", "\u{93}NUMPY", "predict"),
  ]

  /// The command that writes to `path` by an option.
  private func command(_ row: (option: String, beginning: String, command: String), _ path: String)
    throws -> [String]
  {
    let option = (row.option + (row.option.hasSuffix("=") ? "" : " ") + path)
      .split(separator: " ").map(String.init)
    switch row.command {
    case "find-lr": return ["find-lr", "--model", "mlp", "--data", "digits"] + option
    case "predict":
      if !FileManager.default.fileExists(atPath: it.folder["net.onnx"].path) {
        #expect(try run(training + ["--export", "net.onnx"]).status == 0)
      }
      return ["predict", "--model", "net.onnx", "--input", "data/train-x.npy"] + option
    default: return training + option
    }
  }

  @Test(arguments: outputs.indices) func `follow links, and keep permissions`(index: Int) throws {
    let row = Self.outputs[index]
    try FileManager.default.createDirectory(
      at: it.folder["elsewhere"], withIntermediateDirectories: true)
    try it.folder.write(Array("old".utf8), to: "elsewhere/target")
    #expect(chmod(it.folder["elsewhere/target"].path, 0o600) == 0)
    try link("second", to: "elsewhere/target")
    try link("first", to: "second")
    let result = try run(command(row, "first"))
    #expect(result.status == 0, "\(result.error)")
    #expect(try kind("first") & S_IFMT == S_IFLNK)
    #expect(try kind("second") & S_IFMT == S_IFLNK)
    #expect(try kind("elsewhere/target") == S_IFREG | 0o600)
    let bytes = try Data(contentsOf: it.folder["elsewhere/target"])
    #expect(
      bytes.starts(with: row.beginning.unicodeScalars.map { UInt8($0.value) }),
      "\(row.option) wrote \(bytes.prefix(8))")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: it.folder["elsewhere"].path) == ["target"]
    )
  }

  @Test func `make the file that a link without one leads to`() throws {
    try link("link.onnx", to: "new.onnx")
    #expect(try run(training + ["--export", "link.onnx"]).status == 0)
    #expect(try kind("link.onnx") & S_IFMT == S_IFLNK)
    #expect(try kind("new.onnx") & S_IFMT == S_IFREG)
  }

  @Test(arguments: outputs.indices)
  func `are refused before any work where nobody reads a pipe`(index: Int) throws {
    #expect(mkfifo(it.folder["pipe"].path, 0o600) == 0)
    let result = try run(command(Self.outputs[index], "pipe"))
    #expect(result.status == 74)
    #expect(
      result.error
        == "Error: pipe can't be written: nobody reads the pipe; choose another path\n"
    )
    #expect(result.output == "")
    #expect(try kind("pipe") & S_IFMT == S_IFIFO)
  }

  @Test(arguments: outputs.indices) func `never replace a device`(index: Int) throws {
    // As root a device of our own, since what is tested would harm the system's.
    let isOwn = mknod(it.folder["null"].path, S_IFCHR | 0o666, dev_t(1 << 8 | 3)) == 0
    if !isOwn { try link("null", to: "/dev/null") }
    let result = try run(command(Self.outputs[index], "null"))
    #expect(result.status == 0, "\(result.error)")
    #expect(try kind("null") & S_IFMT == (isOwn ? S_IFCHR : S_IFLNK))
    #expect(try kind("/dev/null") & S_IFMT == S_IFCHR)
  }

  @Test func `of checkpoints follow links too`() throws {
    try FileManager.default.createDirectory(at: it.folder["run"], withIntermediateDirectories: true)
    try link("run/best.safetensors", to: "../best-of-all.safetensors")
    let result = try run(training + ["--callback", "model-checkpoint:folder=run,name=best"])
    #expect(result.status == 0, "\(result.error)")
    #expect(try kind("run/best.safetensors") & S_IFMT == S_IFLNK)
    let inspected = try run(["inspect", "best-of-all.safetensors"])
    #expect(inspected.output.hasPrefix("a run that can be resumed: "), "\(inspected.error)")
  }

  static let twice: [(options: String, first: String, second: String, paths: String)] = [
    ("--log a --log-steps a", "--log", "--log-steps", "a"),
    ("--log a --export ./a", "--log", "--export", "a, which is also ./a"),
    ("--log-steps link --export a", "--log-steps", "--export", "link, which is also a"),
    (
      "--log a --callback csv-logger:path=data/../a", "--log", "--callback csv-logger:path",
      "a, which is also data/../a"
    ),
    (
      "--callback csv-logger:path=a --callback step-logger:path=a", "--callback csv-logger:path",
      "--callback step-logger:path", "a"
    ),
    (
      "--checkpoint-dir r --callback model-checkpoint:folder=r", "--checkpoint-dir",
      "--callback model-checkpoint:folder", "r"
    ),
    (
      "--checkpoint-dir data/../r/ --callback model-checkpoint:folder=r", "--checkpoint-dir",
      "--callback model-checkpoint:folder", "data/../r/, which is also r"
    ),
    ("--log r --checkpoint-dir r", "--log", "--checkpoint-dir", "r"),
  ]

  @Test(arguments: twice.indices) func `of one path are refused before any work`(index: Int) throws
  {
    let row = Self.twice[index]
    try link("link", to: "a")
    let before = try it.folder.names
    let result = try run(training + row.options.split(separator: " ").map(String.init))
    #expect(result.status == 64)
    #expect(
      result.error
        == "Error: \(row.first) and \(row.second) both write to \(row.paths); give each its own "
        + "path\n"
    )
    #expect(result.output == "")
    #expect(try it.folder.names == before)
  }

  @Test func `that are gone when a run goes on are found before training`() throws {
    let options = ["--checkpoint-dir", "run", "--log", "epochs.csv", "--log-steps", "steps.csv"]
    #expect(try run(training + options).status == 0)
    let size = try Data(contentsOf: it.folder["epochs.csv"]).count
    try FileManager.default.removeItem(at: it.folder["epochs.csv"])
    let result = try run(training + options + ["--resume"])
    #expect(result.status == 74)
    #expect(
      result.error
        == "Error: epochs.csv is gone, but \(size) bytes were written to it before the "
        + "checkpoint; restore it, or give --partial callbacks.CSVLogger to start it again\n")
    let anew = try run(training + options + ["--resume", "--partial", "callbacks.CSVLogger"])
    #expect(anew.status == 0, "\(anew.error)")
  }
}
