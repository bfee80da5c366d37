public import ArgumentParser
public import Crest

/// Which parameters are trained, and in which groups.
struct ParameterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Parameters to freeze: names with * for any characters, as in 'backbone.*'. "
        + "May be repeated.",
      valueName: "pattern"))
  var freeze: [String] = []

  @Option(
    help: ArgumentHelp(
      "Parameters to train even if --freeze or --freeze-to names them, and arrays of an ONNX file "
        + "that are otherwise not trained. May be repeated.",
      valueName: "pattern"))
  var unfreeze: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Freeze the groups before this one: 0 is the first, -1 the last.",
      valueName: "group"))
  var freezeTo: Int?

  @Option(
    help: ArgumentHelp(
      "Frozen batch norm: inference (everything frozen), statistics (only scales and shifts "
        + "frozen), trained (nothing frozen) (default: \(Learner.FrozenNormalization.inference.rawValue)).",
      valueName: "how"))
  var frozenNorm: Learner.FrozenNormalization?

  @Option(
    help: ArgumentHelp(
      "Parameter groups, in the order of the layers: layers (one per layer), depth:n (n groups of "
        + "consecutive layers), or patterns with a comma between groups and | within one; what "
        + "matches none is one more group, the last.",
      valueName: "layers|depth:n|patterns"))
  var groups = GroupsOption(split: .layers)

  @Option(
    help: ArgumentHelp(
      "The weight of a convolution of the images that starts as filters which whiten their patches, from the "
        + "first 5,000 training images, and is frozen.",
      valueName: "name"))
  var whiten: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Give an ONNX file a new last layer for this many classes, with new weights.",
      valueName: "classes"))
  var replaceHead: Int?

  /// The arrays of the model's file, if the options may name any that aren't parameters.
  func arrays(of options: ModelOptions) throws -> [ONNXInspection.ArrayUse] {
    guard options.isFile, !freeze.isEmpty || !unfreeze.isEmpty else { return [] }
    return try ONNXFile(path: options.networkName).arrays()
  }

  /// The arrays to train beyond the file's parameters: those matched by `--unfreeze` patterns that
  /// match no parameter.
  ///
  /// A pattern that matches parameters, as `*` does, applies to these alone.
  func selection(
    among arrays: [ONNXInspection.ArrayUse]
  ) throws(CommandError) -> ParameterSelection {
    var selection = ParameterSelection()
    for pattern in unfreeze {
      let fitting = arrays.filter { NamePattern(pattern).fits($0.name) }
      guard !fitting.contains(where: \.isVariable) else { continue }
      if let other = fitting.first(where: { !$0.canBeTrained }) {
        throw .untrainable(
          name: other.name, type: "\(other.elementType) \(other.shape)", reason: other.reason)
      }
      if !fitting.isEmpty { selection.trainable.append(pattern) }
    }
    return selection
  }

  /// Freezes the parameters that the options name; other arrays stay as they are anyway.
  func freeze(
    _ learner: Learner, among arrays: [ONNXInspection.ArrayUse]
  ) throws(ParameterError) {
    if let freezeTo { try learner.freezeTo(freezeTo) }
    let fixed = arrays.filter { !$0.isVariable }.map(\.name)
    let store = learner.model.store
    let variables = (store.parameters + store.statistics).map(\.name)
    // An array that is a rearrangement of a parameter is frozen with it.
    let copies = arrays.filter { $0.original != nil }
    func patterns(_ texts: [String]) throws(ParameterError) -> [NamePattern] {
      var found: [NamePattern] = []
      for text in texts {
        let pattern = NamePattern(text)
        let originals = copies.filter { pattern.fits($0.name) }.compactMap(\.original)
        guard !originals.isEmpty || (variables + fixed).contains(where: pattern.fits) else {
          throw .unmatched(pattern: text, nearest: pattern.nearest(3, of: variables + fixed))
        }
        if variables.contains(where: pattern.fits) { found.append(pattern) }
        found += originals.map { NamePattern($0) }
      }
      return found
    }
    let (freezing, unfreezing) = (try patterns(freeze), try patterns(unfreeze))
    for pattern in freezing { try learner.freeze(.matching(pattern)) }
    if !unfreezing.isEmpty { try learner.unfreeze(.matching(unfreezing)) }
  }
}

/// How parameters are split into groups.
struct GroupsOption: ExpressibleByArgument {
  let split: ParameterGroup.Split

  init(split: ParameterGroup.Split) { self.split = split }

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

extension Learner.FrozenNormalization: ExpressibleByArgument {}

extension ONNXInspection.ArrayUse {
  /// Whether it is a parameter or a running statistic.
  fileprivate var isVariable: Bool { kind == .trained || kind == .statistic }
}
