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
    #expect(verified.output == "Watch 0.1.0: ready\n")
    let result = try CrestProcess.run(train + ["--plugin", plugin], in: folder)
    #expect(result.status == 0, "\(result.error)")
    let losses = try result.objects().map { $0["largest_loss"] as? Double ?? 0 }
    #expect(losses.count == 3)
    #expect(losses.allSatisfy { $0 > 0 })
    let without = try CrestProcess.run(train, in: folder)
    #expect(try without.objects().allSatisfy { $0["largest_loss"] == nil })
  }

  @Test func `end training for their reasons`() throws {
    try lock()
    let result = try CrestProcess.run(train + ["--plugin", "\(plugin):limit=0"], in: folder)
    #expect(result.status == 0)
    #expect(try result.objects().count <= 2)
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
        == "Error: \(checkpoint): callbacks.Watch.settings.sha256 of the saved state is "
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
    #expect(locked.output.hasPrefix("Watch 0.1.0 (library), .crest/plugins/Watch: ready\n"))
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
