public import ArgumentParser
public import Crest

/// Which parameters train, and in which groups.
struct ParameterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Parameters to keep as they are: names with * for any characters, as in 'backbone.*'. "
        + "May be repeated.",
      valueName: "pattern"))
  var freeze: [String] = []

  @Option(
    help: ArgumentHelp(
      "Parameters to train although --freeze or --freeze-to names them. May be repeated.",
      valueName: "pattern"))
  var unfreeze: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Freeze the groups before this one, counted from 0 or back from -1, the last.",
      valueName: "group"))
  var freezeTo: Int?

  @Option(
    help: ArgumentHelp(
      "Frozen batch norm: inference (all of it stays as it is), statistics (only scales and shifts "
        + "stay), trained (nothing of it is frozen).",
      valueName: "how"))
  var frozenNorm = FrozenNormalization.inference

  @Option(
    help: ArgumentHelp(
      "Groups of parameters, the first layers' first: layers (one a layer), depth:n (n groups of "
        + "neighbouring layers), or patterns with a comma between groups and | within one; what "
        + "fits none is one more group, the last.",
      valueName: "layers|depth:n|patterns"))
  var groups = GroupsOption(split: .layers)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Give an ONNX file a new last layer for so many classes, with new weights.",
      valueName: "classes"))
  var replaceHead: Int?

  /// Freezes what the options name.
  func freeze(_ learner: Learner) throws(ParameterError) {
    if let freezeTo { try learner.freezeTo(freezeTo) }
    if !freeze.isEmpty { try learner.freeze(.matching(freeze.map { NamePattern($0) })) }
    if !unfreeze.isEmpty { try learner.unfreeze(.matching(unfreeze.map { NamePattern($0) })) }
  }
}

/// How parameters are split into groups.
struct GroupsOption: ExpressibleByArgument {
  let split: ParameterSplit

  init(split: ParameterSplit) { self.split = split }

  init?(argument: String) {
    if argument == "layers" {
      split = .layers
    } else if argument.hasPrefix("depth:") {
      guard let count = Int(argument.dropFirst("depth:".count)) else { return nil }
      split = .depth(count)
    } else {
      split = .patterns(
        argument.split(separator: ",", omittingEmptySubsequences: false).map { group in
          group.split(separator: "|", omittingEmptySubsequences: false)
            .map { NamePattern(String($0)) }
        })
    }
  }

  var defaultValueDescription: String { "layers" }
}

extension FrozenNormalization: ExpressibleByArgument {}
