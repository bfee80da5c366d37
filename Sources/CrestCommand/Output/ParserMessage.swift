import ArgumentParser

/// The argument parser's message, with the nearest known name if it is about an unknown one.
func parserMessage(_ error: any Error) -> String {
  let text = CrestCommandLine.fullMessage(for: error)
  let arguments = Array(CommandLine.arguments.dropFirst())
  var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  if let (name, known) = unknownCommand(in: arguments) {
    let meant = nearest(to: name, among: known)
    lines[0] = "Error: Unknown command '\(name)'" + (meant.map { ". Did you mean '\($0)'?" } ?? "")
  } else if let unknown = lines.first?.wholeMatch(of: #/Error: Unknown option '([^'=]*).*/#) {
    // The parser's own suggestion doesn't know flags or other programs' names of an option.
    let meant = option(meantBy: String(unknown.1), in: arguments)
    lines[0] =
      "Error: Unknown option '\(unknown.1)'" + (meant.map { ". Did you mean '\($0)'?" } ?? "")
  }
  if lines.first?.hasPrefix("Error: Missing expected argument") == true,
    let unknown = unknownOption(in: arguments)
  {
    // The parser reports the missing option, but the cause is a misspelt one.
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

/// The first unknown name where a command is expected, and the commands possible there.
private func unknownCommand(in arguments: [String]) -> (name: String, known: [String])? {
  var path: [String] = []
  for name in arguments.prefix(while: { !$0.hasPrefix("-") }) {
    let known = command(at: path).configuration.subcommands.map { $0._commandName }
    if known.isEmpty || name == "help" { return nil }
    guard known.contains(name) else { return (name, known + ["help"]) }
    path.append(name)
  }
  return nil
}

/// The command at a path, as far as its names are commands.
private func command(at path: [String]) -> any ParsableCommand.Type {
  var command: any ParsableCommand.Type = CrestCommandLine.self
  for name in path {
    guard let next = command.configuration.subcommands.first(where: { $0._commandName == name })
    else { break }
    command = next
  }
  return command
}

/// The options and flags of the command that `arguments` name, without dashes.
private func knownOptions(in arguments: [String]) -> [String] {
  let path = arguments.prefix { !$0.hasPrefix("-") }
  let help = CrestCommandLine.helpMessage(for: command(at: Array(path)), columns: 1000)
  return help.matches(of: #/(?m)^ +(?:-\w, )?--([A-Za-z-]+)/#).map { String($0.1) }
}

/// The first option among `arguments` that their command doesn't have, but for which it has a
/// similar one.
private func unknownOption(in arguments: [String]) -> (name: String, meant: String)? {
  let known = knownOptions(in: arguments)
  for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
    let name = String(argument.prefix { $0 != "=" })
    if !known.contains(String(name.dropFirst(2))), let meant = option(meantBy: name, among: known) {
      return (name, meant)
    }
  }
  return nil
}

private func option(meantBy name: String, in arguments: [String]) -> String? {
  option(meantBy: name, among: knownOptions(in: arguments))
}

/// The option of `known` that an unknown one, with its dashes, most likely stands for.
private func option(meantBy name: String, among known: [String]) -> String? {
  let plain = String(name.drop { $0 == "-" })
  let meant = namesElsewhere.first {
    $0.names.contains(plain.lowercased()) && known.contains($0.option)
  }
  return (meant?.option ?? nearest(to: plain, among: known)).map { "--" + $0 }
}

/// Other programs' names for this program's options; if a name has several, the first that a
/// command has.
private let namesElsewhere: [(names: Set<String>, option: String)] = [
  (["lr", "learning-rate", "learning_rate", "maxlr"], "max-lr"),
  (["wd", "decay"], "weight-decay"),
  (["bs", "batch", "train-batch-size", "mini-batch"], "batch-size"),
  (["n-epochs", "num-epochs", "n-epoch", "max-epochs", "num-train-epochs", "ep"], "epochs"),
  (["opt", "optim"], "optimizer"),
  (["mom", "beta1"], "momentum"),
  (["sched", "scheduler", "lr-scheduler", "lr-schedule"], "schedule"),
  (["criterion", "loss-fn"], "loss"),
  (["random-seed", "random-state", "manual-seed"], "seed"),
  (["workers", "num-workers", "num-threads", "jobs"], "threads"),
  (["arch", "net", "network"], "architecture"), (["arch", "net", "network"], "model"),
  (["dataset", "data-dir", "data-path"], "data"),
  (["output", "out", "save", "onnx"], "export"), (["out", "o"], "output"),
  (["out", "output"], "to"),
  (["output-dir", "save-dir", "ckpt-dir", "ckpt", "checkpoints"], "checkpoint-dir"),
  (["save-every", "save-freq"], "checkpoint-every"),
  (["transforms", "augmentation"], "augment"),
]
