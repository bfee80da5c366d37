import CrestPlatform
import CrestTensor

extension CurvePlot {
  /// The plot as a complete SVG 1.1 document, which refers to nothing outside itself and ends in a line feed.
  func svg(title: String, width: Int, height: Int) -> String {
    programmerError(
      unless: width >= 320 && height >= 200,
      "a plot of \(width) by \(height) pixels is not readable; at least 320 by 200")
    let drawing = SVGDrawing(plot: self, width: Double(width), height: Double(height))
    return SVG.document(
      title: title, width: drawing.width, height: drawing.height, drawing.elements(title: title))
  }
}

private struct SVGDrawing {
  let plot: CurvePlot
  let width: Double
  let height: Double

  // The frame of the curve, within room for the labels.
  private var left: Double { 64 }
  private var right: Double { width - 16 }
  private var top: Double { 40 }
  private var bottom: Double { height - 56 }

  /// One a method.
  private static let colours = [SVG.vermilion, SVG.green, SVG.purple, SVG.orange]

  func elements(title: String) -> [String] {
    var out = [SVG.text(title, (left + right) / 2, 24, anchor: "middle", size: 15)]
    guard !plot.points.isEmpty else {
      return out + [SVG.text(plot.nothing, width / 2, height / 2, anchor: "middle")]
    }
    let frame = Frame(self, plot)
    out += grid(frame)
    out += curves(frame)
    out += marks(frame)
    out += legend(frame)
    return out
  }

  /// The curve's intervals on the page, with some air above and below.
  struct Frame {
    let plot: CurvePlot
    let horizontal: CurvePlot.Span
    let heights: CurvePlot.Span
    private let drawing: SVGDrawing

    init(_ drawing: SVGDrawing, _ plot: CurvePlot) {
      // What is measured lies below a smoothed loss, which lags, and is shown; above, it soon runs away.
      let curve = plot.vertical
      let range = curve.upper - curve.lower
      let shown = (curve.lower - range)...(curve.upper + range / 4)
      let raw = plot.points.map(\.raw).filter(shown.contains)
      let lower = min(curve.lower, raw.min() ?? curve.lower)
      let upper = max(curve.upper, raw.max() ?? curve.upper)
      let air = (upper - lower) * 0.05
      self.plot = plot
      self.drawing = drawing
      horizontal = plot.horizontal
      heights = .init(lower - air, upper + air)
    }

    func x(_ place: Double) -> Double {
      drawing.left + horizontal.position(place) * (drawing.right - drawing.left)
    }

    func y(_ height: Double) -> Double {
      drawing.bottom - heights.position(height) * (drawing.bottom - drawing.top)
    }
  }

  private func grid(_ frame: Frame) -> [String] {
    var out: [String] = []
    for tick in plot.ticks(count: 12) {
      let x = frame.x(tick.x)
      out.append(SVG.line(x, top, x, bottom, "stroke=\"#ddd\""))
      out.append(label(tick, x))
    }
    for tick in PlotNumber.ticks(in: frame.heights, count: 5) {
      let y = frame.y(tick.value)
      out.append(SVG.line(left, y, right, y, "stroke=\"#ddd\""))
      out.append(SVG.text(tick.text, left - 6, y + 4, anchor: "end"))
    }
    out.append(
      SVG.rectangle(left, top, right - left, bottom - top, " fill=\"none\" stroke=\"#222\""))
    out.append(SVG.text(plot.axis, (left + right) / 2, bottom + 36, anchor: "middle"))
    out.append(SVG.upward(plot.title, 16, (top + bottom) / 2))
    return out
  }

  /// A tick's label; a power of ten as one.
  private func label(_ tick: (text: String, x: Double), _ x: Double) -> String {
    guard plot.scale == .logarithmic else {
      return SVG.text(tick.text, x, bottom + 18, anchor: "middle")
    }
    return "<text x=\"\(SVG.number(x))\" y=\"\(SVG.number(bottom + 18))\" text-anchor=\"middle\">10"
      + "<tspan dy=\"-4\" font-size=\"9\">\(Int(tick.x))</tspan></text>"
  }

  private func curves(_ frame: Frame) -> [String] {
    func path(_ height: (CurvePlot.Point) -> Double, _ attributes: String) -> String {
      let points = plot.points.map { point in
        // A raw loss may be far outside of the page; beyond one page it cannot be seen anyway.
        let y = min(2 * self.height, max(-self.height, frame.y(height(point))))
        return (x: frame.x(point.x), y: y)
      }
      return SVG.polyline(
        points, "stroke=\"\(SVG.blue)\" clip-path=\"url(#frame)\" \(attributes)")
    }
    return [
      "<clipPath id=\"frame\">\(SVG.rectangle(left, top, right - left, bottom - top))</clipPath>",
      path(\.raw, "stroke-opacity=\"0.3\""),
      path(\.smoothed, "stroke-width=\"2\""),
    ]
  }

  private func marks(_ frame: Frame) -> [String] {
    zip(plot.marks, Self.colours).flatMap { mark, colour -> [String] in
      guard let place = mark.x else { return [] }
      let x = min(right, max(left, frame.x(place)))
      let y = frame.y(plot.height(at: place))
      return [
        SVG.line(x, y, x, bottom, "stroke=\"\(colour)\" stroke-dasharray=\"3 3\""),
        SVG.circle(x, y, "fill=\"\(colour)\" stroke=\"#fff\""),
      ]
    }
  }

  private func legend(_ frame: Frame) -> [String] {
    // In a corner where the curve is not: the loss of a finder begins high, so at the bottom left; accuracy ends low
    // at the right, or high.
    let isHigh = plot.points.suffix((plot.points.count + 2) / 3).allSatisfy {
      frame.heights.position($0.smoothed) > 0.5
    }
    let (x, first) =
      plot.scale == .logarithmic
      ? (left, bottom - 12 - 17 * Double(plot.marks.count - 1))
      : (right - 200, isHigh ? bottom - 12 - 17 * Double(plot.marks.count - 1) : top + 20)
    return zip(plot.marks, Self.colours).enumerated().flatMap { row, entry -> [String] in
      let (mark, colour) = entry
      let y = first + 17 * Double(row)
      return [
        SVG.circle(x + 14, y - 4, "fill=\"\(colour)\""),
        SVG.text("\(mark.name): \(mark.shortValue)", x + 25, y, anchor: "start"),
      ]
    }
  }
}
