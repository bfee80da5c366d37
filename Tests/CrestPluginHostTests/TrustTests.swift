import CrestPluginHost
import Foundation
import Testing

@Suite struct `The manifest` {
  /// A change to a manifest that is in order, and what is said of it.
  static let faults: [(old: String, new: String, reason: String)] = [
    (#""format": 1"#, #""format": 2"#, "format: expected 1, got 2"),
    (#""format": 1, "#, "", "format is missing; expected 1"),
    (
      #""Probe""#, #""../Probe""#,
      "identifier: expected a name of letters, digits, - and _, got \"../Probe\""
    ),
    (#""Probe""#, "7", "identifier: expected a name of letters, digits, - and _, got 7"),
    (#""1.0.0""#, #""""#, "version: expected a string of 1 to 64 printable characters, got \"\""),
    (#""library""#, #""script""#, "kind: expected \"library\" or \"process\", got \"script\""),
    (
      #"{"from": "1.0", "below": "2.0"}"#, #"{"from": "2.0", "below": "1.0"}"#,
      "interface: expected the versions it works with, as in {\"from\": \"1.0\", \"below\": \"2.0\"}, got "
        + "an object"
    ),
    (
      #"{"from": "1.0", "below": "2.0"}"#, #"{"from": "1.1", "below": "2.0"}"#,
      "it works with versions from 1.1 and below 2.0 of the interface, this is 1.0; get a version of the "
        + "plugin for it"
    ),
    (
      #""libProbe.so""#, #""../libProbe.so""#,
      "file: expected the name of a file beside the manifest, got \"../libProbe.so\""
    ),
    (
      #""libProbe.so""#, #""/etc/passwd""#,
      "file: expected the name of a file beside the manifest, got \"/etc/passwd\""
    ),
    (
      #""metrics", "#, #""everything", "#,
      "permissions: expected a list of parameters, statistics, gradients, predictions, losses, "
        + "activations, metrics, cancel, learning_rate, momentum, weight_decay, got a list"
    ),
    (
      #""type": "string""#, #""type": "text""#,
      "configuration.mode.type: expected one of number, integer, string, boolean, got \"text\""
    ),
    (
      #""default": 0.5"#, #""default": 2"#,
      "configuration.number.default: expected a number from 0 to 1, got 2"
    ),
    (
      #""minimum": 0"#, #""least": 0"#,
      "configuration.number.least is not a known field; remove it"
    ),
    (
      #""format": 1"#, #""format": 1, "priority": 1"#,
      "priority is not a known field; remove it"
    ),
    (
      #""format": 1"#, #""format": 1, "interpreter": ["sh"]"#,
      "interpreter: expected nothing in a library, got a list"
    ),
    (
      #""format": 1"#, #""format": 1, "limits": {}"#,
      "limits: expected nothing in a library, got an object"
    ),
    ("{\"format\"", "[\"format\"", "it is not JSON at byte 9: expected ']'"),
    (
      #""format": 1"#, #""format": 1, "format": 1"#,
      "it is not JSON at byte 25: expected \"format\" once"
    ),
  ]

  @Test(arguments: faults) func `that is not in order is refused`(
    _ fault: (old: String, new: String, reason: String)
  ) throws {
    let folder = try PluginFolder()
    let path = try folder.write(BadBinaryTestsProbe.bytes.get())
    let manifest = Manifest().text(sha256: sha256(try BadBinaryTestsProbe.bytes.get()))
    let changed = manifest.replacing(fault.old, with: fault.new, maxReplacements: 1)
    #expect(changed != manifest)
    try folder.write(changed, to: path)
    let error = #expect(throws: PluginError.self) { try CheckedPlugin(folder: path) }
    #expect(error?.description == "\(path)/crest-plugin.json is refused: \(fault.reason)")
  }

  @Test func `that has another hash than its file lies`() throws {
    let folder = try PluginFolder()
    let bytes = try BadBinaryTestsProbe.bytes.get()
    let path = try folder.write(bytes)
    let digest = String(repeating: "0", count: 64)
    try folder.write(Manifest().text(sha256: digest), to: path)
    let error = #expect(throws: PluginError.self) { try CheckedPlugin(folder: path) }
    #expect(
      error?.description
        == "\(path)/crest-plugin.json is wrong: sha256 is \(digest), but libProbe.so has "
        + "\(sha256(bytes)); build the plugin again, or fetch it again")
  }
}

@Suite struct `Trust` {
  private let folder: PluginFolder
  private let path: String

  init() throws {
    folder = try PluginFolder()
    path = try folder.write(BadBinaryTestsProbe.bytes.get())
  }

  private func message(_ body: () throws -> Void) -> String? {
    #expect(throws: PluginError.self, performing: body)?.description
  }

  @Test func `is not given to what others may write`() throws {
    for (name, mode) in [("libProbe.so", 0o775), ("crest-plugin.json", 0o666), ("", 0o757)] {
      let file = name.isEmpty ? path : "\(path)/\(name)"
      #expect(chmod(file, mode_t(mode)) == 0)
      #expect(
        message { _ = try CheckedPlugin(folder: path) }
          == "\(file) is refused: users other than its owner may write to it; run chmod go-w \(file)"
      )
      #expect(chmod(file, 0o755) == 0)
    }
  }

  @Test func `is not given through symbolic links`() throws {
    let file = path + "/libProbe.so"
    try FileManager.default.moveItem(atPath: file, toPath: folder.path + "/elsewhere.so")
    try FileManager.default.createSymbolicLink(
      atPath: file, withDestinationPath: folder.path + "/elsewhere.so")
    #expect(
      message { _ = try CheckedPlugin(folder: path) }
        == "\(file) is refused: it is a symbolic link; put the file itself there")
  }

  @Test func `is given by the lock file, to these bytes`() throws {
    let plugin = try CheckedPlugin(folder: path)
    let advice = "look at it, then run crest plugins lock \(path)"
    #expect(
      message { try plugin.check(PluginLock(path: folder.lock), path: "L") }
        == "\(path) is not trusted: L does not have Probe; \(advice)")
    var lock = PluginLock()
    lock.trust(plugin)
    try lock.write(to: folder.lock)
    let written = try PluginLock(path: folder.lock)
    #expect(written == lock)
    try plugin.check(written, path: "L")
    // Other permissions are another manifest.
    try folder.write(try BadBinaryTestsProbe.bytes.get(), Manifest(permissions: "[]"))
    let changed = try CheckedPlugin(folder: path)
    let said = message { try changed.check(written, path: "L") } ?? ""
    #expect(
      said.hasPrefix("\(path)/crest-plugin.json is not trusted: it has changed: its SHA-256 is "),
      "\(said)")
    lock.trust(changed)
    #expect(lock.entries.count == 1)
  }

  @Test func `is not read from a lock that others may write, or that is damaged`() throws {
    try folder.trust(in: path)
    #expect(chmod(folder.lock, 0o666) == 0)
    #expect(
      message { _ = try PluginLock(path: folder.lock) }
        == "\(folder.lock) is refused: users other than its owner may write to it; run chmod go-w \(folder.lock)"
    )
    #expect(chmod(folder.lock, 0o644) == 0)
    try Data("{\"format\": 1}".utf8).write(to: URL(filePath: folder.lock))
    #expect(
      message { _ = try PluginLock(path: folder.lock) }
        == "\(folder.lock) is refused: plugins is missing; expected a list")
  }

  @Test func `does not come from lying in a folder`() throws {
    let search = PluginSearchPath([folder.path + "/nothing", folder.path])
    #expect(search.all == [path])
    #expect(try search.folder(of: "Probe") == path)
    #expect(try search.folder(of: path + "/crest-plugin.json") == path)
    #expect(
      message { _ = try search.folder(of: "Other") }
        == "there is no plugin \"Other\" in \(folder.path)/nothing, \(folder.path); give its folder's "
        + "path, or set CREST_PLUGIN_PATH")
  }

  @Test func `of a name is given to one place only`() throws {
    let here = "." + String(repeating: "/..", count: 40) + folder.path + "/here"
    let home = folder.path + "/home"
    for place in [here, home] {
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: path, toPath: place + "/Probe")
    }
    #expect(
      message { _ = try PluginSearchPath([here, home]).folder(of: "Probe") }
        == "there are plugins \"Probe\" in \(here)/Probe and \(home)/Probe; give the path of the one you mean, as in "
        + "--plugin \(here)/Probe")
    // In folders of one's own, the first counts; one folder under two names is one.
    #expect(try PluginSearchPath([home, folder.path]).folder(of: "Probe") == home + "/Probe")
    #expect(try PluginSearchPath([here]).folder(of: "Probe") == here + "/Probe")
    let same = folder.path + "/here"
    #expect(try PluginSearchPath([here, same]).folder(of: "Probe") == here + "/Probe")
  }

  @Test(
    arguments: [
      ("speed", .number(1), "speed: there is no such setting; expected one of mode, number"),
      ("number", .number(2), "number: expected a number from 0 to 1, got 2"),
      ("number", .text("much"), "number: expected a number from 0 to 1, got \"much\""),
      ("number", .written("much"), "number: expected a number from 0 to 1, got \"much\""),
      ("mode", .bool(true), "mode: expected a string, got true"),
    ] as [(String, PluginValue, String)])
  func `does not make up for a setting that doesn't fit`(
    name: String, value: PluginValue, reason: String
  ) throws {
    try folder.trust(in: path)
    #expect(
      message { _ = try Plugin(path, [name: value], lock: folder.lock) }
        == "plugin Probe: \(reason)")
  }
}
