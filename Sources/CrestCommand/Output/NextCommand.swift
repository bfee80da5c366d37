import Crest

/// The command line to type next, made of the present one's options.
enum NextCommand {
  /// Options of the searches for a rate alone, with the value that follows them; `train` has all others.
  private static let own: Set<String> = [
    "--to", "--start-lr", "--end-lr", "--spacing", "--steps", "--points", "--seeds",
    "--trial-epochs", "--plot",
  ]
  private static let ownFlags: Set<String> = ["--advise", "--json"]

  /// `crest train` to a rate; its epochs are for the user to choose.
  static func train(maxLR: Double, arguments: [String] = CommandLine.arguments) -> String {
    var kept: [String] = []
    // Without the program and the command.
    var rest = arguments.dropFirst(2)
    while let argument = rest.popFirst() {
      let name = argument.prefix { $0 != "=" }
      if own.contains(String(name)) {
        if name == argument { _ = rest.popFirst() }
      } else if !ownFlags.contains(argument) {
        kept.append(argument)
      }
    }
    return (["crest", "train"] + kept.map(quoted) + ["--max-lr", maxLR.short, "--epochs", "N"])
      .joined(separator: " ")
  }

  /// A word as a shell takes it.
  private static func quoted(_ word: String) -> String {
    let isPlain = word.unicodeScalars.allSatisfy { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic
          || "0123456789-_./:,=@%+".unicodeScalars.contains(scalar))
    }
    return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
