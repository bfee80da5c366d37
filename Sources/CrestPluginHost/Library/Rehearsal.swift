import CCrestPluginHost
import CrestPlatform
import CrestTensor

/// Tries a library out in a separate process before loading it into this one.
enum Rehearsal {
  /// Loads the library in another process, makes an instance and ends it.
  ///
  /// The process is this program started again with a variable that its library sees before `main` does
  /// (`crest_tables.c`).
  ///
  /// - Throws: ``PluginError/rehearsal(path:reason:)`` when that process ends in another way than it should.
  static func run(
    _ copy: PrivateCopy, _ plugin: CheckedPlugin, configuration: JSONValue
  ) throws(PluginError) {
    if let reason = objection(copy, configuration) {
      throw .rehearsal(path: plugin.file.path, reason: reason)
    }
  }

  /// Why it failed; nil when it didn't.
  private static func objection(_ copy: PrivateCopy, _ configuration: JSONValue) -> String? {
    var errors = ""
    do throws(ChildProcess.Fault) {
      let process = try ChildProcess(
        ChildProcess.Start(
          program: "/proc/self/exe", arguments: ["crest-plugin-rehearsal"],
          environment: environment + ["\(CREST_REHEARSAL)=\(copy.path)"])
      ) { line in
        if errors.utf8.count < 1000 { errors += "; it wrote: \(line)" }
      }
      let deadline = Deadline(seconds: 10)
      do throws(ChildProcess.Fault) {
        try process.write(Array(configuration.json.utf8), by: deadline)
        process.closeInput()
      } catch .ended {
        // It needs no configuration to fail; what it wrote says more.
      }
      let (bytes, end) = try process.readToEnd(limit: 1 << 20, by: deadline)
      let output = String(decoding: bytes, as: UTF8.self)
      if output.hasSuffix(CREST_REHEARSAL_PASSED), end == "ended with exit code 0" { return nil }
      if let mark = output.firstRange(of: CREST_REHEARSAL_FAILED) {
        return String(output[mark.upperBound...].prefix { $0 != "\n" })
      }
      return "the process that loaded it \(end)\(errors)"
    } catch {
      return switch error {
      case .start(let reason): "no process can be started: \(reason)"
      case .ended(let end): "the process that loaded it \(end)"
      case .tooSlow(let seconds): "it did not load within \(seconds) s"
      case .lineTooLong(let limit): "it wrote more than \(limit) bytes"
      case .misbehaved(let reason): reason
      }
    }
  }

  /// What the dynamic linker and libraries need; nothing that turns a crash into a long report.
  private static var environment: [String] {
    let kept = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH"]
    return kept.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }
      + ["SWIFT_BACKTRACE=enable=no"]
  }
}
