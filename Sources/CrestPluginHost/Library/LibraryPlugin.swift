import CCrestPlugin
import CCrestPluginHost
import CrestFiles
import CrestTensor
import CrestTraining

/// A plugin that is a shared library in this process.
final class LibraryPlugin: PluginWorker {
  private let services: PluginServices
  private let host: LibraryHost
  private let guardian: LibraryGuard
  private let table: UnsafePointer<crest_plugin>
  private let onEvent:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<crest_event>?) -> Int32
  private let state: UnsafeMutableRawPointer?

  /// Loads a checked plugin and makes an instance.
  init(
    _ plugin: CheckedPlugin, configuration: JSONValue, services: PluginServices, rehearses: Bool
  ) throws(PluginError) {
    self.services = services
    let manifest = plugin.manifest
    let guardian = LibraryGuard(manifest.identifier)
    self.guardian = guardian
    table = try LoadedLibraries.table(of: plugin, for: guardian) {
      (paths, copies) throws(PluginError) in
      guard rehearses else { return }
      try Rehearsal.run(paths, copies, plugin, configuration: configuration)
    }
    for (name, expected, got) in [
      ("identifier", manifest.identifier, String(cString: table.pointee.identifier)),
      ("version", manifest.version, String(cString: table.pointee.version)),
    ] where expected != got {
      throw .manifestLies(
        path: FilePath.join(plugin.folder, PluginManifest.fileName),
        reason: "\(name) is \(expected), but the library says \(got); correct one of them")
    }
    guard let onEvent = table.pointee.on_event, let create = table.pointee.create else {
      programmerError("a table without functions was not refused")
    }
    self.onEvent = onEvent

    let host = LibraryHost(services)
    self.host = host
    var instance = crest_instance()
    instance.size = UInt32(MemoryLayout<crest_instance>.size)
    let status = try guardian.around("create") { () throws(PluginError) in
      create(host.table, configuration.json, &instance)
    }
    guard status == Int32(CREST_OK.rawValue) else {
      throw .failed(plugin: manifest.identifier, during: "create", reason: host.takeFailure())
    }
    state = instance.state
    // From here on an error leaves the instance to `deinit`.
    let declaration = try PluginDeclaration(instance, of: plugin)
    if let reason = declaration.objection(to: manifest) {
      throw .manifestLies(
        path: FilePath.join(plugin.folder, PluginManifest.fileName), reason: reason)
    }
    services.declaration = declaration
  }

  deinit {
    do throws(PluginError) {
      try guardian.endPass()
      try guardian.around("destroy") { () throws(PluginError) in table.pointee.destroy(state) }
    } catch {
      // There is nobody left who could be told by an error.
      services.log(.error, "\(error)")
    }
  }

  var call: PluginCall? {
    PluginCall(function: onEvent, state: state, guardian: guardian) {
      [services, host, guardian] place in
      guardian.controlFailure(in: place) ?? Self.failure(of: services, host, in: place)
    }
  }

  func deliver(_ event: PluginEvent) throws(PluginError) {
    let name = services.hook?.name ?? "an event"
    let status = try guardian.around("an event", during: name) { () throws(PluginError) in
      crest_call_event(onEvent, state, event.pointer, guardian.caller)
    }
    if status != 0 { throw failure(in: name) }
  }

  func passEnded() throws(PluginError) { try guardian.endPass() }

  func saveState() throws(PluginError) -> [UInt8] {
    guard let save = table.pointee.save_state else { return [] }
    let sink = ByteSink()
    let status = try guardian.around("save_state") { () throws(PluginError) in
      save(
        state,
        { sink, bytes, count in
          guard let sink else { return }
          Unmanaged<ByteSink>.fromOpaque(sink).takeUnretainedValue().add(bytes, count)
        }, Unmanaged.passUnretained(sink).toOpaque())
    }
    guard status == Int32(CREST_OK.rawValue) else { throw failure(in: "save_state") }
    if let fault = sink.fault {
      throw .failed(plugin: services.manifest.identifier, during: "save_state", reason: fault)
    }
    return sink.bytes
  }

  func loadState(_ bytes: [UInt8]) throws(PluginError) {
    guard let load = table.pointee.load_state else {
      guard bytes.isEmpty else {
        throw .state(
          plugin: services.manifest.identifier,
          reason: "it has \(bytes.count) bytes, but the plugin has none")
      }
      return
    }
    let status = try guardian.around("load_state") { () throws(PluginError) in
      bytes.withUnsafeBytes { load(state, $0.baseAddress, UInt64($0.count)) }
    }
    guard status == Int32(CREST_OK.rawValue) else { throw failure(in: "load_state") }
  }

  func restart() throws(PluginError) { throw Self.cannotRestart(services.manifest.identifier) }

  /// Why the policy `restart` is refused.
  static func cannotRestart(_ identifier: String) -> PluginError {
    .policy(
      plugin: identifier,
      reason: "a library can't be started again; use the policy stop or disable")
  }

  private func failure(in place: String) -> PluginError {
    Self.failure(of: services, host, in: place)
  }

  private static func failure(
    of services: PluginServices, _ host: LibraryHost, in place: String
  ) -> PluginError {
    .failed(plugin: services.manifest.identifier, during: place, reason: host.takeFailure())
  }
}

/// Bytes that C hands over piece by piece.
private final class ByteSink {
  /// What a checkpoint takes of a plugin.
  private static let limit = 1 << 26

  private(set) var bytes: [UInt8] = []
  private(set) var fault: String?

  func add(_ start: UnsafeRawPointer?, _ count: UInt64) {
    guard fault == nil, count > 0 else { return }
    guard let start else {
      fault = "it wrote \(count) bytes from nowhere"
      return
    }
    guard count <= UInt64(Self.limit - bytes.count) else {
      fault = "its state has more than \(Self.limit) bytes"
      bytes = []
      return
    }
    bytes += UnsafeRawBufferPointer(start: start, count: Int(count))
  }
}

/// The text of a C string in an array.
func text(_ characters: [CChar]) -> String {
  String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

extension PluginDeclaration {
  /// What the instance of a library asks for.
  ///
  /// - Throws: ``PluginError/refused(path:reason:)`` when it asks for what there isn't.
  fileprivate init(_ instance: crest_instance, of plugin: CheckedPlugin) throws(PluginError) {
    func refused(_ reason: String) -> PluginError {
      .refused(path: plugin.file.path, reason: reason)
    }
    hooks = PluginHook.allCases.filter { instance.hooks & $0.bit != 0 }
    guard hooks.reduce(0, { $0 | $1.bit }) == instance.hooks else {
      throw refused(
        "it asks for hooks \(String(instance.hooks, radix: 2)), of which some are unknown")
    }
    order = Int(instance.order)
    let kinds = TensorKind.allCases.filter { instance.reads & (1 << UInt64($0.rawValue)) != 0 }
    guard kinds.reduce(0, { $0 | 1 << UInt64($1.rawValue) }) == instance.reads else {
      throw refused(
        "it asks to read \(String(instance.reads, radix: 2)), of which some are unknown")
    }
    tensors = Set(kinds)
    let parts = Hyperparameter.Part.numbered.enumerated().filter {
      instance.owns & (1 << UInt64($0.offset)) != 0
    }
    guard parts.reduce(0, { $0 | 1 << UInt64($1.offset) }) == instance.owns else {
      throw refused("it asks to own \(String(instance.owns, radix: 2)), of which some are unknown")
    }
    owns = Set(parts.map(\.element))
    activations = try Self.names(instance.activations, "activations", refused)
    reports = try Self.names(instance.reports, "reports", refused)
    guard activations.isEmpty == !tensors.contains(.activations) else {
      throw refused("it asks for activations in only one of reads and activations")
    }
  }

  private static func names(
    _ list: UnsafePointer<UnsafePointer<CChar>?>?, _ what: String,
    _ refused: (String) -> PluginError
  ) throws(PluginError) -> [String] {
    guard let list else { return [] }
    var names: [String] = []
    while let name = list[names.count] {
      names.append(String(cString: name))
      guard names.count <= 1024 else { throw refused("its \(what) do not end after 1024 names") }
    }
    return names
  }
}
