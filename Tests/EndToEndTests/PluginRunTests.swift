import Foundation
import ProcessSupport
import Testing

/// A new package for a plugin in C, built, locked and trained with, as its user does.
///
/// `script/plugins` does the same in every language.
@Suite struct `Plugins in the command` {
  private let folder: TemporaryFolder
  private let train = [
    "train", "--model", "mlp", "--data", "digits", "--epochs", "2", "--max-lr", "0.1", "--json",
  ]
  private let plugin = "./Watch/build/Watch"

  init() throws {
    folder = try TemporaryFolder()
    #expect(
      try CrestProcess.run(["plugins", "new", "Watch", "--language", "c"], in: folder).status == 0)
    try build()
  }

  private func build() throws {
    let result = try Executable(path: folder["Watch/script/build"].path).run([])
    #expect(result.status == 0, "\(result.error)")
  }

  private func lock() throws {
    #expect(try CrestProcess.run(["plugins", "lock", plugin], in: folder).status == 0)
  }

  /// The hash of the library that was built, as its manifest has it.
  private func digest() throws -> String {
    let manifest = try Data(contentsOf: folder["\(plugin)/crest-plugin.json"])
    let fields = try #require(try JSONSerialization.jsonObject(with: manifest) as? [String: Any])
    return try #require(fields["sha256"] as? String)
  }

  @Test func `run when they are named and locked`() throws {
    let refused = try CrestProcess.run(train + ["--plugin", plugin], in: folder)
    #expect(refused.status == 65)
    #expect(
      refused.error
        == "Error: \(plugin) is not trusted: crest-plugins.lock does not have Watch; look at it, then run "
        + "crest plugins lock \(plugin)\n")
    try lock()
    let verified = try CrestProcess.run(["plugins", "verify", plugin], in: folder)
    #expect(
      verified.output == "Watch 0.1.0, \(plugin): ready, trusted by crest-plugins.lock\n")
    let result = try CrestProcess.run(train + ["--plugin", plugin], in: folder)
    #expect(result.status == 0, "\(result.error)")
    let note = "plugin Watch 0.1.0 is that in \(plugin), trusted by crest-plugins.lock"
    #expect(result.error.hasPrefix("Note: \(note)\n"))
    #expect(try result.objects().first?["text"] as? String == note)
    let losses = try result.objects().dropFirst().map { $0["largest_loss"] as? Double ?? 0 }
    #expect(losses.count == 3)
    #expect(losses.allSatisfy { $0 > 0 })
    let without = try CrestProcess.run(train, in: folder)
    #expect(try without.objects().allSatisfy { $0["largest_loss"] == nil })
  }

  @Test func `end training for their reasons`() throws {
    try lock()
    let result = try CrestProcess.run(train + ["--plugin", "\(plugin):limit=0"], in: folder)
    #expect(result.status == 0)
    #expect(try result.objects().count <= 3)
    let wrong = try CrestProcess.run(train + ["--plugin", "\(plugin):limit=-1"], in: folder)
    #expect(wrong.status == 64)
    #expect(
      wrong.error == "Error: plugin Watch: limit: expected a number of at least 0, got -1\n")
  }

  @Test func `are the same when a run is gone on with`() throws {
    try lock()
    let checkpoints = ["--checkpoint-dir", "run", "--plugin"]
    let first = try CrestProcess.run(train + checkpoints + [plugin], in: folder)
    #expect(first.status == 0, "\(first.error)")
    let missing = try CrestProcess.run(
      train + ["--checkpoint-dir", "run", "--resume"], in: folder)
    #expect(missing.status == 65)
    let checkpoint = "run/checkpoint-0000000046.safetensors"
    #expect(
      missing.error
        == "Error: \(checkpoint): the saved state has callbacks.Watch, which nothing here uses; "
        + "restore it with the parts it was saved with, or give --partial callbacks.Watch\n")
    let digest = try self.digest()
    // Another program under the same name and version, built and locked.
    let source = folder["Watch/Watch.c"]
    let text = try String(contentsOf: source, encoding: .utf8)
    try Data(text.replacing("above %g", with: "beyond %g").utf8).write(to: source)
    try build()
    try lock()
    let changed = try CrestProcess.run(
      train + ["--resume"] + checkpoints + [plugin], in: folder)
    #expect(changed.status == 65)
    #expect(
      changed.error
        == "Note: plugin Watch 0.1.0 is that in \(plugin), trusted by crest-plugins.lock\n"
        + "Error: \(checkpoint): callbacks.Watch.settings.sha256 of the saved state is "
        + "\"\(digest)\", but here it is \"\(try self.digest())\"; restore it where they are "
        + "equal, or give --partial callbacks.Watch.settings.sha256\n")
  }

  @Test func `are listed with what keeps them from running`() throws {
    let shelf = folder[".crest/plugins"]
    try FileManager.default.createDirectory(at: shelf, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: folder["Watch/build/Watch"], to: shelf.appending(path: "Watch"))
    let unlocked = try CrestProcess.run(["plugins", "list"], in: folder)
    #expect(
      unlocked.output.hasPrefix(
        "Watch 0.1.0 (library), .crest/plugins/Watch: .crest/plugins/Watch is not trusted: "),
      "\(unlocked.output)")
    #expect(try CrestProcess.run(["plugins", "lock", "Watch"], in: folder).status == 0)
    let locked = try CrestProcess.run(["plugins", "list"], in: folder)
    #expect(
      locked.output.hasPrefix(
        "Watch 0.1.0 (library), .crest/plugins/Watch: ready, trusted by crest-plugins.lock\n"))
  }

  /// What somebody else's folder brings along does not take the place of what its user has.
  @Test func `of a folder never stand in for those of its user`() throws {
    for place in [folder[".crest/plugins"], folder["home/.crest/plugins"]] {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        at: folder["Watch/build/Watch"], to: place.appending(path: "Watch"))
    }
    try lock()
    let home = folder["home"].path
    let message =
      "there are plugins \"Watch\" in .crest/plugins/Watch and \(home)/.crest/plugins/Watch; give the path of the one "
      + "you mean, as in --plugin ./.crest/plugins/Watch"
    func run(_ words: [String]) throws -> ProcessResult {
      try Executable("crest").start(words, in: folder.url, environment: ["HOME": home]).finish()
    }
    for words in [
      train + ["--plugin", "Watch"], ["plugins", "lock", "Watch"], ["plugins", "verify", "Watch"],
    ] {
      let result = try run(words)
      #expect(result.status == 64)
      #expect(result.error == "Error: \(message)\n")
    }
    let listed = try run(["plugins", "list"])
    #expect(
      listed.output
        == "Watch 0.1.0 (library), .crest/plugins/Watch: \(message)\n"
        + "Watch 0.1.0 (library), \(home)/.crest/plugins/Watch: \(message)\n")
    #expect(try run(train + ["--plugin", "./.crest/plugins/Watch"]).status == 0)
  }

  @Test func `that end the process end it with an error`() throws {
    let source = folder["Watch/Watch.c"]
    let text = try String(contentsOf: source, encoding: .utf8)
    let call = "static int32_t on_event(void *state, const crest_event *event) {"
    #expect(text.contains(call))
    try Data(
      ("#include <stdlib.h>\n"
        + text.replacing(
          call, with: call + "\n  if (event->step == 5 && event->hook == CREST_AFTER_LOSS) exit(0);"
        ))
        .utf8
    ).write(to: source)
    try build()
    try lock()
    let result = try CrestProcess.run(
      train + ["--plugin", plugin, "--export", "network.onnx"], in: folder)
    let reason =
      "plugin Watch failed in afterLoss: it ended the process by exit, and with it the run; a plugin returns a failure "
      + "instead"
    #expect(result.status == 65)
    #expect(
      result.error
        == "Note: plugin Watch 0.1.0 is that in \(plugin), trusted by crest-plugins.lock\nError: \(reason)\n"
    )
    let last = try #require(try result.objects().last)
    #expect(last["event"] as? String == "result")
    #expect(last["ended"] as? String == "failed")
    #expect(last["reason"] as? String == reason)
    #expect(last["exit_code"] as? Int == 65)
    #expect(!FileManager.default.fileExists(atPath: folder["network.onnx"].path))
  }

  @Test func `are made under names that all languages take`() throws {
    let again = try CrestProcess.run(
      ["plugins", "new", "Watch", "--language", "swift"], in: folder)
    #expect(again.status == 64)
    #expect(
      again.error == "Error: Watch already exists; choose another name, or remove it\n")
    let dashed = try CrestProcess.run(["plugins", "new", "a-b", "--language", "swift"], in: folder)
    #expect(
      dashed.error
        == "Error: a plugin's name: expected letters, digits and _, beginning with a letter, got "
        + "\"a-b\"\n"
    )
    let pascal = try CrestProcess.run(["plugins", "new", "P", "--language", "pascal"], in: folder)
    #expect(
      pascal.error == "Error: --language: expected one of swift, c, python, got \"pascal\"\n")
  }
}
