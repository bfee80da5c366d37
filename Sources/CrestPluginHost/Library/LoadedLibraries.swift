import CCrestPlugin
import CCrestPluginHost
import CrestFiles
import CrestPlatform
import Synchronization

/// The libraries of plugins that are in this process, where they stay: each is loaded once.
enum LoadedLibraries {
  /// A library, and what it was loaded from; its descriptor stays open, since the system's loader knows it by that name.
  private struct Entry: @unchecked Sendable {
    let table: UnsafePointer<crest_plugin>
    let copies: [PrivateCopy]
  }

  private struct State {
    var plugins: [String: Entry] = [:]
    /// What was loaded because a plugin needs it, by name: the SHA-256 of what it brought along, else the path.
    var dependencies: [String: String] = [:]
  }

  private static let state = Mutex(State())

  /// Whether a library was loaded because a plugin needs it.
  static func isDependency(_ name: String) -> Bool {
    state.withLock { $0.dependencies[name] != nil }
  }

  /// The table of a plugin's library, which is loaded unless it has been.
  ///
  /// - Parameters:
  ///   - plugin: A plugin whose files are checked.
  ///   - guardian: Who looks at what the library changes when it is loaded.
  ///   - rehearsal: Tries what is loaded out before: libraries by their paths, the last of which is the plugin's, and the
  ///     copies among them.
  /// - Returns: What its entry function has given, which is valid as long as the process is.
  /// - Throws: ``PluginError/refused(path:reason:)`` when it can't be loaded, or changes something in the process; what
  ///   `rehearsal` throws.
  static func table(
    of plugin: CheckedPlugin, for guardian: LibraryGuard,
    rehearsal: (_ paths: [String], _ copies: [PrivateCopy]) throws(PluginError) -> Void
  ) throws(PluginError) -> UnsafePointer<crest_plugin> {
    var paths: [String] = []
    var copies: [PrivateCopy] = []
    func add(_ file: TrustedFile) throws(PluginError) {
      let copy = try PrivateCopy(of: file)
      copies.append(copy)
      paths.append(copy.path)
    }
    for dependency in plugin.dependencies {
      switch dependency.source {
      case .system(let path): paths.append(path)
      case .own(let file): try add(file)
      }
    }
    try add(plugin.file)
    try rehearsal(paths, copies)
    let entry = state.withLock { state in
      Result { () throws(PluginError) in try load(plugin, paths, copies, guardian, into: &state) }
    }
    return try entry.get().table
  }

  private static func load(
    _ plugin: CheckedPlugin, _ paths: [String], _ copies: [PrivateCopy], _ guardian: LibraryGuard,
    into state: inout State
  ) throws(PluginError) -> Entry {
    var needed: [String] = []
    for (dependency, path) in zip(plugin.dependencies, paths) {
      guard let loaded = state.dependencies[dependency.name] else {
        needed.append(path)
        continue
      }
      guard loaded == dependency.identity else {
        throw .refused(
          path: plugin.file.path,
          reason:
            "it needs the library \(dependency.name.shown(limit: 255)), but another plugin has brought a "
            + "different one of that name; give it a name of its own (its SONAME)")
      }
    }
    if let entry = state.plugins[plugin.digest] { return entry }
    let table = try load(needed + paths.suffix(1), plugin, for: guardian)
    for copy in copies { copy.wasLoaded() }
    for dependency in plugin.dependencies {
      state.dependencies[dependency.name] = dependency.identity
    }
    let entry = Entry(table: table, copies: copies)
    state.plugins[plugin.digest] = entry
    return entry
  }

  private static func load(
    _ paths: [String], _ plugin: CheckedPlugin, for guardian: LibraryGuard
  ) throws(PluginError) -> UnsafePointer<crest_plugin> {
    var result: UnsafeRawPointer?
    var reason = [CChar](repeating: 0, count: 1024)
    let (signal, status) = withCStrings(paths) { names in
      names.withMemoryRebound(to: UnsafePointer<CChar>?.self, capacity: paths.count) {
        names -> (CInt, CInt) in
        // Damage may be harmless in the memory of the rehearsal, and deadly in that of this process.
        let signal = crest_try_table(names, paths.count, guardian.caller, 10)
        guard signal == 0 else { return (signal, signal < 0 ? errno : 0) }
        return (
          0, crest_load_table(names, paths.count, guardian.caller, &result, &reason, reason.count)
        )
      }
    }
    if signal < 0 {
      throw .rehearsal(
        path: plugin.file.path,
        reason: "no process can be started: \(String(cString: strerror(status)))")
    }
    if signal > 0 {
      throw .rehearsal(
        path: plugin.file.path,
        reason: signal == SIGALRM
          ? "loading it into a copy of this process did not come to an end within 10 s"
          : "loading it into a copy of this process ended that by signal \(signal) "
            + "(\(String(cString: strsignal(signal))))")
    }
    guard status == 0, let result else {
      throw .refused(path: plugin.file.path, reason: text(reason).shown(limit: 1024))
    }
    return result.assumingMemoryBound(to: crest_plugin.self)
  }
}
