import CrestFiles
import CrestPlatform
import CrestTensor

/// The trusted plugins: the contents of `crest-plugins.lock`.
public struct PluginLock: Equatable, Sendable {
  /// What is trusted of a plugin.
  public struct Entry: Equatable, Sendable {
    /// Its name.
    public let identifier: String
    /// Its version.
    public let version: String
    /// The SHA-256 of its manifest, which says what it may do.
    public let manifest: String
    /// The SHA-256 of its library or program.
    public let file: String
    /// The SHA-256 of each library that it brings along, by name.
    public let libraries: [String: String]
  }

  /// The name of the file, in the folder where training is started.
  public static let fileName = "crest-plugins.lock"

  /// The trusted plugins, in the order of their names.
  public private(set) var entries: [Entry] = []

  /// A lock that trusts nothing.
  public init() {}

  /// Reads the lock file at `path`; without a file, nothing is trusted.
  ///
  /// - Throws: ``PluginError`` when others may write the file or its folder, or when it is damaged.
  public init(path: String) throws(PluginError) {
    let (folder, name) = FilePath.split(path)
    if access(path, F_OK) != 0 && errno == ENOENT { return }
    let file = try TrustedFile(name, in: folder, limit: 1 << 20)
    let value: JSONValue
    do throws(JSONScanner.Fault) {
      value = try JSONValue(parsing: file.bytes)
    } catch {
      throw .refused(path: path, reason: "\(error)")
    }
    var fields = try Fields(value, at: "", path: path)
    _ = try fields.take("format", "1") { $0.integer == 1 ? 1 : nil }
    let list = try fields.take("plugins", "a list") { value -> [JSONValue]? in
      if case .list(let values) = value { values } else { nil }
    }
    try fields.end()
    for (place, value) in list.enumerated() {
      var fields = try Fields(value, at: "plugins.\(place)", path: path)
      let entry = Entry(
        identifier: try fields.take("identifier", "a string") { $0.text },
        version: try fields.take("version", "a string") { $0.text },
        manifest: try fields.take("manifest", "a SHA-256") {
          $0.text.flatMap { isDigest($0) ? $0 : nil }
        },
        file: try fields.take("file", "a SHA-256") { $0.text.flatMap { isDigest($0) ? $0 : nil } },
        // Most plugins bring none.
        libraries: try fields.takeIfPresent(
          "libraries", "an object of SHA-256 by name", Self.digests) ?? [:])
      try fields.end()
      guard self[entry.identifier] == nil else {
        throw .refused(path: path, reason: "it has \"\(entry.identifier)\" twice; lock it again")
      }
      entries.append(entry)
    }
  }

  private static func digests(_ value: JSONValue) -> [String: String]? {
    guard case .object(let members) = value else { return nil }
    let digests = members.compactMapValues { $0.text.flatMap { isDigest($0) ? $0 : nil } }
    return digests.count == members.count ? digests : nil
  }

  /// What is trusted of the plugin of that name; nil when nothing is.
  public subscript(identifier: String) -> Entry? { entries.first { $0.identifier == identifier } }

  /// Trusts a plugin as it is, instead of what was trusted of its name before.
  public mutating func trust(_ plugin: CheckedPlugin) {
    entries.removeAll { $0.identifier == plugin.manifest.identifier }
    entries.append(plugin.entry)
    entries.sort { $0.identifier < $1.identifier }
  }

  /// Writes the lock file, as a whole or not at all.
  ///
  /// - Throws: ``PluginError/unreadable(path:reason:)`` when it can't be written.
  public func write(to path: String) throws(PluginError) {
    do throws(OutputFailure) { try OutputFile.write(Array(text.utf8), to: path) } catch {
      throw .unreadable(path: path, reason: error.reason)
    }
  }

  /// One plugin a line, so that changes are seen in a diff.
  private var text: String {
    let lines = entries.map { entry in
      var members: [String: JSONValue] = [
        "identifier": .text(entry.identifier), "version": .text(entry.version),
        "manifest": .text(entry.manifest), "file": .text(entry.file),
      ]
      if !entry.libraries.isEmpty {
        members["libraries"] = .object(entry.libraries.mapValues { .text($0) })
      }
      return "    " + JSONValue.object(members).json
    }
    return "{\n  \"format\": 1,\n  \"plugins\": [\n\(lines.joined(separator: ",\n"))\n  ]\n}\n"
  }
}

extension CheckedPlugin {
  /// What a lock keeps of it.
  var entry: PluginLock.Entry {
    PluginLock.Entry(
      identifier: manifest.identifier, version: manifest.version, manifest: manifestDigest,
      file: file.digest,
      libraries: Dictionary(uniqueKeysWithValues: libraries.map { ($0.name, $0.file.digest) }))
  }

  /// The libraries it brings along.
  var libraries: [(name: String, file: TrustedFile)] {
    dependencies.compactMap { dependency in
      if case .own(let file) = dependency.source { (dependency.name, file) } else { nil }
    }
  }

  /// Checks that `lock`, read from `path`, trusts the plugin as it is.
  ///
  /// - Throws: ``PluginError/unlocked(path:reason:)`` saying what is missing or has changed.
  public func check(_ lock: PluginLock, path: String) throws(PluginError) {
    let advice = "look at it, then run crest plugins lock \(folder)"
    guard let trusted = lock[manifest.identifier] else {
      throw .unlocked(
        path: folder, reason: "\(path) does not have \(manifest.identifier); \(advice)")
    }
    for library in libraries where trusted.libraries[library.name] == nil {
      throw .unlocked(
        path: library.file.path,
        reason: "\(manifest.identifier) needs it, but \(path) does not have it; \(advice)")
    }
    for (name, expected, got) in [
      (file.path, trusted.file, file.digest),
      (FilePath.join(folder, PluginManifest.fileName), trusted.manifest, manifestDigest),
    ] + libraries.map({ ($0.file.path, trusted.libraries[$0.name] ?? "", $0.file.digest) })
    where expected != got {
      throw .unlocked(
        path: name,
        reason: "it has changed: its SHA-256 is \(got), \(path) has \(expected); \(advice)")
    }
  }
}
