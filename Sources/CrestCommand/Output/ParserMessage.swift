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
  if lines.first?.hasPrefix("Error: Missing expected argument") == true,
    let unknown = unknownOption(in: Array(CommandLine.arguments.dropFirst()))
  {
    // The parser looks for what is missing first, but a slip of the finger is why it is.
    lines[0] = "Error: Unknown option '\(unknown.name)'. Did you mean '\(unknown.meant)'?"
    lines.removeAll { $0.hasPrefix("Help:") }
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
  command(at: path).configuration.subcommands.map { $0._commandName } + ["help"]
}

/// The command of a path, as far as there are commands of its names.
private func command(at path: [String]) -> any ParsableCommand.Type {
  var command: any ParsableCommand.Type = CrestCommandLine.self
  for name in path {
    guard let next = command.configuration.subcommands.first(where: { $0._commandName == name })
    else { break }
    command = next
  }
  return command
}

/// The first option among `arguments` that their command doesn't have, but one that is near it.
private func unknownOption(in arguments: [String]) -> (name: String, meant: String)? {
  let path = arguments.prefix { !$0.hasPrefix("-") }
  let help = CrestCommandLine.helpMessage(for: command(at: Array(path)), columns: 1000)
  let known = help.matches(of: #/(?m)^ +(?:-\w, )?(--[A-Za-z-]+)/#).map { String($0.1) }
  for argument in arguments where argument.hasPrefix("--") {
    let name = String(argument.prefix { $0 != "=" })
    if !known.contains(name), let meant = nearest(to: name, among: known) { return (name, meant) }
  }
  return nil
}
