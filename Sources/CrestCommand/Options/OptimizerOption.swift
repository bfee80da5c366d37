import ArgumentParser
import Crest

/// An optimiser as given in an option: `name` or `name:key=value,…`.
struct OptimizerOption: ExpressibleByArgument {
  private let named: NamedSettings

  init(argument: String) { named = NamedSettings(argument) }

  var name: String { named.name }

  /// The row of its name.
  func kind() throws(OptimizerError) -> BuiltInOptimizer { try .named(named.name) }

  /// The optimiser with these settings, and others that options of their own give.
  ///
  /// - Throws: What is wrong with a setting; ``CommandError/settingTwice(setting:first:second:)``.
  func make(
    option: String = "--optimizer", beside others: [String: OptimizerSetting.Value] = [:],
    decayKind: WeightDecay.Kind?, decayTargets: WeightDecay.Targets?
  ) throws -> any Optimizer {
    let kind = try kind()
    let settings = try CallbackSettings(
      of: option, kind.name, kind.settings.map(CallbackSetting.init), named)
    var values = others
    for setting in kind.settings {
      guard let value = try settings.value(of: setting) else { continue }
      guard values.updateValue(value, forKey: setting.name) == nil else {
        throw CommandError.settingTwice(
          setting: setting.name, first: "\(option) \(kind.name)", second: "--\(setting.name)")
      }
    }
    return try kind.make(values, decayKind: decayKind, decayTargets: decayTargets)
  }

  /// The momentum among its settings; nil if there is none that can be read.
  func momentum() throws(CommandError) -> MomentumOption? {
    try named.pairs(of: "--optimizer").first { $0.key == "momentum" }
      .flatMap { Double($0.value) }.map { MomentumOption($0) }
  }

  /// All optimisers with settings, as in `lion:momentum=x,beta2=x`.
  static var usage: String {
    BuiltInOptimizer.all.map {
      CallbackSetting.usage(of: $0.name, $0.settings.map(CallbackSetting.init))
    }.joined(separator: ", ")
  }
}

extension CallbackSetting {
  /// A setting of an optimiser.
  fileprivate init(_ setting: OptimizerSetting) {
    let kind: Kind =
      switch setting.kind {
      case .number: .number
      case .wholeNumber: .wholeNumber
      case .flag: .flag
      case .choice(let names): .choice(names)
      case .patterns: .patterns
      }
    self.init(setting.name, kind)
  }
}

extension CallbackSettings {
  /// The given value of an optimiser's setting; nil if there is none.
  fileprivate func value(
    of setting: OptimizerSetting
  ) throws(CommandError) -> OptimizerSetting.Value? {
    switch setting.kind {
    case .number: try number(setting.name).map { .number($0) }
    case .wholeNumber: try wholeNumber(setting.name).map { .wholeNumber($0) }
    case .flag: try flag(setting.name).map { .flag($0) }
    case .choice(let names):
      try value(setting.name) { names.contains($0) ? .choice($0) : nil }
    case .patterns: try patterns(setting.name).map { .patterns($0) }
    }
  }
}

/// Some parameters and their own optimiser: `head.*=adamw:beta2=0.99,rate=0.01`.
struct MemberOption: ExpressibleByArgument {
  private let parameters: ParameterChoice
  private let text: String

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
    parameters = .matching(
      parts[0].split(separator: "|", omittingEmptySubsequences: false)
        .map { NamePattern(String($0)) })
    text = String(parts[1])
  }

  func member(decayTargets: WeightDecay.Targets?) throws -> MultiOptimizer.Member {
    let parts = text.split(separator: ":", maxSplits: 1)
    // The rate is of the member, not of its optimiser.
    var rate = 1.0
    var settings: [Substring] = []
    for setting in parts.dropFirst().joined().split(separator: ",") {
      guard setting.hasPrefix("rate=") else {
        settings.append(setting)
        continue
      }
      let value = String(setting.dropFirst(5))
      guard let number = Double(value), number.isFinite, number >= 0 else {
        throw CommandError.settingValue(
          owner: "--optimizer-for \(parts[0])", setting: "rate", value: value,
          expected: "a finite number of at least 0")
      }
      rate = number
    }
    let ownSettings = settings.isEmpty ? "" : ":" + settings.joined(separator: ",")
    let own = OptimizerOption(argument: parts[0] + ownSettings)
    return MultiOptimizer.Member(
      try own.make(option: "--optimizer-for", decayKind: nil, decayTargets: decayTargets),
      for: parameters, rate: rate)
  }
}
