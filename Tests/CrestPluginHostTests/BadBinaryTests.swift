import CrestPluginHost
import Foundation
import Testing

/// Files that are no plugin, with manifest and lock as if they were: their form alone refuses them.
@Suite struct `Bad binaries` {
  /// A file and the beginning of the reason.
  struct Bad: CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let reason: String
    var testDescription: String { name }
  }

  static let good = Result { try Compiler.probe() }

  /// The library with some bytes replaced.
  private static func edited(_ good: [UInt8], _ place: Int, _ bytes: [UInt8]) -> [UInt8] {
    var edited = good
    edited.replaceSubrange(place..<place + bytes.count, with: bytes)
    return edited
  }

  /// Where the stamp lies: its size, then the magic number.
  private static func stamp(in good: [UInt8]) throws -> Int {
    let beginning: [UInt8] = [88, 0, 0, 0, 0x43, 0x52, 0x53, 0x54]
    return try #require(
      good.indices.first { $0 + 8 <= good.count && good[$0..<$0 + 8].elementsEqual(beginning) })
  }

  static func truncated(_ good: [UInt8]) -> [Bad] {
    stride(from: 0, to: good.count, by: 256).map { size in
      Bad(
        name: "cut at \(size)", bytes: Array(good.prefix(size)),
        reason: size == 0
          ? "it is not a shared library: it doesn't begin as an ELF file"
          : "it is truncated: expected ")
    }
  }

  static func stamped(_ good: [UInt8]) throws -> [Bad] {
    let stamp = try stamp(in: good)
    func bad(_ name: String, _ offset: Int, _ bytes: [UInt8], _ reason: String) -> Bad {
      Bad(name: name, bytes: edited(good, stamp + offset, bytes), reason: reason)
    }
    let magics = (4..<8).map {
      bad("magic, byte \($0)", $0, [0x21], "its stamp begins with the number 0x")
    }
    let sizes: [UInt32] = [0, 1, 16, 87, 4096, 65536, .max]
    let sized = sizes.map { size in
      bad(
        "size \(size)", 0, (0..<4).map { UInt8(truncatingIfNeeded: size >> ($0 * 8)) },
        "its stamp has \(size) bytes, expected 88 to 4095; build it again with this version's header"
      )
    }
    let majors = [UInt8(0), 2, 3, 255].map {
      bad(
        "major \($0)", 8, [$0],
        "it was built for version \($0).0 of the interface, expected 1.0 to 1.0; "
          + ($0 == 0 ? "build it again with this version's header" : "use a newer crest"))
    }
    let minors = [UInt8(1), 2, 200].map {
      bad(
        "minor \($0)", 12, [$0],
        "it was built for version 1.\($0) of the interface, expected 1.0 to 1.0; use a newer "
          + "crest")
    }
    let hashes = [0, 1, 31, 32, 62, 63].map {
      bad(
        "hash, digit \($0)", 16 + $0, [0x78],
        "it was built with a modified crest_plugin.h: the header's hash is "
      )
    }
    return magics + sized + majors + minors + hashes
  }

  static func headed(_ good: [UInt8]) -> [Bad] {
    func bad(_ name: String, _ place: Int, _ bytes: [UInt8], _ reason: String) -> Bad {
      Bad(name: name, bytes: edited(good, place, bytes), reason: reason)
    }
    let other = "it is for another machine: "
    let huge = [UInt8](repeating: 0xFF, count: 8)
    return [
      bad("magic of ELF", 0, [0x7E], "it is not a shared library: it doesn't begin as an ELF file"),
      bad("32 bits", 4, [1], other),
      bad("high byte first", 5, [2], other),
      bad("for 386", 18, [3, 0], other),
      bad("for ARM", 18, [40, 0], other),
      bad("for RISC-V", 18, [243, 0], other),
      bad("for PowerPC", 18, [21, 0], other),
      bad("for no machine", 18, [0, 0], other),
      bad(
        "an object file", 16, [1, 0],
        "it is not a shared library: expected an ELF file of type 3, got 1"),
      bad(
        "a fixed program", 16, [2, 0],
        "it is not a shared library: expected an ELF file of type 3, got 2"),
      bad(
        "a core file", 16, [4, 0],
        "it is not a shared library: expected an ELF file of type 3, "
          + "got 4"),
      bad("segments beyond everything", 32, huge, "it is truncated: expected "),
      bad(
        "segments at the end", 32, [0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0],
        "it is truncated: expected "),
      bad("sections beyond everything", 40, huge, "it is truncated: expected "),
      bad("no sections", 60, [0, 0], "it has no section table"),
      bad("odd sections", 58, [1, 0], "it has no section table"),
      bad("too many sections", 60, [0xFF, 0xFF], "it is truncated: expected "),
      bad("no segments", 56, [0, 0], "it has no segment table"),
      bad("odd segments", 54, [0, 0], "it has no segment table"),
      bad("too many segments", 56, [0xFF, 0xFF], "it is truncated: expected "),
      bad("a segment beyond the file", 64 + 32, huge, "it is truncated: expected "),
    ]
  }

  static func compiled() throws -> [Bad] {
    let texts: [(String, String)] = [
      ("a text", "no plugin\n"), ("a script", "#!/bin/sh\nexit 0\n"), ("a page", "<!DOCTYPE html>"),
      ("JSON", "{}"),
    ]
    return try texts.map { name, text in
      Bad(
        name: name, bytes: Array(text.utf8),
        reason: "it is not a shared library: it doesn't begin as an ELF file")
    } + [
      Bad(
        name: "Mach-O", bytes: [0xCF, 0xFA, 0xED, 0xFE] + [UInt8](repeating: 0, count: 4096),
        reason: "it is not a shared library: it doesn't begin as an ELF file"),
      Bad(
        name: "without the function", bytes: Compiler.probe(["-DNO_ENTRY"]),
        reason: "there is no function crest_plugin_v1; export it"),
      Bad(
        name: "without the stamp", bytes: Compiler.probe(["-DNO_STAMP"]),
        reason: "there is no stamp crest_plugin_stamp_v1; add CREST_PLUGIN_STAMP once"),
      Bad(
        name: "a program", bytes: try Compiler.chaos.get(), reason: "it is a program, not a library"
      ),
    ]
  }

  static func all() throws -> [Bad] {
    let good = try good.get()
    return try truncated(good) + stamped(good) + headed(good) + compiled()
  }

  @Test func `are refused with the reason, a hundred and more`() throws {
    let all = try Self.all()
    #expect(all.count >= 100)
    let folder = try PluginFolder()
    for bad in all {
      let path = try folder.write(bad.bytes)
      try folder.trust(in: path)
      let error = #expect(throws: PluginError.self, "\(bad.name)") {
        try Plugin(path, lock: folder.lock)
      }
      let expected = "\(path)/libProbe.so is refused: \(bad.reason)"
      #expect(error?.description.hasPrefix(expected) == true, "\(bad.name): \(error as Any)")
    }
  }

  @Test func `with a good one among them`() throws {
    let folder = try PluginFolder()
    let path = try folder.write(Self.good.get())
    try folder.trust(in: path)
    #expect(try Plugin(path, lock: folder.lock).name == "Probe")
  }

  /// What only shows when code runs, which it does in another process.
  static let rehearsed: [(macros: [String], reason: String)] = [
    (["-DTABLE_MAGIC=7"], "its table begins with the number 00000007, expected 54535243"),
    (["-DTABLE_MAJOR=2"], "its table is of version 2.0, expected 1.0 to 1.0"),
    (["-DTABLE_MINOR=9"], "its table is of version 1.9, expected 1.0 to 1.0"),
    (["-DTABLE_SIZE=8"], "its table has 8 bytes, expected 72 to 4095"),
    (["-DTABLE_SIZE=5000"], "its table has 5000 bytes, expected 72 to 4095"),
    (["-DCREATE=NULL"], "its table lacks one of identifier, version, create, on_event, destroy"),
    (["-DLOAD_STATE=NULL"], "its table has only one of save_state and load_state"),
    (["-DENTRY_NULL"], "crest_plugin_v1 refused version 1.0 of the interface"),
    (["-DCONSTRUCTOR_EXITS"], "it ends the process by exit in loading"),
    (
      ["-DCONSTRUCTOR_TRAPS"],
      "the process that tried it out ended by signal 4 (Illegal instruction)"
    ),
    (
      ["-DCONSTRUCTOR_FLUSHES"],
      "loading it changes the flushing of tiny results to zero, the reading of tiny numbers as zero of the process, as "
        + "-ffast-math does; build it without"
    ),
    (
      ["-DDESTRUCTOR_TRAPS"],
      "the process that had tried it out ended by signal 4 (Illegal instruction)"
    ),
    (["-DTRAPS_AT=14"], "the process that tried it out ended by signal 4 (Illegal instruction)"),
    (["-DTRAPS_AT=-2"], "the process that tried it out ended by signal 4 (Illegal instruction)"),
    (["-DTRAPS_AT=-3"], "the process that tried it out ended by signal 4 (Illegal instruction)"),
    (["-DTRAPS_AT=-4"], "the process that tried it out ended by signal 4 (Illegal instruction)"),
    (
      ["-DIDENTIFIER=((char*)8)"],
      "the process that tried it out ended by signal 11 (Segmentation fault)"
    ),
    (
      ["-DREPORTS=((const char*const*)8)"],
      "the process that tried it out ended by signal 11 (Segmentation fault)"
    ),
  ]

  @Test(arguments: rehearsed) func `fail in a rehearsal, and not here`(
    _ bad: (macros: [String], reason: String)
  ) throws {
    let folder = try PluginFolder()
    let path = try folder.write(Compiler.probe(bad.macros))
    try folder.trust(in: path)
    let error = #expect(throws: PluginError.self) { try Plugin(path, lock: folder.lock) }
    #expect(
      error?.description == "\(path)/libProbe.so failed in a trial run: \(bad.reason)")
  }
}

@Suite struct `Nothing of a plugin runs` {
  @Test func `before it is verified`() throws {
    let folder = try PluginFolder()
    let trace = folder.path + "/trace"
    let bytes = try Compiler.probe(["-DCONSTRUCTOR_WRITES=\"\(trace)\""])
    let path = try folder.write(bytes)
    func isRefused(_ change: String) {
      #expect(throws: PluginError.self, "\(change)") { try Plugin(path, lock: folder.lock) }
      #expect(!FileManager.default.fileExists(atPath: trace), "\(change)")
    }
    isRefused("not in the lock")
    try folder.write(try Compiler.probe())
    try folder.trust(in: path)
    try folder.write(bytes)
    isRefused("another hash in the lock")
    try folder.trust(in: path)
    chmod(path + "/libProbe.so", 0o666)
    isRefused("a file others may write")
    chmod(path + "/libProbe.so", 0o755)
    chmod(path, 0o777)
    isRefused("a folder others may write")
    chmod(path, 0o755)
    try folder.write(Manifest().text(sha256: String(repeating: "0", count: 64)), to: path)
    try folder.trust(in: path)
    isRefused("another hash in the manifest")
    try folder.write(bytes, Manifest(interface: #"{"from": "2.0", "below": "3.0"}"#))
    try folder.trust(in: path)
    isRefused("for another version")
    try folder.write(bytes)
    try folder.trust(in: path)
    #expect(throws: PluginError.self) { try Plugin(path, ["number": 2], lock: folder.lock) }
    #expect(!FileManager.default.fileExists(atPath: trace), "a setting that doesn't fit")
    _ = try CheckedPlugin(folder: path)
    #expect(!FileManager.default.fileExists(atPath: trace), "verified only")
    // The control: the constructor does leave a trace when the plugin is loaded.
    _ = try Plugin(path, lock: folder.lock)
    #expect(FileManager.default.fileExists(atPath: trace))
  }
}

@Suite struct `The header` {
  @Test func `is the one whose hash the host knows`() throws {
    let path = Compiler.root.appending(path: "Sources/CCrestPlugin/include/crest_plugin.h")
    let lines = try String(contentsOf: path, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
    let mark = "#define CREST_PLUGIN_HEADER_HASH "
    let hash = sha256(
      lines.filter { !$0.hasPrefix(mark) }.joined(separator: "\n").utf8)
    #expect(
      lines.contains { $0 == "\(mark)\"\(hash)\"" },
      "crest_plugin.h has changed: unless its version was never released, add a minor version")
    #expect(PluginInterface.headerHashes.last == hash)
    #expect(PluginInterface.headerHashes.count == PluginInterface.current.minor + 1)
  }
}
