import CrestTensor

/// A schedule by its name, with its settings: a row of what the command and the reference list.
///
/// Rates among its settings are multiples of the highest rate of the run.
package struct NamedSchedule: Sendable {
  /// Its name.
  package let name: String
  /// Its settings, in order.
  package let settings: [Setting]
  /// The name in PyTorch, timm or Hugging Face's transformers.
  package let pytorch: String?
  /// The name in Keras.
  package let keras: String?
  /// The name in fastai.
  package let fastai: String?
  private let schedule: @Sendable (Values) throws(ScheduleError) -> Schedule

  init(
    _ name: String, _ settings: [Setting] = [], pytorch: String? = nil, keras: String? = nil,
    fastai: String? = nil,
    schedule: @escaping @Sendable (Values) throws(ScheduleError) -> Schedule
  ) {
    self.name = name
    self.settings = settings
    self.pytorch = pytorch
    self.keras = keras
    self.fastai = fastai
    self.schedule = schedule
  }

  /// The schedule of these values.
  package func make(_ values: Values) throws(ScheduleError) -> Schedule { try schedule(values) }

  /// A setting of a schedule.
  package struct Setting: Sendable {
    /// Its name.
    package let name: String
    /// The type of its value.
    package let kind: Kind
    /// Its value unless another is given, as it is written; nil when there is none.
    package let standard: String?
    /// Whether it has to be given.
    package let isRequired: Bool

    init(_ name: String, _ kind: Kind, _ standard: String? = nil, isOptional: Bool = false) {
      self.name = name
      self.kind = kind
      self.standard = standard
      isRequired = standard == nil && !isOptional
    }
  }

  /// The settings as given, and the run they are for.
  package struct Values {
    /// The highest learning rate.
    let peak: Double
    /// The run's epochs and the optimiser steps of each.
    let epochs, stepsPerEpoch: Int
    /// The convention of a 1cycle policy.
    let convention: OneCycle.Convention
    /// The schedule that follows in a sequence.
    let next: Schedule?
    private let settings: [String: Value]

    /// Values of all settings but optional ones that aren't given.
    package init(
      _ settings: [String: Value], peak: Double, epochs: Int, stepsPerEpoch: Int,
      convention: OneCycle.Convention = .fastai, next: Schedule? = nil
    ) {
      self.settings = settings
      self.peak = peak
      self.epochs = epochs
      self.stepsPerEpoch = stepsPerEpoch
      self.convention = convention
      self.next = next
    }
  }

  /// The name of the setting that tells how long a part of a sequence lasts.
  package static let lengthSetting = Setting("for", .part, isOptional: true)
}

extension NamedSchedule {
  /// The type of a setting's value.
  package enum Kind: Sendable {
    case number
    /// A multiple of the highest rate.
    case multiple
    case flag
    case choice([String])
    /// As in `500steps`, `2epochs` or `0.25` of the run.
    case length
    /// A length within the run.
    case part
    /// Several lengths within the run, separated by `|`.
    case parts
    /// Multiples of the highest rate, separated by `|`.
    case multiples

    /// What is expected, for messages.
    package func expected(epochs: Int) -> String {
      let part = "a length as in 500steps, \(epochs)epochs or 0.25, within the run"
      let multiple = "a multiple of the highest rate, from 0 to 1"
      return switch self {
      case .number: "a number"
      case .multiple: multiple
      case .flag: "true or false"
      case .choice(let names): names.joined(separator: " or ")
      case .length: "a length as in 500steps, 2epochs or 0.25 of the run"
      case .part: part
      case .parts: "\(part), or several separated by |"
      case .multiples: "\(multiple), or several separated by |"
      }
    }

    /// The placeholder for a value in help.
    package var placeholder: String {
      switch self {
      case .number, .multiple: "x"
      case .flag: "true|false"
      case .choice(let names): names.joined(separator: "|")
      case .length, .part: "length"
      case .parts: "length|length…"
      case .multiples: "x|x…"
      }
    }

    /// The value that `text` says for a run of `epochs`; nil when it doesn't.
    package func value(of text: String, epochs: Int) -> Value? {
      func list<Element>(_ read: (Substring) -> Element?) -> [Element]? {
        let parts = text.split(separator: "|", omittingEmptySubsequences: false).map(read)
        let values = parts.compactMap(\.self)
        return values.count == parts.count ? values : nil
      }
      func multiple(_ text: Substring) -> Double? {
        Double(text).flatMap { (0...1).contains($0) ? $0 : nil }
      }
      func length(_ text: Substring) -> Schedule.Length? { Schedule.Length(text, epochs: epochs) }
      func part(_ text: Substring) -> Schedule.Length? {
        length(text).flatMap { if case .fraction(let part) = $0, part > 1 { nil } else { $0 } }
      }
      return switch self {
      case .number: Double(text).map { .numbers([$0]) }
      case .multiple: multiple(text[...]).map { .numbers([$0]) }
      case .flag: Bool(text).map { .text("\($0)") }
      case .choice(let names): names.contains(text) ? .text(text) : nil
      case .length: length(text[...]).map { .lengths([$0]) }
      case .part: part(text[...]).map { .lengths([$0]) }
      case .parts: list(part).map { .lengths($0) }
      case .multiples: list(multiple).map { .numbers($0) }
      }
    }
  }

  /// A setting's value.
  package enum Value: Sendable {
    case numbers([Double])
    case lengths([Schedule.Length])
    case text(String)
  }
}

extension NamedSchedule.Values {
  /// The number of a setting.
  func number(_ name: String) -> Double { numbers(name)[0] }

  /// The number of an optional setting; nil when it isn't given.
  func optionalNumber(_ name: String) -> Double? {
    if case .numbers(let numbers) = settings[name] { numbers[0] } else { nil }
  }

  func numbers(_ name: String) -> [Double] {
    guard case .numbers(let numbers) = settings[name] else { missing(name) }
    return numbers
  }

  /// The text of an optional setting; nil when it isn't given.
  func text(_ name: String) -> String? {
    if case .text(let text) = settings[name] { text } else { nil }
  }

  /// How long the part lasts; nil when that wasn't said.
  package var length: Schedule.Length? {
    if case .lengths(let lengths) = settings[NamedSchedule.lengthSetting.name] {
      lengths[0]
    } else {
      nil
    }
  }

  func lengths(_ name: String) -> [Schedule.Length] {
    guard case .lengths(let lengths) = settings[name] else { missing(name) }
    return lengths
  }

  /// A rate that is given as a multiple of the highest.
  func rate(_ name: String) -> Double { peak * number(name) }

  /// A length in whole steps of the run.
  func steps(_ name: String) -> Int { steps(lengths(name)[0]) }

  func steps(_ length: Schedule.Length) -> Int {
    let (total, isTooLarge) = epochs.multipliedReportingOverflow(by: stepsPerEpoch)
    return length.steps(of: isTooLarge ? .max / 4 : total) ?? 0
  }

  private func missing(_ name: String) -> Never {
    programmerError("the schedule has no value for its setting \(name)")
  }
}

extension Schedule.Length {
  /// Parses a length as in `500steps`, `2epochs` or `0.25` of a run; nil for any other text.
  fileprivate init?(_ text: Substring, epochs: Int) {
    let number = text.prefix { $0.isNumber || $0 == "." }
    switch text.dropFirst(number.count) {
    case "step", "steps":
      guard let count = Int(number) else { return nil }
      self = .steps(count)
    case "epoch", "epochs":
      guard let count = Double(number) else { return nil }
      self = .fraction(count / Double(epochs))
    default:
      guard let part = Double(text), part >= 0, part.isFinite else { return nil }
      self = .fraction(part)
    }
  }
}
