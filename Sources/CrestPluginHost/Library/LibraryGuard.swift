import CCrestPluginHost
import CrestFiles
import CrestPlatform
import CrestTensor
import Synchronization

/// Looks at what a library changes in this process, puts it back, and says so.
///
/// Floating-point control costs nanoseconds to read, and is compared around every event. The rest (signals, folders,
/// descriptors, limits, environment and so on) is compared around everything else, and around all batches of a pass.
final class LibraryGuard {
  /// Who is called, for C.
  let caller: UnsafeMutablePointer<crest_caller>
  private let identifier: String
  private let name: UnsafeMutablePointer<CChar>?
  /// What is watched while batches of a pass run.
  private var pass: OpaquePointer?

  init(_ identifier: String) {
    self.identifier = identifier
    name = strdup(identifier)
    caller = .allocate(capacity: 1)
    caller.initialize(to: crest_caller())
    caller.pointee.identifier = UnsafePointer(name)
    caller.pointee.hooks = Self.hookNames.start
    ProcessEnd.watch()
  }

  deinit {
    _ = Self.settle(&pass)
    caller.deallocate()
    free(name)
  }

  /// The names of hooks as C has them; never freed.
  private struct HookNames: @unchecked Sendable {
    let start: UnsafePointer<UnsafePointer<CChar>?>

    init() {
      let names = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(
        capacity: PluginHook.allCases.count)
      for hook in PluginHook.allCases {
        (names + hook.rawValue).initialize(to: UnsafePointer(strdup(hook.name)))
      }
      start = UnsafePointer(names)
    }
  }

  private static let hookNames = HookNames()

  /// Calls the library.
  ///
  /// - Throws: What `body` throws; or ``PluginError/failed(plugin:during:reason:)`` when the library has changed
  ///   something.
  func around<Result>(
    _ place: StaticString, during name: String? = nil, _ body: () throws(PluginError) -> Result
  ) throws(PluginError) -> Result {
    var state: OpaquePointer? = try take(isLong: false, in: name ?? "\(place)")
    // A literal, which ends in 0.
    let outer = crest_begin_call(
      caller, UnsafeRawPointer(place.utf8Start).assumingMemoryBound(to: CChar.self))
    let result: Swift.Result<Result, PluginError>
    do throws(PluginError) { result = .success(try body()) } catch { result = .failure(error) }
    crest_end_call(outer)
    if let changes = Self.settle(&state) { throw failure(in: name ?? "\(place)", changes) }
    // An event has put back its floating-point control already.
    if let error = controlFailure(in: name ?? "\(place)") { throw error }
    return try result.get()
  }

  /// Begins to watch a pass, unless it is watched already.
  ///
  /// - Throws: ``PluginError/failed(plugin:during:reason:)`` when there is no memory for it.
  func beginPass() throws(PluginError) {
    if pass == nil { pass = try take(isLong: true, in: "a pass") }
  }

  /// Ends watching.
  ///
  /// - Throws: ``PluginError/failed(plugin:during:reason:)`` when something has changed since.
  func endPass() throws(PluginError) {
    if let changes = Self.settle(&pass) { throw failure(in: "a pass", changes) }
  }

  /// Why an event has failed that changed the floating-point control; nil when it didn't.
  func controlFailure(in place: String) -> PluginError? {
    let (before, after) = (caller.pointee.control_before, caller.pointee.control_after)
    guard before != after else { return nil }
    caller.pointee.control_after = before
    var characters = [CChar](repeating: 0, count: 256)
    crest_describe_control(before, after, &characters, characters.count)
    return failure(in: place, text(characters))
  }

  private func failure(in place: String, _ changes: String) -> PluginError {
    .failed(
      plugin: identifier, during: place,
      reason: "it changes \(changes.shown(limit: 512)) of the process")
  }

  private func take(isLong: Bool, in place: String) throws(PluginError) -> OpaquePointer {
    guard let state = crest_process_state_take(isLong ? 1 : 0) else {
      throw .failed(
        plugin: identifier, during: place, reason: "there is no memory to watch what it changes")
    }
    return state
  }

  /// What has changed, which is put back; nil when nothing has.
  private static func settle(_ state: inout OpaquePointer?) -> String? {
    guard let taken = state else { return nil }
    state = nil
    var characters = [CChar](repeating: 0, count: 1024)
    return crest_process_state_settle(taken, &characters, characters.count) > 0
      ? text(characters) : nil
  }
}

/// The end of the process by a library that calls `exit` or the like: an error, and never a success.
package enum ProcessEnd {
  /// Says why the process ends.
  package typealias Report = @Sendable (PluginError) -> Void

  private static let report = Mutex<Report?>(nil)

  /// Lets `report` say it instead of standard error; the process then ends with the code 65.
  package static func reporting(to report: @escaping Report) {
    self.report.withLock { $0 = report }
  }

  /// Begins to watch for it, once.
  static func watch() { _ = isWatching }

  private static let isWatching: Bool = {
    crest_report_ends_to { identifier, place, how in
      let error = PluginError.failed(
        plugin: identifier.map { String(cString: $0) } ?? "",
        during: place.map { String(cString: $0) } ?? "its own code",
        reason: "it ended the process by \(how.map { String(cString: $0) } ?? "itself"), and "
          + "with it the run; a plugin returns a failure instead")
      if let report = ProcessEnd.report.withLock({ $0 }) {
        report(error)
      } else {
        _ = SystemFiles.writeAll(Array("Error: \(error)\n".utf8), to: STDERR_FILENO)
      }
    }
    return true
  }()
}
