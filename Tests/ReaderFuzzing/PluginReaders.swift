import CrestFiles
import CrestPluginHost
import CrestTensor

/// Readers of what belongs to plugins.
let pluginReaders = [manifest, lock, message, library]

private let digest = String(repeating: "0a", count: 32)

private let manifest = FuzzedReader(
  "plugin-manifest",
  sources: [
    "CrestPluginHost/PluginManifest", "CrestPluginHost/ManifestFields",
    "CrestPluginHost/PluginSetting", "CrestTensor/JSON/",
  ]
) {
  [
    #"""
    {"format":1,"identifier":"Tag","version":"1.0.0","summary":"é","kind":"library",
    "interface":{"from":"1.0","below":"2.0"},"file":"tag.so","sha256":"\#(digest)","permissions":["metrics","cancel"],
    "configuration":{"rate":{"type":"number","summary":"","default":0.5,"minimum":0,"maximum":1},
    "name":{"type":"string","summary":"","choices":["a","b"],"default":"a"},"on":{"type":"boolean","summary":"","default":true}}}
    """#,
    #"""
    {"format":1,"identifier":"p","version":"2","summary":"","kind":"process","interface":{"from":"1.0","below":"1.1"},
    "file":"p.py","sha256":"\#(digest)","permissions":[],"interpreter":["python3","-u"],
    "limits":{"memory_mib":64,"answer_seconds":0.2,"start_seconds":2,"processor_seconds":10}}
    """#,
  ].map { Array($0.utf8) }
} begin: {
  { bytes in
    let manifest: PluginManifest
    do throws(PluginError) {
      manifest = try PluginManifest(parsing: bytes, path: PluginManifest.fileName)
    } catch {
      return false
    }
    try expect(manifest.version.shown() == manifest.version, "a version that isn't printable")
    return true
  }
}

private let lock = FuzzedReader(
  "plugin-lock",
  sources: [
    "CrestPluginHost/Trust/PluginLock", "CrestPluginHost/Trust/TrustedFile", "CrestTensor/JSON/",
  ]
) {
  [
    #"{"format":1,"plugins":[]}"#,
    #"""
    {"format":1,"plugins":[{"identifier":"A","version":"1","manifest":"\#(digest)","file":"\#(digest)"},
    {"identifier":"B","version":"2","manifest":"\#(digest)","file":"\#(digest)"}]}
    """#,
  ].map { Array($0.utf8) }
} begin: {
  let folder = try FuzzFolder()
  return { bytes in
    let path = try folder.write(bytes, as: PluginLock.fileName)
    let lock: PluginLock
    do throws(PluginError) { lock = try PluginLock(path: path) } catch { return false }
    let names = lock.entries.map(\.identifier)
    try expect(Set(names).count == names.count, "a name is there twice: \(names)")
    return true
  }
}

private let message = FuzzedReader(
  "plugin-message",
  sources: [
    "CrestPluginHost/Process/PluginMessage", "CrestPluginHost/JSONValue+Plugin",
    "CrestTensor/JSON/",
  ]
) {
  [
    #"{"event":3}"#, #"{"error":"no"}"#,
    #"{"event":1,"actions":[{"log":"x","level":"warning"},{"report":"f1","value":"nan"},{"report":"a","value":0.5}]}"#,
    #"{"event":2,"actions":[{"set":"learning_rate_factor","value":0.1},{"cancel":"fit","reason":"flat"},{"cancel":"step"}]}"#,
  ].map { Array($0.utf8) }
} begin: {
  { bytes in
    do throws(ChildProcess.Fault) { _ = try PluginMessage(bytes[...]) } catch { return false }
    return true
  }
}

private let library = FuzzedReader(
  "elf", sources: ["CrestPluginHost/Trust/ELFFile", "CrestPluginHost/Trust/LibraryStamp"]
) {
  [SmallLibrary.bytes]
} begin: {
  let interface = PluginInterface(major: 1, minor: 0)..<PluginInterface(major: 2, minor: 0)
  return { bytes in
    do throws(ELFFault) {
      return try ELFFile(bytes).stamp().objection(interface: interface) == nil
    } catch {
      return false
    }
  }
}

/// A library with nothing but the headers, symbols and stamp of a plugin.
package enum SmallLibrary {
  #if arch(arm64)
    private static let machine: UInt64 = 183
  #else
    private static let machine: UInt64 = 62
  #endif

  private static func little(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// Its bytes; the last 64 are the header of the section with the names of symbols.
  package static var bytes: [UInt8] {
    let names = Array("\0crest_plugin_stamp_v1\0crest_plugin_v1\0".utf8)
    let hash = Array((PluginInterface.headerHashes.first ?? "").utf8)
    let stamp =
      little(88, 4) + little(0x5453_5243, 4) + little(1, 4) + little(0, 4) + hash
      + [UInt8](repeating: 0, count: 72 - hash.count)
    func symbol(_ name: UInt64, _ type: UInt64, _ value: UInt64, _ size: UInt64) -> [UInt8] {
      little(name, 4) + [UInt8(type | 16), 0] + little(name == 0 ? 0 : 1, 2) + little(value, 8)
        + little(size, 8)
    }
    // Header, two segments, the stamp, symbols, their names, three sections.
    let segments: UInt64 = 64
    let stampPlace = segments + 2 * 56
    let symbols = stampPlace + UInt64(stamp.count)
    let table = symbol(0, 0, 0, 0) + symbol(1, 1, stampPlace, 88) + symbol(23, 2, stampPlace, 8)
    let texts = symbols + UInt64(table.count)
    let sections = texts + UInt64(names.count)
    func segment(_ type: UInt64, _ size: UInt64) -> [UInt8] {
      little(type, 4) + little(4, 4) + little(0, 8) + little(0, 8) + little(0, 8) + little(size, 8)
        + little(size, 8) + little(8, 8)
    }
    func section(_ type: UInt64, _ link: UInt64, _ start: UInt64, _ size: Int, _ entry: UInt64)
      -> [UInt8]
    {
      little(0, 4) + little(type, 4) + little(0, 8) + little(0, 8) + little(start, 8)
        + little(UInt64(size), 8)
        + little(link, 4) + little(0, 4) + little(1, 8) + little(entry, 8)
    }
    let header =
      [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9) + little(3, 2)
      + little(machine, 2)
      + little(1, 4) + little(0, 8) + little(segments, 8) + little(sections, 8) + little(0, 4)
      + little(64, 2)
      + little(56, 2) + little(2, 2) + little(64, 2) + little(3, 2) + little(0, 2)
    return header + segment(1, sections) + segment(2, 0) + stamp + table + names
      + section(0, 0, 0, 0, 0)
      + section(11, 2, symbols, table.count, 24) + section(3, 0, texts, names.count, 0)
  }
}
