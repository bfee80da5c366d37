import Foundation
import ProcessSupport
import Testing

@Suite(.needsChecker) struct `Limits` {
  /// Six megabytes that become three million nodes.
  static let manyNodes = SampleModel(
    graphFields: Array(repeating: (1, .message([])), count: 3_000_000)
  ).bytes

  @Test func `of memory refuse a model that swells`() throws {
    let result = try CheckerProcess.run(
      "check m.onnx --memory-limit 256 --json", on: Self.manyNodes)
    let message =
      "m.onnx: expected a model that needs at most 256 MiB of "
      + "memory, but it needs more; raise --memory-limit if you trust the file"
    #expect(result.end == .exit(65))
    #expect(result.error == "Error: \(message)\n")
    #expect(
      try result.object() == [
        "event": "result", "command": "check", "file": "m.onnx", "accepted": false,
        "reason": "memory-limit", "message": message,
      ])
  }

  @Test func `of memory refuse a file by its size alone`() throws {
    let folder = try TemporaryFolder()
    // A hole: no byte of it is stored, or read.
    try folder.write([], to: "m.onnx")
    let file = try FileHandle(forWritingTo: folder["m.onnx"])
    try file.truncate(atOffset: 1 << 40)
    try file.close()
    let result = try CheckerProcess.run(["check", "m.onnx"], in: folder)
    #expect(result.end == .exit(65))
    #expect(
      result.error == """
        Error: m.onnx: expected at most half the memory limit of 2048 MiB, since the model is held \
        twice, got 1099511627776 bytes; raise --memory-limit

        """)
  }

  @Test func `of time end what would take for ever`() throws {
    // Each function calls the one before twice, and libonnx goes through all 2^60 calls.
    let model = SampleModel.callingFunctions(60) { $0 == 0 ? [] : [$0 - 1, $0 - 1] }
    let result = try CheckerProcess.run("infer m.onnx --time-limit 1 --json", on: model.bytes)
    let message =
      "m.onnx: expected a model that needs at most 1 s of processor "
      + "time, but it needs more; raise --time-limit if you trust the file"
    #expect(result.end == .exit(65))
    #expect(result.error == "Error: \(message)\n")
    #expect(
      try result.object() == [
        "event": "result", "command": "infer", "file": "m.onnx", "accepted": false,
        "reason": "time-limit", "message": message,
      ])
  }

  /// Callers are told to take a signal for a refusal; here is one.
  @Test func `do not keep libonnx from crashing, which says nothing but the signal`() throws {
    let folder = try TemporaryFolder()
    let model = SampleModel.callingFunctions(1) { _ in [0] }
    try folder.write(model.bytes, to: "m.onnx")
    let result = try CheckerProcess.run(["infer", "m.onnx", "--json"], in: folder)
    #expect(result.end == .signal(SIGSEGV))
    #expect(result.output.isEmpty)
    #expect(result.error.isEmpty)
    #expect(try folder.names == ["m.onnx"])
  }
}
