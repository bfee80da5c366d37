import Foundation
import ProcessSupport
import Testing

/// Names and texts that others wrote, in what the command prints.
@Suite struct `Text of others in the command` {
  private let hostile = "a\u{1b}[2K\r\u{1b}[1Ab\u{202e}c"

  private func expectHarmless(_ result: ProcessResult, _ what: String) {
    for text in [result.output, result.error] {
      let raw = text.unicodeScalars.filter {
        $0 != "\n" && [.control, .format].contains($0.properties.generalCategory)
      }
      #expect(raw.isEmpty, "\(what): \(text.debugDescription)")
    }
  }

  @Test func `is escaped in a manifest's fields`() throws {
    let folder = try TemporaryFolder()
    #expect(
      try CrestProcess.run(["plugins", "new", "P", "--language", "python"], in: folder).status == 0)
    let built = try Executable(path: folder["P/script/build"].path).run([])
    #expect(built.status == 0, "\(built.error)")
    let path = "P/build/P/crest-plugin.json"
    let manifest = try String(contentsOf: folder[path], encoding: .utf8)
    let changes = [
      ("0.1.0", "1.0\\u001b[2K\\r\\u001b[1A harmless\\u001b[8m"),
      ("0.1.0", "1" + String(repeating: "\\u0301", count: 5000)),
      ("P.py", "a\\u001b[31m\\nError: fake"),
    ]
    for (old, new) in changes {
      try folder.write(
        Array(manifest.replacingOccurrences(of: "\"\(old)\"", with: "\"\(new)\"").utf8), to: path)
      for arguments in [
        ["plugins", "verify", "./P/build/P"], ["plugins", "lock", "./P/build/P"],
        [
          "train", "--model", "mlp", "--data", "digits", "--epochs", "1", "--max-lr", "0.1",
          "--plugin", "./P/build/P",
        ],
      ] {
        let result = try CrestProcess.run(arguments, in: folder)
        #expect(result.status != 0)
        expectHarmless(result, arguments.joined(separator: " "))
        let lines = (result.output + result.error).split(separator: "\n")
        #expect(!lines.contains { $0.hasPrefix("Error: fake") })
        #expect((result.output + result.error).utf8.count < 1500, "\(result.error)")
      }
    }
  }

  @Test func `is escaped in paths, options and results`() throws {
    let folder = try TemporaryFolder()
    for arguments in [
      ["inspect", hostile + ".onnx"], ["predict", hostile, "--input", "x=\(hostile)"],
      ["train", "--model", hostile, "--data", "digits", "--epochs", "1", "--max-lr", "0.1"],
      ["train", "--model", "mlp", "--data", hostile, "--epochs", "1", "--max-lr", "0.1"],
      ["data", "info", hostile], ["--" + hostile], [hostile],
      ["plugins", "verify", hostile], ["export", hostile, "x.onnx"],
    ] {
      let result = try CrestProcess.run(arguments, in: folder)
      #expect(result.status != 0)
      expectHarmless(result, arguments.joined(separator: " "))
    }
  }
}
