import Foundation

/// What a plugin in a process of its own may leave behind, as `Campaigns/plugins/chaos.c` does.
public enum LeftBehind: String, CaseIterable, Sendable {
  case nothing
  // Children in the process's own session, and in other groups and sessions.
  case child, group, session, daemon, orphans, brother
  // Such that make themselves hard to find or to end.
  case closed, ignores, spins, stopped, another
  case anotherDaemon = "another-daemon"
  // Many, some of which start more while they are ended.
  case many, deep, spreads, relay, adopts
  // Attacks on the process that ends them.
  case supervisorKilled = "supervisor-killed"
  case supervisorStopped = "supervisor-stopped"
  case supervisorSignalled = "supervisor-signalled"

  /// The number of processes of a name that have not ended.
  ///
  /// The most of a few looks: what runs away from process to process may be missed by one.
  public static func count(named name: String) -> Int {
    (0..<4).map { _ in processes(named: name).count }.max() ?? 0
  }

  /// The processes of a name that have not ended.
  private static func processes(named name: String) -> [pid_t] {
    guard let folder = opendir("/proc") else { return [] }
    defer { closedir(folder) }
    let wanted = Array("(\(name)) ".utf8)
    var found: [pid_t] = []
    var bytes = [UInt8](repeating: 0, count: 128)
    while let entry = readdir(folder) {
      let number = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        pid_t(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
      }
      guard let number else { continue }
      let descriptor = open("/proc/\(number)/stat", O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      let count = read(descriptor, &bytes, bytes.count)
      close(descriptor)
      // "number (name) state …": one that has ended and is not waited for yet is a zombie.
      guard let start = bytes.prefix(max(count, 0)).firstIndex(of: UInt8(ascii: "(")),
        bytes[start...].starts(with: wanted), start + wanted.count < count
      else { continue }
      let state = bytes[start + wanted.count]
      if state != UInt8(ascii: "Z") && state != UInt8(ascii: "X") { found.append(number) }
    }
    return found
  }

  /// Waits until none of a name is left, for at most so many seconds; how many are.
  public static func count(named name: String, afterAtMost seconds: Double) -> Int {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      let count = count(named: name)
      if count == 0 || ContinuousClock.now > end { return count }
      usleep(5000)
    }
  }

  /// Ends what is left of a name, so that a failure does not stay for ever.
  public static func end(named name: String) {
    for _ in 0..<100 {
      let processes = processes(named: name)
      if processes.isEmpty { return }
      for process in processes { kill(process, SIGKILL) }
    }
  }
}
