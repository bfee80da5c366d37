import CrestFiles
import CrestPlatform
import CrestTensor
import CrestTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A plugin that runs as a separate process and exchanges JSON lines.
final class ProcessPlugin: PluginWorker {
  private let plugin: CheckedPlugin
  private let configuration: JSONValue
  private let services: PluginServices
  private let copy: PrivateCopy
  private let start: ChildProcess.Start
  private var process: ChildProcess?
  private var replies: Set<PluginHook> = []
  private var eventCount = 0
  private var hasStarted = false

  /// The most messages that are read while one answer is waited for.
  private static let messageLimit = 1000

  /// Starts a checked plugin.
  init(
    _ plugin: CheckedPlugin, configuration: JSONValue, services: PluginServices
  ) throws(PluginError) {
    self.plugin = plugin
    self.configuration = configuration
    self.services = services
    copy = try PrivateCopy(of: plugin.file)
    let program = try plugin.manifest.interpreter.first.map { name throws(PluginError) in
      try Self.interpreter(name, of: plugin)
    }
    let limits = plugin.manifest.limits
    var start = ChildProcess.Start(
      program: program ?? copy.path,
      arguments: plugin.manifest.interpreter + [copy.path],
      environment: [
        "PATH=\(Self.folders.filter(Self.isTrusted).joined(separator: ":"))", "LANG=C.UTF-8",
        "SWIFT_BACKTRACE=enable=no", "PYTHONDONTWRITEBYTECODE=1",
      ],
      memoryBytes: UInt64(limits.memoryMiB) << 20,
      processorSeconds: UInt64(limits.processorSeconds))
    let isELF = plugin.file.bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46])
    if program == nil { start.arguments = [plugin.manifest.file] }
    // Whoever reads a script opens it by its path; the system has a program before it closes descriptors.
    if let descriptor = copy.descriptor, program != nil || !isELF {
      let path = start.pass(descriptor)
      if program == nil {
        start.program = path
      } else {
        start.arguments[start.arguments.count - 1] = path
      }
    }
    self.start = start
    try restart()
  }

  /// Nothing: what it is told goes through a pipe.
  var call: PluginCall? { nil }

  private static let folders = ["/usr/local/bin", "/usr/bin", "/bin"]

  /// The program that a manifest names, from the system's folders or by its path; others than its owner must
  /// not be able to write it.
  static func interpreter(_ name: String, of plugin: CheckedPlugin) throws(PluginError) -> String {
    let manifest = FilePath.join(plugin.folder, PluginManifest.fileName)
    let candidates =
      name.hasPrefix("/")
      ? [name] : folders.filter(isTrusted).map { FilePath.join($0, name) }
    guard name.hasPrefix("/") || !name.contains("/"),
      let path = candidates.first(where: { access($0, X_OK) == 0 })
    else {
      throw .refused(
        path: manifest,
        reason: "interpreter: there is no program \(name) in \(folders.joined(separator: ", ")); "
          + "install it, or give its full path")
    }
    do throws(PluginError) {
      _ = try TrustedPath.check(path)
    } catch {
      throw .refused(
        path: path,
        reason: "it would run the plugin \(plugin.manifest.identifier), but another user could "
          + "change what it is: \(error)")
    }
    // By the name that was given: some programs look at how they are called, and what the links lead to can't change.
    return path
  }

  private static func isTrusted(_ folder: String) -> Bool {
    (try? TrustedPath.check(folder)) != nil
  }

  /// Nothing: it changes nothing in this process.
  func passEnded() {}

  func restart() throws(PluginError) {
    process = nil
    let answer: [String: JSONValue]
    let cookie: String
    do throws(ChildProcess.Fault) {
      let child = try ChildProcess(start) { [services] line in services.log(.info, line) }
      // From here on a failure ends it.
      process = child
      cookie = child.cookie
      let deadline = Deadline(seconds: plugin.manifest.limits.startSeconds)
      try child.write(
        PluginMessage.line([
          ("crest", .integer(PluginMessage.version)),
          ("create", .text(plugin.manifest.identifier)), ("configuration", configuration),
        ]), by: deadline)
      answer = try PluginMessage.members(of: child.readLine(by: deadline))
    } catch {
      throw failure("create", error)
    }
    let (declaration, replies) = try greeting(answer, cookie)
    guard !hasStarted || declaration == services.declaration else {
      throw failure(
        "create", .misbehaved("it asks for different things than when it was first started"))
    }
    services.declaration = declaration
    self.replies = replies
    hasStarted = true
  }

  /// What the first message declares.
  private func greeting(
    _ answer: [String: JSONValue], _ cookie: String
  ) throws(PluginError) -> (PluginDeclaration, Set<PluginHook>) {
    let place = "the first message of \(plugin.file.path)"
    var fields = try Fields(.object(answer), at: "", path: place)
    if let message = try fields.takeIfPresent("error", "a string", { $0.text }) {
      throw failure("create", .misbehaved(message.asPluginWrote))
    }
    let version = try fields.take("crest", "\(PluginMessage.version)") { $0.integer }
    guard version == PluginMessage.version else {
      throw .refused(
        path: place, reason: "crest: expected \(PluginMessage.version), got \(version)")
    }
    let given = try fields.take("cookie", "the value of CREST_PLUGIN_COOKIE") { $0.text }
    guard given == cookie else {
      throw .refused(path: place, reason: "cookie: expected the value of CREST_PLUGIN_COOKIE")
    }
    for (name, expected) in [
      ("identifier", plugin.manifest.identifier), ("version", plugin.manifest.version),
    ] {
      let got = try fields.take(name, "a string") { $0.text }
      guard got == expected else {
        throw .manifestLies(
          path: FilePath.join(plugin.folder, PluginManifest.fileName),
          reason: "\(name) is \(expected), but the program says \(got); correct one of them")
      }
    }
    func hooks(_ value: JSONValue) -> [PluginHook]? {
      guard let names = value.texts else { return nil }
      let hooks = names.compactMap { name in PluginHook.allCases.first { $0.name == name } }
      return hooks.count == names.count ? hooks : nil
    }
    var declaration = PluginDeclaration()
    declaration.hooks = try fields.take("hooks", "a list of hooks, as in [\"afterBatch\"]", hooks)
    let replies = Set(try fields.takeIfPresent("replies", "a list of hooks", hooks) ?? [])
    guard replies.isSubset(of: declaration.hooks) else {
      throw .refused(path: place, reason: "replies: expected some of hooks")
    }
    declaration.order = try fields.takeIfPresent("order", "an integer") { $0.integer } ?? 0
    declaration.reports = try fields.takeIfPresent("reports", "a list of names") { $0.texts } ?? []
    let owned = try fields.takeIfPresent(
      "owns", "a list of \(Hyperparameter.Part.numbered.map(\.wireName).joined(separator: ", "))"
    ) { value -> [Hyperparameter.Part]? in
      guard let names = value.texts else { return nil }
      let parts = names.compactMap { name in
        Hyperparameter.Part.numbered.first { $0.wireName == name }
      }
      return parts.count == names.count ? parts : nil
    }
    declaration.owns = Set(owned ?? [])
    try fields.end()
    if let reason = declaration.objection(to: plugin.manifest) {
      throw .manifestLies(
        path: FilePath.join(plugin.folder, PluginManifest.fileName), reason: reason)
    }
    return (declaration, replies)
  }

  func deliver(_ event: PluginEvent) throws(PluginError) {
    guard let hook = services.hook else { programmerError("an event without its hook") }
    eventCount += 1
    _ = try exchange(
      PluginMessage.line(eventCount, hook, event), waits: replies.contains(hook), hook.name)
  }

  func saveState() throws(PluginError) -> [UInt8] {
    let place = "saving its state"
    let answer = try ask([("save", .bool(true))], place)
    guard let text = answer?.state, let bytes = Data(base64Encoded: text) else {
      throw failure(place, .misbehaved("expected \"state\" in Base64"))
    }
    return [UInt8](bytes)
  }

  func loadState(_ bytes: [UInt8]) throws(PluginError) {
    _ = try ask([("load", .text(Data(bytes).base64EncodedString()))], "loading its state")
  }

  private func ask(
    _ members: [(String, JSONValue)], _ place: String
  ) throws(PluginError) -> PluginMessage? {
    eventCount += 1
    return try exchange(
      PluginMessage.line([("event", .integer(eventCount))] + members), waits: true, place)
  }

  /// Sends a line; waits for its answer if there is to be one, else takes what messages there are.
  ///
  /// - Returns: The answer; nil for one that asks for nothing and for none.
  private func exchange(
    _ line: [UInt8], waits: Bool, _ place: String
  ) throws(PluginError) -> PluginMessage? {
    guard let process else { throw failure(place, .ended("had already ended")) }
    do throws(ChildProcess.Fault) {
      let deadline = Deadline(seconds: plugin.manifest.limits.answerSeconds)
      try process.write(line, by: deadline)
      for _ in 0..<Self.messageLimit {
        if !waits && !process.hasOutput() {
          process.drainErrors()
          return nil
        }
        let answer = try process.readLine(by: deadline)
        if waits && answer.elementsEqual(plainAnswer) { return nil }
        let message = try PluginMessage(answer)
        if let text = message.error { throw .misbehaved(text.asPluginWrote) }
        for action in message.actions { try act(action) }
        guard let number = message.event else {
          try deadline.check()
          continue
        }
        guard waits, number == eventCount else {
          throw .misbehaved("it answered event \(number), which nothing was waiting for")
        }
        return message
      }
      throw .misbehaved("it sent \(Self.messageLimit) messages at once")
    } catch {
      throw failure(place, error)
    }
  }

  /// The answer that asks for nothing, which is nearly every one.
  private var plainAnswer: [UInt8] { Array("{\"event\":\(eventCount)}".utf8) }

  private func act(_ action: PluginAction) throws(ChildProcess.Fault) {
    do throws(PluginServices.Refusal) {
      switch action {
      case .log(let level, let text): services.log(level, text)
      case .report(let name, let value): try services.report(value, as: name)
      case .set(let part, let value): try services.set(part, to: value)
      case .cancel(let phase, let reason):
        try services.cancel(phase, reason: reason.asPluginWrote)
      }
    } catch {
      throw .misbehaved(error.reason)
    }
  }

  /// The end of its process: whatever it did wrong, it is not asked again.
  private func failure(_ place: String, _ fault: ChildProcess.Fault) -> PluginError {
    process?.kill()
    process = nil
    let reason =
      switch fault {
      case .start(let reason): "no process can be started: \(reason)"
      case .ended(let end): "its process \(end)"
      case .tooSlow(let seconds): "it did not answer within \(seconds) s, and was killed"
      case .lineTooLong(let limit):
        "it sent a line of more than \(limit) bytes, and was killed"
      case .misbehaved(let reason): reason
      }
    return .failed(plugin: plugin.manifest.identifier, during: place, reason: reason)
  }
}
