package import CrestTensor

/// An augmentation that has a name on the command line: a row for each.
package struct NamedAugmentation: Sendable {
  /// What a row makes.
  package enum Made: Sendable {
    case transform(any Transform)
    case mixing(Mixing)
  }

  /// A value of a setting that doesn't go with another's.
  package struct Fault: Error {
    package let setting: String
    package let value: String
    package let expected: String
  }

  /// The name, as in the command's `--augment`.
  package let name: String
  package let settings: [Setting]
  /// Its names in other libraries; nil where they have none.
  package let torchvision, keras, fastai: String?
  private let body: @Sendable (Values) throws(Fault) -> Made

  init(
    _ name: String, _ settings: [Setting] = [], torchvision: String? = nil, keras: String? = nil,
    fastai: String? = nil, make: @escaping @Sendable (Values) throws(Fault) -> Made
  ) {
    (self.name, self.settings, body) = (name, settings, make)
    (self.torchvision, self.keras, self.fastai) = (torchvision, keras, fastai)
  }

  /// As in `crop:padding=n,border=zero|reflection`.
  package var usage: String {
    CrestTensor.usage(of: name, settings.map { ($0.name, $0.kind.placeholder) })
  }

  /// Makes it; what isn't given is as in the type's own initialiser.
  ///
  /// - Parameter settings: Values that their settings accept.
  /// - Returns: The transform, or how examples are mixed.
  /// - Throws: ``Fault`` for one that doesn't go with another.
  package func make(_ settings: [String: String]) throws(Fault) -> Made {
    try body(Values(texts: settings))
  }

  /// Settings as they were given, each checked.
  struct Values: Sendable {
    fileprivate let texts: [String: String]

    func number(_ setting: Setting) -> Double? { texts[setting.name].flatMap(Double.init) }
    func wholeNumber(_ setting: Setting) -> Int? {
      texts[setting.name].flatMap { Int($0) }
    }
    func flag(_ name: String) -> Bool? { texts[name].flatMap(Bool.init) }
    func choice<Choice: RawRepresentable<String>>(_ name: String) -> Choice? {
      texts[name].flatMap(Choice.init)
    }

    /// The numbers between two settings, of which each has a default.
    func range(
      _ low: Setting, _ high: Setting, _ own: ClosedRange<Double>
    ) throws(Fault) -> ClosedRange<Double> {
      let (least, most) = (number(low) ?? own.lowerBound, number(high) ?? own.upperBound)
      guard least <= most else {
        throw number(high) == nil
          ? Fault(
            setting: low.name, value: "\(least)", expected: "a number up to \(high.name), \(most)")
          : Fault(
            setting: high.name, value: "\(most)",
            expected: "a number from \(low.name), \(least), up")
      }
      return least...most
    }
  }
}

extension NamedAugmentation {
  /// A setting of an augmentation.
  package struct Setting: Sendable {
    /// The type of its value.
    package enum Kind: Sendable {
      case number(NumberRange)
      case wholeNumber(NumberRange)
      case flag
      case choice([String])

      /// Whether a text is such a value.
      package func accepts(_ text: String) -> Bool {
        switch self {
        case .number(let range): Double(text).map(range.contains) ?? false
        case .wholeNumber(let range): Int(text).map { range.contains(Double($0)) } ?? false
        case .flag: Bool(text) != nil
        case .choice(let names): names.contains(text)
        }
      }

      /// The expected value, for messages.
      package var expected: String {
        switch self {
        case .number(let range): "a number \(range.words)"
        case .wholeNumber(let range): "an integer \(range.words)"
        case .flag: "true or false"
        case .choice(let names): names.joined(separator: " or ")
        }
      }

      /// The placeholder for a value in help.
      package var placeholder: String {
        switch self {
        case .number: "x"
        case .wholeNumber: "n"
        case .flag: "true|false"
        case .choice(let names): names.joined(separator: "|")
        }
      }
    }

    package let name: String
    package let kind: Kind

    init(_ name: String, _ kind: Kind) { (self.name, self.kind) = (name, kind) }

    static let probability = Setting("probability", .number(.share))
    static let padding = Setting(
      "padding", .choice(ImagePadding.allCases.map(\.rawValue)))
    static let formula = Setting("formula", .choice(ColourFormula.allCases.map(\.rawValue)))
    static let change = Setting("change", .number(.belowOne))
    static let leastShare = Setting("min-scale", .number(.positiveShare))
    static let mostShare = Setting("max-scale", .number(.positiveShare))
    static let ratio = Setting("ratio", .number(.aspect))
    static let alpha = Setting("alpha", .number(.concentration))
  }
}
