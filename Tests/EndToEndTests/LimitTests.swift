import Foundation
import ProcessSupport
import Testing

/// Every place that writes, where a file may not grow and where the disk is full, and standard output.
@Suite struct `Limits of the system` {
  private let folder: TemporaryFolder
  private static let train = [
    "train", "--model", "mlp", "--data", "digits", "--epochs", "1", "--max-lr", "0.01", "--threads",
    "1",
  ]

  /// What writes, and the file that it can't; commands run in a folder beside the files that they read.
  static let outputs: [(command: [String], path: String)] = [
    (train + ["--export", "out.onnx"], "out.onnx"),
    (train + ["--log", "epochs.csv"], "epochs.csv"),
    (train + ["--log-steps", "steps.csv"], "steps.csv"),
    (train + ["--callback", "csv-logger:path=a.csv"], "a.csv"),
    (train + ["--callback", "step-logger:path=a.csv"], "a.csv"),
    (train + ["--checkpoint-dir", "run"], "run/checkpoint-0000000023.safetensors"),
    (
      train + ["--callback", "model-checkpoint:folder=run"], "run/checkpoint-0000000023.safetensors"
    ), (["find-lr", "--model", "mlp", "--data", "digits", "--plot", "plot.svg"], "plot.svg"),
    (
      ["predict", "--model", "../net.onnx", "--input", "../x.npy", "--output", "y.npy"], "y.npy"
    ), (["export", "../net.onnx", "--to", "copy.onnx"], "copy.onnx"),
    (["plugins", "new", "Watch", "--language", "c"], "Watch/crest-plugin.json"),
  ]

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      at: folder["full"], withIntermediateDirectories: false)
  }

  /// Writes what some commands read.
  private func prepare() throws {
    let result = try CrestProcess.run(Self.train + ["--export", "net.onnx"], in: folder)
    #expect(result.status == 0, "\(result.error)")
    let header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 8, 8), }"
      .padding(toLength: 117, withPad: " ", startingAt: 0) + "\n"
    try folder.write(
      [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8)
        + [UInt8](repeating: 0, count: 256), to: "x.npy")
  }

  /// Runs a command in the folder `full` after `before`, both by a shell.
  private func run(_ command: [String], after before: String) throws -> ProcessResult {
    // What the command says goes through a pipe: it may not write to a file.
    let script = "(\(before) && cd full && exec \"$@\") 2>&1 | cat; exit ${PIPESTATUS[0]}"
    return try Executable(path: "/bin/bash").run(
      ["-c", script, "bash", CrestProcess.path] + command, in: folder.url)
  }

  private func expectFailure(_ result: ProcessResult, _ path: String, _ reason: String) {
    #expect(result.status == 74, "\(result.end), \(result.output)")
    #expect(
      result.output.contains("\(path) can't be written: \(reason)"), "\(path): \(result.output)")
    #expect(
      result.output.contains("; choose another path or make room"), "\(path): \(result.output)")
  }

  @Test func `of files end every command with an error`() throws {
    try prepare()
    for (command, path) in Self.outputs {
      expectFailure(try run(command, after: "ulimit -f 0"), path, "File too large")
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder["full"].path).sorted()
    #expect(left == ["a.csv", "epochs.csv", "run", "steps.csv"])
  }

  /// A disk of one page that is full, which only root can have made, in a name space that goes with the command.
  private static let full =
    "mount -t tmpfs -o size=4k none full && head -c 4096 /dev/zero >full/fill"

  private static let canMount: Bool = {
    let trial = "unshare -m sh -c 'mount -t tmpfs -o size=4k none /mnt' 2>/dev/null"
    return (try? Executable(path: "/bin/bash").run(["-c", trial]).status) == 0
  }()

  @Test(.enabled(if: canMount, "only root can mount a small disk"))
  func `of disks end every command with an error`() throws {
    try prepare()
    for (command, path) in Self.outputs {
      let script = "(\(Self.full) && cd full && exec \"$@\") 2>&1 | cat; exit ${PIPESTATUS[0]}"
      let result = try Executable(path: "/usr/bin/unshare").run(
        ["-m", "/bin/bash", "-c", script, "bash", CrestProcess.path] + command, in: folder.url)
      expectFailure(result, path, "No space left on device")
    }
  }

  static let talkative: [[String]] = [
    train, train + ["--json"], ["find-lr", "--model", "mlp", "--data", "digits"],
    ["data", "info", "digits"], ["plugins", "list"], ["inspect", "--operators"], ["--help"],
    ["train", "--help"], ["--version"],
  ]

  @Test(arguments: talkative) func `of standard output end every command with an error`(
    _ command: [String]
  ) throws {
    let result = try Executable(path: "/bin/bash").run(
      ["-c", "exec \"$@\" >/dev/full", "bash", CrestProcess.path] + command, in: folder.url)
    #expect(result.status == 74, "\(result.end)")
    #expect(
      result.error.hasSuffix(
        "Error: standard output can't be written: No space left on device; choose another path or make room\n"
      ),
      "\(result.error)")
  }

  /// Limits of addresses in KiB, from one with which the program just starts.
  @Test func `of memory end a run with an error that says how much it needs`() throws {
    // 64 million floats of an example's activations.
    let big = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(big == ["full"])
    let rows = 4_000_000
    let header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), 64), }"
      .padding(toLength: 117, withPad: " ", startingAt: 0) + "\n"
    try folder.write(
      [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8), to: "train-x.npy")
    // Zeros that take no room on the disk.
    #expect(truncate(folder["train-x.npy"].path, off_t(128 + rows * 256)) == 0)
    try folder.write(
      [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]
        + Array(
          ("{'descr': '|u1', 'fortran_order': False, 'shape': (\(rows),), }"
            .padding(toLength: 117, withPad: " ", startingAt: 0) + "\n").utf8), to: "train-y.npy")
    #expect(truncate(folder["train-y.npy"].path, off_t(128 + rows)) == 0)
    let result = try run(
      ["train", "--model", "mlp", "--data", "..", "--epochs", "1", "--max-lr", "0.01"],
      after: "ulimit -v 600000")
    #expect(result.status == 65, "\(result.end), \(result.output)")
    #expect(
      result.output.hasPrefix(
        "Error: ../train-x.npy: what it holds takes 1024000000 bytes, expected at most the "),
      "\(result.output)")
    #expect(
      result.output.hasSuffix(
        " that this process may take; give fewer examples, or raise the process's limit\n"),
      "\(result.output)")
  }
}
