import ArgumentParser

/// The argument parser's own message, with the nearest known name where it tells of an unknown one.
func parserMessage(_ error: any Error) -> String {
  let text = CrestCommandLine.fullMessage(for: error)
  var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  if let unknown = lines.first?.wholeMatch(of: #/Error: Unexpected argument '(.*)'/#),
    let usage = text.firstMatch(of: #/Usage: crest ([a-z ]*)<subcommand>/#)
  {
    let commands = subcommands(below: usage.1.split(separator: " ").map(String.init))
    let meant = nearest(to: String(unknown.1), among: commands)
    lines[0] =
      "Error: Unknown command '\(unknown.1)'" + (meant.map { ". Did you mean '\($0)'?" } ?? "")
  }
  let listed = #/Error: The value '(.*)' is invalid for '.*'\. Please provide one of (.*)/#
  if let wrong = lines.first?.wholeMatch(of: listed) {
    let quoted = wrong.2.matches(of: #/'([^']*)'/#).map { String($0.1) }
    let below = lines.prefix { $0.hasPrefix("Error: ") || $0.hasPrefix("  - ") }.dropFirst()
    let known = quoted + below.map { String($0.dropFirst(4)) }
    if let meant = nearest(to: String(wrong.1), among: known) {
      lines[below.count] += (below.isEmpty ? " " : "\n") + "Did you mean '\(meant)'?"
    }
  }
  return lines.joined(separator: "\n")
}

/// The names of the commands in the command of a path.
private func subcommands(below path: [String]) -> [String] {
  var commands = CrestCommandLine.configuration.subcommands
  for name in path {
    commands = commands.first { $0._commandName == name }?.configuration.subcommands ?? []
  }
  return commands.map { $0._commandName } + ["help"]
}
