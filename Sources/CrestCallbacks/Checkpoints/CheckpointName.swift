import CrestState
import CrestTraining

/// The name of a checkpoint's file with places for numbers.
///
/// `{step}` and `{epoch}` are replaced by the optimiser steps in all fits and the epochs of the fit that are
/// done, `{train_loss}`, `{valid_loss}` and metrics by their values; `{step:10}` is padded with zeros to ten
/// digits, `{valid_loss:4}` has four after the point.
struct CheckpointName: Sendable, Hashable {
  private enum Part: Sendable, Hashable {
    case text(String)
    case count(Count, width: Int)
    case value(Monitor, digits: Int)

    /// The longest text it may stand for: a count has 19 digits, a value 6 before the point and 9 behind it.
    var mostBytes: Int {
      switch self {
      case .text(let text): text.utf8.count
      case .count, .value: 20
      }
    }
  }

  private enum Count: String { case step, epoch }

  let template: String
  private let parts: [Part]

  /// Whether it is the same at any moment.
  var isFixed: Bool {
    parts.allSatisfy { part in
      if case .text = part { true } else { false }
    }
  }

  /// The results of an epoch that it shows.
  var monitors: [Monitor] {
    parts.compactMap { part in
      if case .value(let monitor, _) = part { monitor } else { nil }
    }
  }

  init(_ template: String, callback: String) throws(CallbackError) {
    let failure = CallbackError.outOfRange(
      callback: callback, parameter: "name", value: "\"\(template)\"",
      expected: "a file name without a folder, with fields as in {step:10} or {valid_loss:4}")
    var parts: [Part] = []
    var rest = template[...]
    while let open = rest.firstIndex(of: "{") {
      if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
      guard let close = rest[open...].firstIndex(of: "}") else { throw failure }
      let place = rest[rest.index(after: open)..<close].split(
        separator: ":", omittingEmptySubsequences: false)
      let number = place.count == 2 ? Int(place[1]) : 0
      guard (1...2).contains(place.count), !place[0].isEmpty, let number,
        (0...9).contains(number) || Count(rawValue: String(place[0])) != nil && number <= 20
      else { throw failure }
      if let count = Count(rawValue: String(place[0])) {
        parts.append(.count(count, width: number))
      } else {
        parts.append(.value(Monitor(String(place[0])), digits: place.count == 2 ? number : 4))
      }
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    let texts = parts.map { part in
      if case .text(let text) = part { text } else { "" }
    }.joined()
    guard !parts.isEmpty, !template.hasPrefix("."), !texts.contains(where: { "/{}\0".contains($0) })
    else { throw failure }
    let byteCount = parts.reduce(0) { $0 + $1.mostBytes }
    let most = CheckpointFolder.longestName
    try CallbackError.require(
      byteCount <= most, "name", "\"\(template)\"",
      "at most \(most) bytes, which may be \(byteCount)", of: callback)
    self.template = template
    self.parts = parts
  }

  /// The name at a moment.
  func name(step: Int, epoch: Int, value: (Monitor) -> Double?) -> String {
    parts.map { part in
      switch part {
      case .text(let text): return text
      case .count(let count, let width):
        let digits = "\(count == .step ? step : epoch)"
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
      case .value(let monitor, let digits):
        return value(monitor).map { PlotNumber.decimal($0, places: digits) } ?? "none"
      }
    }.joined()
  }
}
