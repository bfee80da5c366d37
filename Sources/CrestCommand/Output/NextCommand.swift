import Crest

/// The command line to type next, made of the present one's options.
enum NextCommand {
  /// Options of `train` that other commands have too, with the value that follows them.
  private static let shared: Set<String> = [
    "--model", "--architecture", "--data", "--loss", "--class-axis", "--preprocessing",
    "--batch-size", "--batch-axis", "--seed", "--threads", "--optimizer", "--weight-decay",
    "--weight-decay-kind", "--weight-decay-on", "--augment", "--freeze", "--unfreeze",
    "--freeze-to", "--frozen-norm", "--groups", "--replace-head",
  ]
  private static let flags: Set<String> = ["--no-shuffle"]

  /// `crest train` to a rate; its epochs are for the user to choose.
  static func train(maxLR: Double, arguments: [String] = CommandLine.arguments) -> String {
    var kept: [String] = []
    var rest = arguments.dropFirst()
    while let argument = rest.popFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
      if flags.contains(argument) || parts.count == 2 && shared.contains(parts[0]) {
        kept.append(argument)
      } else if shared.contains(argument), let value = rest.popFirst() {
        kept += [argument, value]
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
