#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

import CrestOptimizers

extension LearningRatePlot {
  /// Returns the drawing as a complete SVG 1.1 document.
  ///
  /// The raw losses are faint, the smoothed ones strong; each suggestion is a dot on the curve, or
  /// above its rate when it is beyond the curve. The document refers to nothing outside itself.
  ///
  /// - Parameters:
  ///   - title: What stands above the curve; any text.
  ///   - width: In pixels at the natural size.
  ///   - height: In pixels at the natural size.
  /// - Returns: The document, ending in a line feed.
  /// - Precondition: `width` is at least 320 and `height` at least 200.
  public func svg(
    title: String = "Learning rate range test", width: Int = 720, height: Int = 432
  ) -> String {
    precondition(
      width >= 320 && height >= 200,
      "a plot of \(width) by \(height) pixels is not readable; at least 320 by 200")
    let drawing = SVGDrawing(curve: curve, width: Double(width), height: Double(height))
    return
      (["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
      + drawing.elements(title: title, suggestions)
      + ["</svg>"]).map { $0 + "\n" }.joined()
  }
}

private struct SVGDrawing {
  let curve: LearningRatePlot.Curve?
  let width: Double
  let height: Double

  // The frame of the curve, within room for the labels.
  private var left: Double { 64 }
  private var right: Double { width - 16 }
  private var top: Double { 40 }
  private var bottom: Double { height - 56 }

  /// Okabe and Ito's colours, which the colour-blind tell apart too; one a method.
  private static let colours = ["#D55E00", "#009E73", "#CC79A7", "#E69F00"]
  private static let curveColour = "#0072B2"

  func elements(
    title: String,
    _ suggestions: [(method: LearningRateSuggestion.Method, outcome: LearningRateSuggestion)]
  ) -> [String] {
    let size = "\(number(width)) \(number(height))"
    var out = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" "
        + "width=\"\(number(width))\" height=\"\(number(height))\" "
        + "viewBox=\"0 0 \(size)\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">",
      "<title>\(escaped(title))</title>",
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
      text(title, (left + right) / 2, 24, anchor: "middle", size: 15),
    ]
    guard let curve else {
      return out + [text("no finite loss to draw", width / 2, height / 2, anchor: "middle")]
    }
    let frame = Frame(self, curve)
    out += grid(frame)
    out += curves(frame)
    out += marks(frame, suggestions)
    out += legend(suggestions)
    return out
  }

  /// The curve's intervals on the page, with some air above and below.
  struct Frame {
    let curve: LearningRatePlot.Curve
    let losses: LearningRatePlot.Span
    private let drawing: SVGDrawing

    init(_ drawing: SVGDrawing, _ curve: LearningRatePlot.Curve) {
      // Raw losses lie below the smoothed ones, which lag, and are shown; above, they soon run away.
      let range = curve.losses.upper - curve.losses.lower
      let shown = (curve.losses.lower - range)...(curve.losses.upper + range / 4)
      let raw = curve.points.map(\.loss).filter(shown.contains)
      let lower = min(curve.losses.lower, raw.min() ?? curve.losses.lower)
      let upper = max(curve.losses.upper, raw.max() ?? curve.losses.upper)
      let air = (upper - lower) * 0.05
      self.curve = curve
      self.drawing = drawing
      losses = .init(lower - air, upper + air)
    }

    func x(_ logarithm: Double) -> Double {
      drawing.left + curve.rates.position(logarithm) * (drawing.right - drawing.left)
    }

    func y(_ loss: Double) -> Double {
      drawing.bottom - losses.position(loss) * (drawing.bottom - drawing.top)
    }
  }

  // MARK: Parts

  private func grid(_ frame: Frame) -> [String] {
    var out: [String] = []
    for decade in PlotNumber.decades(in: frame.curve.rates, count: 12) {
      let x = frame.x(Double(decade))
      out.append(line(x, top, x, bottom, "stroke=\"#ddd\""))
      out.append(
        "<text x=\"\(number(x))\" y=\"\(number(bottom + 18))\" text-anchor=\"middle\">10"
          + "<tspan dy=\"-4\" font-size=\"9\">\(decade)</tspan></text>")
    }
    for tick in PlotNumber.ticks(in: frame.losses, count: 5) {
      let y = frame.y(tick.value)
      out.append(line(left, y, right, y, "stroke=\"#ddd\""))
      out.append(text(tick.text, left - 6, y + 4, anchor: "end"))
    }
    out.append(
      "<rect x=\"\(number(left))\" y=\"\(number(top))\" width=\"\(number(right - left))\" "
        + "height=\"\(number(bottom - top))\" fill=\"none\" stroke=\"#222\"/>")
    out.append(text("learning rate", (left + right) / 2, bottom + 36, anchor: "middle"))
    let middle = (top + bottom) / 2
    out.append(
      "<text x=\"16\" y=\"\(number(middle))\" text-anchor=\"middle\" "
        + "transform=\"rotate(-90 16 \(number(middle)))\">loss</text>")
    return out
  }

  private func curves(_ frame: Frame) -> [String] {
    func path(
      _ loss: (LearningRateFindings.Point) -> Double, _ attributes: String
    ) -> String {
      let points = frame.curve.points.map { point in
        // A raw loss may be far outside of the page; beyond one page it cannot be seen anyway.
        let y = min(2 * height, max(-height, frame.y(loss(point))))
        return "\(number(frame.x(log10(point.rate)))),\(number(y))"
      }
      return "<polyline points=\"\(points.joined(separator: " "))\" fill=\"none\" "
        + "stroke=\"\(Self.curveColour)\" clip-path=\"url(#frame)\" \(attributes)/>"
    }
    return [
      "<clipPath id=\"frame\"><rect x=\"\(number(left))\" y=\"\(number(top))\" "
        + "width=\"\(number(right - left))\" height=\"\(number(bottom - top))\"/></clipPath>",
      path(\.loss, "stroke-opacity=\"0.3\""),
      path(\.smoothedLoss, "stroke-width=\"2\""),
    ]
  }

  private func marks(
    _ frame: Frame,
    _ suggestions: [(method: LearningRateSuggestion.Method, outcome: LearningRateSuggestion)]
  ) -> [String] {
    zip(suggestions, Self.colours).flatMap { suggestion, colour -> [String] in
      guard let rate = suggestion.outcome.rate else { return [] }
      let x = min(right, max(left, frame.x(log10(rate))))
      let y = frame.y(frame.curve.smoothedLoss(at: rate))
      return [
        line(x, y, x, bottom, "stroke=\"\(colour)\" stroke-dasharray=\"3 3\""),
        circle(x, y, "fill=\"\(colour)\" stroke=\"#fff\""),
      ]
    }
  }

  private func legend(
    _ suggestions: [(method: LearningRateSuggestion.Method, outcome: LearningRateSuggestion)]
  ) -> [String] {
    // At the bottom left, where the curve of a test is not: it begins high.
    zip(suggestions, Self.colours).enumerated().flatMap { row, entry -> [String] in
      let (suggestion, colour) = entry
      let y = bottom - 12 - 17 * Double(suggestions.count - 1 - row)
      let value = suggestion.outcome.rate.map(PlotNumber.scientific) ?? suggestion.outcome.reason
      return [
        circle(left + 14, y - 4, "fill=\"\(colour)\""),
        text("\(suggestion.method.label): \(value)", left + 25, y, anchor: "start"),
      ]
    }
  }

  // MARK: Elements

  private func text(
    _ content: String, _ x: Double, _ y: Double, anchor: String, size: Int = 12
  ) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" font-size=\"\(size)\">"
      + "\(escaped(content))</text>"
  }

  private func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ attributes: String
  ) -> String {
    "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" "
      + "x2=\"\(number(x2))\" y2=\"\(number(y2))\" \(attributes)/>"
  }

  private func circle(_ x: Double, _ y: Double, _ attributes: String) -> String {
    "<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"5\" \(attributes)/>"
  }

  /// A coordinate; a hundredth of a pixel is not seen.
  private func number(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    return hundredths % 100 == 0 ? "\(hundredths / 100)" : "\(Double(hundredths) / 100)"
  }

  /// The text with XML's special characters as entities, and U+FFFD for those that XML cannot hold
  /// at all.
  private func escaped(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      case "\t", "\n", "\r": String(scalar)
      case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": "\u{FFFD}"
      default: String(scalar)
      }
    }.joined()
  }
}

extension LearningRateSuggestion {
  /// The outcome without a rate, short enough for a legend.
  fileprivate var reason: String {
    if case .notEnoughPoints(let needed, let got) = self {
      return "not enough points (\(got) of \(needed))"
    }
    return description
  }
}
