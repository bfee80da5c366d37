import CrestOptimizers
import CrestPlatform
import CrestTensor

extension LRFinder.Plot {
  /// Returns the plot as a complete SVG 1.1 document.
  ///
  /// The raw losses are faint, the smoothed ones strong; each suggestion is a dot on the curve, or
  /// above its rate when it is beyond the curve. The document refers to nothing outside itself.
  ///
  /// - Parameters:
  ///   - title: The title above the curve; any text.
  ///   - width: In pixels at the natural size.
  ///   - height: In pixels at the natural size.
  /// - Returns: The document, ending in a line feed.
  /// - Precondition: `width` is at least 320 and `height` at least 200.
  public func svg(
    title: String = "Learning rate range test", width: Int = 720, height: Int = 432
  ) -> String {
    programmerError(
      unless: width >= 320 && height >= 200,
      "a plot of \(width) by \(height) pixels is not readable; at least 320 by 200")
    let drawing = SVGDrawing(curve: curve, width: Double(width), height: Double(height))
    return SVG.document(
      title: title, width: drawing.width, height: drawing.height,
      drawing.elements(title: title, suggestions))
  }
}

private struct SVGDrawing {
  let curve: LRFinder.Plot.Curve?
  let width: Double
  let height: Double

  // The frame of the curve, within room for the labels.
  private var left: Double { 64 }
  private var right: Double { width - 16 }
  private var top: Double { 40 }
  private var bottom: Double { height - 56 }

  /// One a method.
  private static let colours = [SVG.vermilion, SVG.green, SVG.purple, SVG.orange]

  func elements(
    title: String,
    _ suggestions: [(
      method: LearningRateFindings.Suggestion.Method, outcome: LearningRateFindings.Suggestion
    )]
  ) -> [String] {
    var out = [SVG.text(title, (left + right) / 2, 24, anchor: "middle", size: 15)]
    guard let curve else {
      return out + [SVG.text("no finite loss to draw", width / 2, height / 2, anchor: "middle")]
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
    let curve: LRFinder.Plot.Curve
    let losses: LRFinder.Plot.Span
    private let drawing: SVGDrawing

    init(_ drawing: SVGDrawing, _ curve: LRFinder.Plot.Curve) {
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

  private func grid(_ frame: Frame) -> [String] {
    var out: [String] = []
    for decade in PlotNumber.decades(in: frame.curve.rates, count: 12) {
      let x = frame.x(Double(decade))
      out.append(SVG.line(x, top, x, bottom, "stroke=\"#ddd\""))
      out.append(
        "<text x=\"\(SVG.number(x))\" y=\"\(SVG.number(bottom + 18))\" text-anchor=\"middle\">10"
          + "<tspan dy=\"-4\" font-size=\"9\">\(decade)</tspan></text>")
    }
    for tick in PlotNumber.ticks(in: frame.losses, count: 5) {
      let y = frame.y(tick.value)
      out.append(SVG.line(left, y, right, y, "stroke=\"#ddd\""))
      out.append(SVG.text(tick.text, left - 6, y + 4, anchor: "end"))
    }
    out.append(
      SVG.rectangle(left, top, right - left, bottom - top, " fill=\"none\" stroke=\"#222\""))
    out.append(SVG.text("learning rate", (left + right) / 2, bottom + 36, anchor: "middle"))
    out.append(SVG.upward("loss", 16, (top + bottom) / 2))
    return out
  }

  private func curves(_ frame: Frame) -> [String] {
    func path(
      _ loss: (LearningRateFindings.Point) -> Double, _ attributes: String
    ) -> String {
      let points = frame.curve.points.map { point in
        // A raw loss may be far outside of the page; beyond one page it cannot be seen anyway.
        let y = min(2 * height, max(-height, frame.y(loss(point))))
        return (x: frame.x(log10(point.rate)), y: y)
      }
      return SVG.polyline(
        points, "stroke=\"\(SVG.blue)\" clip-path=\"url(#frame)\" \(attributes)")
    }
    return [
      "<clipPath id=\"frame\">\(SVG.rectangle(left, top, right - left, bottom - top))</clipPath>",
      path(\.loss, "stroke-opacity=\"0.3\""),
      path(\.smoothedLoss, "stroke-width=\"2\""),
    ]
  }

  private func marks(
    _ frame: Frame,
    _ suggestions: [(
      method: LearningRateFindings.Suggestion.Method, outcome: LearningRateFindings.Suggestion
    )]
  ) -> [String] {
    zip(suggestions, Self.colours).flatMap { suggestion, colour -> [String] in
      guard let rate = suggestion.outcome.rate else { return [] }
      let x = min(right, max(left, frame.x(log10(rate))))
      let y = frame.y(frame.curve.smoothedLoss(at: rate))
      return [
        SVG.line(x, y, x, bottom, "stroke=\"\(colour)\" stroke-dasharray=\"3 3\""),
        SVG.circle(x, y, "fill=\"\(colour)\" stroke=\"#fff\""),
      ]
    }
  }

  private func legend(
    _ suggestions: [(
      method: LearningRateFindings.Suggestion.Method, outcome: LearningRateFindings.Suggestion
    )]
  ) -> [String] {
    // At the bottom left, where the curve of a test is not: it begins high.
    zip(suggestions, Self.colours).enumerated().flatMap { row, entry -> [String] in
      let (suggestion, colour) = entry
      let y = bottom - 12 - 17 * Double(suggestions.count - 1 - row)
      let value = suggestion.outcome.rate.map(PlotNumber.scientific) ?? suggestion.outcome.reason
      return [
        SVG.circle(left + 14, y - 4, "fill=\"\(colour)\""),
        SVG.text("\(suggestion.method.label): \(value)", left + 25, y, anchor: "start"),
      ]
    }
  }
}

extension LearningRateFindings.Suggestion {
  /// The outcome without a rate, short enough for a legend.
  fileprivate var reason: String {
    if case .notEnoughPoints(let needed, let got) = self {
      return "not enough points (\(got) of \(needed))"
    }
    return description
  }
}
