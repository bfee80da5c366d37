import CCrestPluginHost
import CrestFiles
import CrestPlatform
import CrestTensor

/// Tries a library out in a separate process before loading it into this one.
enum Rehearsal {
  /// Does all that the host does with a library in another process: loads it, makes an instance, calls every hook it asks
  /// for with made-up figures, saves its state and puts it back, and ends it.
  ///
  /// The process is this program started again with a variable that its library sees before `main` does
  /// (`crest_rehearsal.c`).
  ///
  /// - Throws: ``PluginError/rehearsal(path:reason:)`` when that process ends in another way than it should.
  static func run(
    _ paths: [String], _ copies: [PrivateCopy], _ plugin: CheckedPlugin, configuration: JSONValue
  ) throws(PluginError) {
    if let reason = objection(paths, copies, configuration) {
      throw .rehearsal(path: plugin.file.path, reason: reason)
    }
  }

  /// Why it failed; nil when it didn't.
  private static func objection(
    _ paths: [String], _ copies: [PrivateCopy], _ configuration: JSONValue
  ) -> String? {
    var start = ChildProcess.Start(
      program: "/proc/self/exe", arguments: ["crest-plugin-rehearsal"], environment: environment)
    var names = paths
    for copy in copies {
      guard let descriptor = copy.descriptor else { continue }
      let own = start.pass(descriptor)
      names = names.map { $0 == copy.path ? own : $0 }
    }
    start.environment += [
      "\(CREST_REHEARSAL)=\(names.joined(separator: "\n"))",
      "\(CREST_REHEARSAL_HOOKS)=\(PluginHook.allCases.map(\.name).joined(separator: "\n"))",
    ]
    var errors = ""
    do throws(ChildProcess.Fault) {
      let process = try ChildProcess(start) { line in
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
      if let mark = output.firstRange(of: CREST_REHEARSAL_FAILED) {
        return String(output[mark.upperBound...].prefix { $0 != "\n" }).shown(limit: 2048)
      }
      let isPassed = output.firstRange(of: CREST_REHEARSAL_PASSED) != nil
      if isPassed, end == "ended with exit code 0" { return nil }
      return "the process that \(isPassed ? "had tried it out" : "tried it out") \(end)\(errors)"
    } catch {
      return switch error {
      case .start(let reason): "no process can be started: \(reason)"
      case .ended(let end): "the process that tried it out \(end)"
      case .tooSlow(let seconds): "it did not come to an end within \(seconds) s"
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
