import Foundation
import ProcessSupport
import Testing

@Suite(.needsChecker) struct `Wrong usage` {
  @Test(arguments: [
    (
      "check m.onnx --memory-limit 127",
      "--memory-limit: expected 128 to 1048576 MiB, got 127"
    ),
    (
      "check m.onnx --memory-limit 9223372036854775807",
      "--memory-limit: expected 128 to 1048576 MiB, got 9223372036854775807"
    ),
    ("check m.onnx --time-limit 0", "--time-limit: expected 1 to 86400 seconds, got 0"),
    ("convert m.onnx --opset 18 --output o.onnx", "--opset: expected 1 to 17, got 18"),
    ("convert m.onnx --opset 0 --output o.onnx", "--opset: expected 1 to 17, got 0"),
    ("convert m.onnx --opset 17", "Missing expected argument '--output <file.onnx>'"),
    ("check", "Missing expected argument '<file.onnx>'"),
  ])
  func `is told in a line, and exits with 64`(arguments: String, message: String) throws {
    let result = try CheckerProcess.run(arguments, on: SampleModel().bytes)
    #expect(result.end == .exit(64))
    let line = result.error.split(separator: "\n").first { $0.hasPrefix("Error: ") }
    #expect(line.map(String.init) == "Error: \(message)", "\(result.error)")
    #expect(result.output.isEmpty)
  }

  @Test(arguments: ["m.onnx", "./m.onnx", "link.onnx"])
  func `is to convert a model onto itself`(output: String) throws {
    let folder = try TemporaryFolder()
    let model = SampleModel(opsets: [("", 14)]).bytes
    try folder.write(model, to: "m.onnx")
    try FileManager.default.createSymbolicLink(
      at: folder["link.onnx"], withDestinationURL: folder["m.onnx"])
    let result = try CheckerProcess.run(
      ["convert", "m.onnx", "--opset", "17", "--output", output], in: folder)
    #expect(result.end == .exit(64))
    #expect(
      result.error == "Error: \(output): --output names the model itself, expected another file; "
        + "choose another name\n")
    #expect(try Data(contentsOf: folder["m.onnx"]) == Data(model))
  }

  @Test func `is a limit above what the system grants`() throws {
    let folder = try TemporaryFolder()
    try folder.write(SampleModel().bytes, to: "m.onnx")
    let result = try Executable(path: "/bin/sh").run(
      ["-c", "ulimit -v 1000000; exec \"$0\" check m.onnx", CheckerProcess.program.path],
      in: folder.url)
    #expect(result.end == .exit(64))
    #expect(
      result.error == "Error: --memory-limit 2048: the system refuses this limit: "
        + "Operation not permitted; give a smaller one\n")
  }
}

@Suite(.needsChecker) struct `Files that can't be used` {
  @Test func `to read from`() throws {
    let folder = try TemporaryFolder()
    let absent = try CheckerProcess.run(["check", "m.onnx", "--json"], in: folder)
    #expect(absent.end == .exit(74))
    #expect(
      absent.error == "Error: m.onnx: it can't be read: No such file or directory; "
        + "check the path and its permissions\n")
    // Nothing is known of the model, so there is no judgement.
    #expect(absent.output.isEmpty)
    #expect(mkfifo(folder["pipe"].path, 0o600) == 0)
    for path in [".", "pipe", "/dev/zero"] {
      let result = try CheckerProcess.run(["check", path], in: folder)
      #expect(result.end == .exit(74))
      #expect(
        result.error
          == "Error: \(path): expected a regular file, got a folder, a pipe or a device; "
          + "give the model's file\n")
    }
  }

  @Test func `to write to`() throws {
    let result = try CheckerProcess.run(
      "convert m.onnx --opset 17 --output no/o.onnx", on: SampleModel().bytes)
    #expect(result.end == .exit(74))
    #expect(
      result.error == "Error: no/o.onnx: it can't be written: No such file or directory; "
        + "choose another path\n")
  }

  @Test func `as a result leave no part behind`() throws {
    let folder = try TemporaryFolder()
    try folder.write(SampleModel(opsets: [("", 14)]).bytes, to: "m.onnx")
    // A folder of that name can't be replaced by a file.
    try FileManager.default.createDirectory(
      at: folder["o.onnx"], withIntermediateDirectories: false)
    let result = try CheckerProcess.run(
      ["convert", "m.onnx", "--opset", "17", "--output", "o.onnx"], in: folder)
    #expect(result.end == .exit(74))
    #expect(
      result.error == "Error: o.onnx: it can't be written: Is a directory; "
        + "choose another path\n")
    #expect(try folder.names == ["m.onnx", "o.onnx"])
  }

  @Test func `as a result are followed when they are links`() throws {
    let folder = try TemporaryFolder()
    try folder.write(SampleModel(opsets: [("", 14)]).bytes, to: "m.onnx")
    try folder.write([1, 2, 3], to: "target.onnx")
    try FileManager.default.createSymbolicLink(
      atPath: folder["o.onnx"].path, withDestinationPath: "target.onnx")
    let result = try CheckerProcess.run(
      ["convert", "m.onnx", "--opset", "17", "--output", "o.onnx"], in: folder)
    #expect(result.end == .exit(0), "\(result.error)")
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: folder["o.onnx"].path)
        == "target.onnx")
    #expect(try CheckerProcess.run(["check", "target.onnx"], in: folder).end == .exit(0))
  }

  @Test func `as a result are replaced when all is well`() throws {
    let folder = try TemporaryFolder()
    try folder.write(SampleModel(opsets: [("", 14)]).bytes, to: "m.onnx")
    try folder.write([1, 2, 3], to: "o.onnx")
    let result = try CheckerProcess.run(
      ["convert", "m.onnx", "--opset", "17", "--output", "o.onnx", "--json"], in: folder)
    #expect(result.end == .exit(0), "\(result.error)")
    #expect(
      try result.object() == [
        "event": "result", "command": "convert", "file": "m.onnx", "accepted": true,
        "ir_version": 8, "opsets": [["domain": "ai.onnx", "version": 17, "judged": true]],
        "output": "o.onnx",
      ])
    #expect(try folder.names == ["m.onnx", "o.onnx"])
    #expect(try CheckerProcess.run(["check", "o.onnx"], in: folder).end == .exit(0))
  }
}

@Suite(.needsChecker) struct `Of itself, the checker` {
  @Test func `says which ONNX it speaks for`() throws {
    let result = try CheckerProcess.run(["--version"], in: try TemporaryFolder())
    #expect(result.end == .exit(0))
    #expect(result.output == "libonnx 1.12.0: IR versions up to 8, opsets up to 17\n")
  }
}
