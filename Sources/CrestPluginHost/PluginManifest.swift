import CrestFiles
import CrestTensor

/// The contents of `crest-plugin.json`.
public struct PluginManifest: Equatable, Sendable {
  /// How a plugin runs.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A shared library in this process.
    case library
    /// A program in a separate process.
    case process
  }

  /// The name of the file.
  public static let fileName = "crest-plugin.json"

  /// Its name, which is its folder's in the search path.
  public let identifier: String
  /// Its version.
  public let version: String
  /// What it does, in a sentence.
  public let summary: String
  /// How it runs.
  public let kind: Kind
  /// The versions of the interface it works with: from the first, below the second.
  public let interface: Range<PluginInterface>
  /// The library or program, beside the manifest.
  public let file: String
  /// The SHA-256 of `file`.
  public let sha256: String
  /// What it may do besides being called.
  public let permissions: Set<PluginPermission>
  /// The settings it takes, by name.
  public let settings: [String: PluginSetting]
  /// The program that reads `file`, and its options; empty when `file` is the program.
  public let interpreter: [String]
  /// What a process may use.
  public let limits: PluginLimits

  /// Reads a manifest.
  ///
  /// - Throws: ``PluginError/refused(path:reason:)`` naming the field that is missing, unknown or not what it
  ///   should be.
  package init(parsing bytes: [UInt8], path: String) throws(PluginError) {
    let value: JSONValue
    do throws(JSONScanner.Fault) {
      value = try JSONValue(parsing: bytes)
    } catch {
      throw .refused(path: path, reason: "\(error)")
    }
    var fields = try Fields(value, at: "", path: path)
    _ = try fields.take(ManifestFields.format)
    identifier = try fields.take(ManifestFields.identifier)
    version = try fields.take(ManifestFields.version)
    summary = try fields.take(ManifestFields.summary)
    kind = try fields.take(ManifestFields.kind)
    interface = try fields.take(ManifestFields.interface)
    file = try fields.take(ManifestFields.file)
    sha256 = try fields.take(ManifestFields.sha256)
    permissions = try fields.take(ManifestFields.permissions)
    settings = try Self.settings(
      fields.takeIfPresent("configuration", "an object of settings") { $0 }, path: path)
    interpreter = try fields.takeIfPresent(ManifestFields.interpreter(of: kind)) ?? []
    limits = try PluginLimits(
      fields.takeIfPresent(ManifestFields.limits(of: kind)), path: path)
    try fields.end()
  }

  private static func settings(
    _ value: JSONValue?, path: String
  ) throws(PluginError) -> [String: PluginSetting] {
    guard let value else { return [:] }
    var fields = try Fields(value, at: "configuration", path: path)
    var settings: [String: PluginSetting] = [:]
    for name in fields.names {
      guard isIdentifier(name) else {
        throw .refused(
          path: path,
          reason: "configuration: expected names of letters, digits, - and _, got "
            + name.debugDescription)
      }
      let setting = try fields.take(name, "an object") { $0 }
      settings[name] = try PluginSetting(setting, at: "configuration.\(name)", path: path)
    }
    return settings
  }

  static func isIdentifier(_ text: String) -> Bool {
    guard (1...64).contains(text.utf8.count), let first = text.first, first.isLetter else {
      return false
    }
    return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
  }
}

/// What the members of a manifest have to be.
enum ManifestFields {
  static let format = ManifestField("format", "1") { $0.integer == 1 ? 1 : nil }
  static let identifier = ManifestField("identifier", "a name of letters, digits, - and _") {
    $0.text.flatMap { PluginManifest.isIdentifier($0) ? $0 : nil }
  }
  static let version = ManifestField("version", "a string of 1 to 64 printable characters") {
    $0.text.flatMap { isPrintable($0, upTo: 64) ? $0 : nil }
  }
  static let summary = ManifestField("summary", "a string of at most 1024 printable characters") {
    $0.text.flatMap { $0.isEmpty || isPrintable($0, upTo: 1024) ? $0 : nil }
  }
  static let kind = ManifestField("kind", "\"library\" or \"process\"") {
    $0.text.flatMap(PluginManifest.Kind.init(rawValue:))
  }
  static let interface = ManifestField(
    "interface", "the versions it works with, as in {\"from\": \"1.0\", \"below\": \"2.0\"}"
  ) { value -> Range<PluginInterface>? in
    guard case .object(let members) = value, members.count == 2,
      let from = members["from"]?.text.flatMap(PluginInterface.init),
      let below = members["below"]?.text.flatMap(PluginInterface.init), from < below
    else { return nil }
    return from..<below
  }
  static let file = ManifestField("file", "the name of a file beside the manifest") {
    value -> String? in
    value.text.flatMap { name in
      let isPlain =
        isPrintable(name, upTo: 255) && name.utf8.count <= 255 && !name.hasPrefix(".")
        && !name.contains("/")
      return isPlain ? name : nil
    }
  }
  static let sha256 = ManifestField("sha256", "64 lowercase hexadecimal digits") {
    $0.text.flatMap { isDigest($0) ? $0 : nil }
  }
  static let permissions = ManifestField(
    "permissions",
    "a list of \(PluginPermission.allCases.map(\.rawValue).joined(separator: ", "))"
  ) { value -> Set<PluginPermission>? in
    guard let names = value.texts else { return nil }
    let permissions = names.compactMap(PluginPermission.init(rawValue:))
    return permissions.count == names.count ? Set(permissions) : nil
  }

  /// Whether a text is of 1 to `limit` scalars that are shown as they are.
  private static func isPrintable(_ text: String, upTo limit: Int) -> Bool {
    (1...limit).contains(text.unicodeScalars.count) && text.shown() == text
  }

  static func interpreter(of kind: PluginManifest.Kind) -> ManifestField<[String]> {
    let isProcess = kind == .process
    return ManifestField(
      "interpreter", isProcess ? "a list of a program and its options" : "nothing in a library"
    ) { value in
      isProcess ? value.texts.flatMap { $0.first?.isEmpty == false ? $0 : nil } : nil
    }
  }

  static func limits(of kind: PluginManifest.Kind) -> ManifestField<JSONValue> {
    let isProcess = kind == .process
    return ManifestField("limits", isProcess ? "an object" : "nothing in a library") { value in
      isProcess ? value : nil
    }
  }
}

/// Whether `text` is a SHA-256 as it is written here.
func isDigest(_ text: String) -> Bool {
  text.utf8.count == 64
    && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
}

/// A version of the interface between a trainer and its plugins.
public struct PluginInterface: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// Changes when plugins have to be changed.
  public let major: Int
  /// Grows with every addition.
  public let minor: Int

  /// A version of these numbers.
  public init(major: Int, minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// A version from its text.
  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let major = UInt16(parts[0]), let minor = UInt16(parts[1]) else {
      return nil
    }
    self.init(major: Int(major), minor: Int(minor))
  }

  /// As in `1.0`.
  public var description: String { "\(major).\(minor)" }

  /// By major, then by minor.
  public static func < (left: PluginInterface, right: PluginInterface) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }
}

/// What the process of a plugin may use.
public struct PluginLimits: Equatable, Sendable {
  /// Its address space, in MiB.
  public let memoryMiB: Int
  /// Its processor time, in seconds.
  public let processorSeconds: Int
  /// How long it may take to start, in seconds.
  public let startSeconds: Double
  /// How long it may take to answer, in seconds.
  public let answerSeconds: Double

  fileprivate init(_ value: JSONValue?, path: String) throws(PluginError) {
    var fields = try Fields(value ?? .object([:]), at: "limits", path: path)
    func whole(
      _ name: String, _ range: ClosedRange<Int>, _ standard: Int
    ) throws(PluginError) -> Int {
      try fields.takeIfPresent(
        name, "an integer from \(range.lowerBound) to \(range.upperBound)"
      ) { $0.integer.flatMap { range.contains($0) ? $0 : nil } } ?? standard
    }
    func seconds(_ name: String, _ standard: Double) throws(PluginError) -> Double {
      try fields.takeIfPresent(name, "a number from 0.001 to 3600") { value in
        value.number.flatMap { (0.001...3600).contains($0) ? $0 : nil }
      } ?? standard
    }
    memoryMiB = try whole("memory_mib", 16...1_048_576, 1024)
    processorSeconds = try whole("processor_seconds", 1...31_536_000, 86_400)
    startSeconds = try seconds("start_seconds", 5)
    answerSeconds = try seconds("answer_seconds", 1)
    try fields.end()
  }
}
