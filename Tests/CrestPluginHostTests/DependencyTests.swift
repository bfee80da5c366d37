import CrestPluginHost
import Foundation
import ProcessSupport
import Testing

/// A plugin whose library needs another that is not the system's.
@Suite struct `Libraries of libraries` {
  private let folder: PluginFolder
  private let path: String
  /// Where the plugin was built to look.
  private let shared: String

  init() throws {
    folder = try PluginFolder()
    shared = folder.path + "/shared"
    try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: true)
    path = folder.path + "/Probe"
  }

  /// The helper, which leaves a file if it is another than the one that was locked.
  private func helper(_ name: String = "libcresthelper.so", leaving trace: String? = nil) throws
    -> [UInt8]
  {
    let source = folder.path + "/helper.c"
    let body = trace.map { "FILE *f = fopen(\"\($0)\", \"w\"); if (f) fclose(f);" } ?? ""
    try Data("#include <stdio.h>\nint helper(void) { \(body) return 0; }\n".utf8)
      .write(to: URL(filePath: source))
    return try Compiler.build(source, ["-fPIC", "-shared", "-Wl,-soname,\(name)"])
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }

  /// Writes a plugin that needs the helper, with a run path.
  private func writePlugin(runPath: String, as identifier: String = "Probe") throws {
    try write(helper(), to: shared + "/libcresthelper.so")
    let bytes = try Compiler.probe([
      "-DHELPER", "-DIDENTIFIER=\"\(identifier)\"", "-L\(shared)", "-lcresthelper",
      "-Wl,-rpath,\(runPath)",
    ])
    try folder.write(bytes, Manifest(identifier: identifier))
  }

  private func lockAsIs() throws {
    var lock = PluginLock()
    lock.trust(try CheckedPlugin(folder: path))
    try lock.write(to: folder.lock)
  }

  private func message(_ body: () throws -> Void) -> String? {
    #expect(throws: PluginError.self, performing: body)?.description
  }

  @Test func `in a folder that others may write are refused before they are locked`() throws {
    try writePlugin(runPath: shared)
    chmod(shared, 0o777)
    #expect(
      message { _ = try CheckedPlugin(folder: path) }
        == "\(path)/libProbe.so is refused: it needs the library libcresthelper.so, of which there is none that can be "
        + "trusted: \(shared) is refused: users other than its owner may write to it; run chmod go-w \(shared); put it "
        + "into \(path), and lock the plugin again")
  }

  @Test(arguments: [".", "$ORIGIN/nowhere", "lib"])
  func `are not looked for where the process happens to run`(runPath: String) throws {
    try writePlugin(runPath: runPath)
    #expect(
      message { _ = try CheckedPlugin(folder: path) }
        == "\(path)/libProbe.so is refused: it needs the library libcresthelper.so, of which there is none that can be "
        + "trusted: it is neither in the system's folders nor beside the plugin; put it into \(path), and lock the plugin "
        + "again")
  }

  @Test(arguments: [true, false]) func `are locked with it, and refused when they change`(
    isBeside: Bool
  ) throws {
    try writePlugin(runPath: isBeside ? "$ORIGIN" : shared)
    let place = isBeside ? path + "/libcresthelper.so" : shared + "/libcresthelper.so"
    if isBeside { try write(helper(), to: place) }
    try lockAsIs()
    let checked = try CheckedPlugin(folder: path)
    #expect(checked.libraryPaths == [place])
    let lock = try PluginLock(path: folder.lock)
    #expect(lock.entries.first?.libraries == ["libcresthelper.so": sha256(try helper())])
    try checked.check(lock, path: "L")
    #expect(try Plugin(path, lock: folder.lock).name == "Probe")
    // By anybody, after it was locked.
    let trace = folder.path + "/trace"
    let evil = try helper(leaving: trace)
    try write(evil, to: place)
    #expect(
      message { _ = try Plugin(path, lock: folder.lock) }
        == "\(place) is not trusted: it has changed: its SHA-256 is \(sha256(evil)), \(folder.lock) has "
        + "\(sha256(try helper())); look at it, then run crest plugins lock \(path)")
    #expect(!FileManager.default.fileExists(atPath: trace))
  }

  @Test func `are not trusted by a lock that does not know of them`() throws {
    try writePlugin(runPath: "$ORIGIN")
    try write(helper(), to: path + "/libcresthelper.so")
    var lock = PluginLock()
    lock.trust(try CheckedPlugin(folder: path))
    try lock.write(to: folder.lock)
    let text = try String(contentsOfFile: folder.lock, encoding: .utf8)
      .replacing(#/,"libraries":\{[^}]*\}/#, with: "")
      .replacing(#/"libraries":\{[^}]*\},/#, with: "")
    try Data(text.utf8).write(to: URL(filePath: folder.lock))
    #expect(
      message { _ = try Plugin(path, lock: folder.lock) }
        == "\(path)/libcresthelper.so is not trusted: Probe needs it, but \(folder.lock) does not have it; look at it, "
        + "then run crest plugins lock \(path)")
  }

  @Test func `have the name by which they are needed`() throws {
    try writePlugin(runPath: "$ORIGIN")
    try write(helper("libother.so"), to: path + "/libcresthelper.so")
    #expect(
      message { _ = try CheckedPlugin(folder: path) }
        == "\(path)/libcresthelper.so is refused: it is needed as libcresthelper.so, but its own name is \"libother.so\"; "
        + "link it with -Wl,-soname,libcresthelper.so")
  }

  @Test func `of the system need no lock`() throws {
    let bytes = try Compiler.probe(["-Wl,--no-as-needed", "-lm", "-lz"])
    try folder.write(bytes)
    try folder.trust(in: path)
    #expect(try CheckedPlugin(folder: path).libraryPaths == [])
    #expect(try Plugin(path, lock: folder.lock).name == "Probe")
  }

  @Test func `are not loaded by the loader's own devices`() throws {
    try writePlugin(runPath: "$ORIGIN")
    let bytes = try Compiler.probe(["-Wl,--auxiliary=libcresthelper.so"])
    try folder.write(bytes)
    #expect(
      message { _ = try CheckedPlugin(folder: path) }
        == "\(path)/libProbe.so is refused: it asks for other libraries to be loaded by DT_AUXILIARY; build it without"
    )
  }
}
