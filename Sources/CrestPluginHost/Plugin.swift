import CrestFiles
import CrestPlatform
public import CrestRuntime
import CrestTensor
public import CrestTraining

/// A callback that somebody else built: a shared library with a C interface, or a separate program.
///
/// ```swift
/// learner.add(try Plugin("NanGuard", ["limit": 3]))
/// ```
///
/// None of its code runs before its files' owners, permissions and hashes have been checked against
/// the lock file that `crest plugins lock` writes. A library is then tried out in another process,
/// loaded from a private copy, and never unloaded. docs/plugins.md says how plugins are written.
public final class Plugin: StatefulCallback {
  /// Its manifest.
  public let manifest: PluginManifest
  /// The SHA-256 of its library or program.
  public let digest: String
  /// The folder it was found in.
  public let folder: String
  private let configuration: JSONValue
  private let declaration: PluginDeclaration
  private let pipe: EventPipe

  /// Loads a plugin.
  ///
  /// - Parameters:
  ///   - plugin: Its name, or the path of its folder, which contains a `/`.
  ///   - settings: Its settings; the manifest says which there are.
  ///   - onFailure: What to do when it fails at run time.
  ///   - lock: The lock file with the trusted plugins.
  ///   - searchPath: Where plugins are looked for by name.
  ///   - rehearses: Whether a library is tried out in another process first.
  ///   - log: Where the lines go that it logs or writes to its standard error; nil for this
  ///     process's standard error, under its name.
  /// - Throws: ``PluginError`` saying which file or setting is wrong.
  public init(
    _ plugin: String, _ settings: [String: PluginValue] = [:],
    onFailure: PluginFailurePolicy = .stop, lock: String = PluginLock.fileName,
    searchPath: PluginSearchPath = .standard, rehearses: Bool = true,
    log: ((PluginLogLevel, String) -> Void)? = nil
  ) throws(PluginError) {
    let checked = try CheckedPlugin(folder: searchPath.folder(of: plugin))
    try checked.check(PluginLock(path: lock), path: lock)
    configuration = try checked.manifest.configuration(settings)
    let identifier = checked.manifest.identifier
    let services = PluginServices(
      checked.manifest,
      log: log ?? { level, line in
        if level != .debug {
          _ = SystemFiles.writeAll(Array("\(identifier): \(line)\n".utf8), to: STDERR_FILENO)
        }
      })
    let worker: any PluginWorker
    switch checked.manifest.kind {
    case .library:
      if case .restart = onFailure {
        throw LibraryPlugin.cannotRestart(identifier)
      }
      worker = try LibraryPlugin(
        checked, configuration: configuration, services: services, rehearses: rehearses)
    case .process:
      worker = try ProcessPlugin(checked, configuration: configuration, services: services)
    }
    manifest = checked.manifest
    digest = checked.digest
    folder = checked.folder
    declaration = services.declaration
    pipe = EventPipe(worker, services, policy: onFailure)
  }

  /// Its identifier.
  public var name: String { manifest.identifier }
  /// What it asked for.
  public var hooks: [Hook] {
    // The first one always, where a failure before the fit is told; and the ends of the passes that are watched.
    let hooks = Set(declaration.hooks + [.beforeFit, .afterTrain, .afterValidate])
    return PluginHook.allCases.filter { hooks.contains($0) }.map { $0.bound(to: pipe) }
  }
  /// What it asked for.
  public var order: Int { declaration.order }
  /// What it looks at between the stages of a batch.
  public var reads: Set<Capture> { declaration.reads }
  /// The hyperparameters it sets.
  public var owns: Set<Hyperparameter.Part> { declaration.owns }
  /// What must be the same in a resumed run: its version, its SHA-256 and its configuration.
  public var settings: [String: String] {
    ["version": manifest.version, "sha256": digest, "configuration": configuration.json]
  }
  /// The names under which it reports numbers.
  public var reports: [String] { declaration.reports }

  /// A plugin's state, and which plugin it belongs to.
  public struct State: Codable, Sendable, Equatable {
    /// The plugin's name.
    public let identifier: String
    /// Its version.
    public let version: String
    /// The SHA-256 of its library or program.
    public let digest: String
    /// Its state, as it wrote it.
    public let bytes: [UInt8]
    /// Why it could not save its state; nil if it could.
    public private(set) var failure: PluginError? = nil

    private enum CodingKeys: CodingKey { case identifier, version, digest, bytes }

    /// Writes the state.
    ///
    /// - Throws: ``failure``, so that no checkpoint is saved from which a run could not resume.
    public func encode(to encoder: any Encoder) throws {
      if let failure { throw failure }
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(identifier, forKey: .identifier)
      try container.encode(version, forKey: .version)
      try container.encode(digest, forKey: .digest)
      try container.encode(bytes, forKey: .bytes)
    }
  }

  /// Its state.
  ///
  /// A plugin that can't save or restore its state fails at its next hook, and the run can't be
  /// saved.
  public var state: State {
    get {
      let bytes: [UInt8]
      var failure: PluginError?
      do throws(PluginError) {
        bytes = try pipe.saveState()
      } catch {
        bytes = []
        failure = error
      }
      return State(
        identifier: manifest.identifier, version: manifest.version, digest: digest, bytes: bytes,
        failure: failure)
    }
    set {
      do throws(PluginError) {
        try restore(newValue)
      } catch {
        pipe.fail(error)
      }
    }
  }

  /// The state of exactly this plugin: another version or file has a different state.
  public func objection(to state: State, in learner: Learner) -> String? {
    mismatch(state).map { "a state of this plugin \(name): \($0)" }
  }

  private func mismatch(_ state: State) -> String? {
    if state.identifier != manifest.identifier {
      return "it belongs to the plugin \(state.identifier)"
    }
    guard state.digest != digest else { return nil }
    return
      "it belongs to version \(state.version) with SHA-256 \(state.digest), but this is version "
      + "\(manifest.version) with \(digest); install the plugin that the run was started with"
  }

  /// Restores a ``state``.
  ///
  /// - Throws: ``PluginError/state(plugin:reason:)`` when it is of another plugin, or of this one with other
  ///   contents.
  public func restore(_ state: State) throws(PluginError) {
    if let failure = state.failure { throw failure }
    if let reason = mismatch(state) { throw .state(plugin: manifest.identifier, reason: reason) }
    try pipe.loadState(state.bytes)
  }
}
