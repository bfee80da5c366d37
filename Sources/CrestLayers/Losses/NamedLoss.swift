package import CrestTensor

/// A loss that has a name on the command line: a row for each, in its family's file.
package struct NamedLoss: Sendable {
  /// The name, as in the command's `--loss`.
  package let name: String
  /// Its settings, but for ``Setting/reduction``, which all have.
  package let settings: [Setting]
  /// Its names in other libraries; nil where they have none.
  package let pyTorch, keras, fastai: String?
  private let make: @Sendable (Values) -> Loss

  init(
    _ name: String, _ settings: [Setting] = [], pyTorch: String? = nil, keras: String? = nil,
    fastai: String? = nil, make: @escaping @Sendable (Values) -> Loss
  ) {
    self.name = name
    self.settings = settings + [.reduction]
    (self.pyTorch, self.keras, self.fastai) = (pyTorch, keras, fastai)
    self.make = make
  }

  /// All, in the order of help.
  package static let all = classes + binaries + values + segmentations + embeddings + sequences

  /// As in `huber:delta=x`, but for the reduction.
  package var usage: String {
    CrestTensor.usage(of: name, settings.dropLast().map { ($0.name, $0.kind.placeholder) })
  }

  /// The loss of some settings; the others are as in its own function.
  ///
  /// - Throws: ``LossError`` for a setting that isn't there, or a value that it can't have.
  package func loss(_ settings: [(key: String, value: String)] = []) throws(LossError) -> Loss {
    var texts: [String: String] = [:]
    for (key, value) in settings {
      guard let setting = self.settings.first(where: { $0.name == key }) else {
        throw .unknownSetting(loss: name, setting: key, known: self.settings.map(\.name))
      }
      guard setting.kind.accepts(value) else {
        throw .setting(loss: name, setting: key, value: value, expected: setting.kind.expected)
      }
      texts[key] = value
    }
    let values = Values(texts: texts)
    return make(values).reduced(by: values.choice(Setting.reduction) ?? .mean)
  }
}

extension NamedLoss {
  /// A setting of a loss.
  package struct Setting: Sendable {
    /// The type of its value.
    package enum Kind: Sendable {
      case number(NumberRange)
      /// Numbers with a / between them.
      case numbers(NumberRange)
      case wholeNumber(ClosedRange<Int>)
      case flag
      case choice([String])
    }

    package let name: String
    package let kind: Kind

    init(_ name: String, _ kind: Kind) {
      self.name = name
      self.kind = kind
    }

    static let reduction = Setting("reduction", .choice(Loss.Reduction.allCases.map(\.rawValue)))
    static let classWeights = Setting("class-weights", .numbers(.notNegative))
    static let ignoredLabel = Setting("ignored-label", .wholeNumber(Loss.labelRange))
    static let labelSmoothing = Setting("label-smoothing", .number(.fraction))
    static let smooth = Setting("smooth", .number(.notNegative))
    static let perBatch = Setting("per-batch", .flag)
  }

  /// Settings as they were given, each checked.
  struct Values: Sendable {
    fileprivate let texts: [String: String]

    func number(_ name: String) -> Double? { texts[name].flatMap(Double.init) }
    func numbers(_ name: String) -> [Double]? { texts[name].map(Setting.Kind.numbers(in:)) }
    func wholeNumber(_ name: String) -> Int? { texts[name].flatMap { Int($0) } }
    func flag(_ name: String) -> Bool? { texts[name].flatMap(Bool.init) }
    func choice<Choice: RawRepresentable<String>>(_ setting: Setting) -> Choice? {
      texts[setting.name].flatMap(Choice.init)
    }
    var classWeights: [Float]? { numbers(Setting.classWeights.name)?.map { Float($0) } }
    var ignoredLabel: Int? { wholeNumber(Setting.ignoredLabel.name) }
  }
}

extension NamedLoss.Setting.Kind {
  /// Whether a text is such a value.
  func accepts(_ text: String) -> Bool {
    switch self {
    case .number(let range): range.holds(text)
    case .numbers(let range):
      text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(range.holds)
        && Self.numbers(in: text).contains { Float($0) > 0 }
    case .wholeNumber(let range): Int(text).map(range.contains) ?? false
    case .flag: Bool(text) != nil
    case .choice(let names): names.contains(text)
    }
  }

  fileprivate static func numbers(in text: String) -> [Double] {
    text.split(separator: "/").compactMap { Double($0) }
  }

  /// The expected value, for messages.
  package var expected: String {
    switch self {
    case .number(let range): "a number \(range.words)"
    case .numbers(let range):
      "numbers \(range.words), \(range.contains(0) ? "not all 0, " : "")with / between them"
    case .wholeNumber(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
    case .flag: "true or false"
    case .choice(let names): names.joined(separator: " or ")
    }
  }

  /// The placeholder for a value in help.
  package var placeholder: String {
    switch self {
    case .number: "x"
    case .numbers: "x/x…"
    case .wholeNumber: "n"
    case .flag: "true|false"
    case .choice(let names): names.joined(separator: "|")
    }
  }
}

extension NumberRange {
  static let fraction = NumberRange("in 0 … 1") { $0 >= 0 && $0 <= 1 }
  static let innerFraction = NumberRange("between 0 and 1") { $0 > 0 && $0 < 1 }
  static let positive = NumberRange("above 0") { $0 > 0 && $0.isFinite }
  static let notNegative = NumberRange("not below 0") { $0 >= 0 && $0.isFinite }
  static let cosine = NumberRange("in -1 … 1") { $0 >= -1 && $0 <= 1 }

  /// Whether a text is such a number, also as `float32`, in which losses are computed.
  fileprivate func holds(_ text: some StringProtocol) -> Bool {
    Double(text).map { contains($0) && contains(Double(Float($0))) } ?? false
  }
}

extension Loss {
  /// The labels that may be ignored: those that `float32` tells apart.
  package static let labelRange = -(1 << 24)...1 << 24

  /// The losses that the command knows by name, with the settings that they have unless told otherwise.
  public static let all = NamedLoss.all.map { row in
    do throws(LossError) {
      return try row.loss()
    } catch {
      programmerError("\(error)")
    }
  }

  /// The loss of a name, as `cross-entropy`, and of settings, as `label-smoothing` of `0.1`.
  ///
  /// - Throws: ``LossError/unknownName(_:)`` listing the known ones, ``LossError`` for settings that it hasn't.
  public static func named(
    _ name: String, settings: [(key: String, value: String)] = []
  ) throws(LossError) -> Loss {
    guard let row = NamedLoss.all.first(where: { $0.name == name }) else {
      throw .unknownName(name)
    }
    return try row.loss(settings)
  }
}
