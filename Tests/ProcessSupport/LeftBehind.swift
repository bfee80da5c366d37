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
  public static func count(named name: String) -> Int {
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return numbers.count { number in
      guard Int(number) != nil,
        let text = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
        let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")")
      else { return false }
      // "number (name) state …": one that has ended and is not waited for yet is a zombie.
      let rest = text[close...].dropFirst(2)
      return text[open..<close].dropFirst() == name && rest.first != "Z" && rest.first != "X"
    }
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
    for _ in 0..<100 where count(named: name) > 0 {
      for number in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
        guard let process = Int32(number), process > 1,
          let text = try? String(contentsOfFile: "/proc/\(number)/comm", encoding: .utf8),
          text == name + "\n"
        else { continue }
        kill(process, SIGKILL)
      }
    }
  }
}
