import CrestPlatform

/// A curve over learning rates with marked rates, however it is drawn.
struct CurvePlot {
  /// A point: its place along the horizontal axis, what was measured there, and the smoothed curve's height.
  struct Point {
    let x: Double
    let raw: Double
    let smoothed: Double
  }

  /// A marked place on the horizontal axis, with its label; without a place, the label alone is shown.
  struct Mark {
    let x: Double?
    /// As in `valley`.
    let name: String
    /// As in `3.98e-4`, or why there is none.
    let value: String
    /// The value where there is little room.
    let shortValue: String
  }

  /// How the horizontal axis runs.
  enum Scale {
    /// Decimal logarithms.
    case logarithmic
    /// As they are.
    case linear
  }

  /// The points, at least one, in ascending order.
  let points: [Point]
  let scale: Scale
  /// What is measured, as in `loss`.
  let title: String
  /// What it is measured over.
  var axis = "learning rate"
  /// Said when there are no points.
  let nothing: String
  let marks: [Mark]

  /// The horizontal axis.
  var horizontal: Span { Span(points[0].x, points[points.count - 1].x) }

  /// The smoothed curve's heights.
  var vertical: Span {
    let heights = points.map(\.smoothed)
    return Span(heights.min() ?? 0, heights.max() ?? 0)
  }

  /// The smoothed curve's height at a place, on straight lines between the points; beyond the ends, that of the end.
  func height(at x: Double) -> Double {
    guard let after = points.firstIndex(where: { $0.x >= x }), after > 0 else {
      return (points[0].x >= x ? points[0] : points[points.count - 1]).smoothed
    }
    let (left, right) = (points[after - 1], points[after])
    return left.smoothed + (right.smoothed - left.smoothed) * (x - left.x) / (right.x - left.x)
  }

  /// The ticks of the horizontal axis, about `count` of them.
  func ticks(count: Int) -> [(text: String, x: Double)] {
    switch scale {
    case .logarithmic:
      PlotNumber.decades(in: horizontal, count: count).map { ("1e\($0)", Double($0)) }
    case .linear:
      PlotNumber.ticks(in: horizontal, count: count).map { ($0.text, $0.value) }
    }
  }

  /// An interval of an axis, never empty: one value (or what differs from it by rounding only) is
  /// drawn in the middle of an interval around it.
  struct Span {
    let lower: Double
    let upper: Double

    init(_ lower: Double, _ upper: Double) {
      let size = max(abs(lower), abs(upper))
      let margin = upper - lower > 1e-9 * size ? 0 : max(size * 0.1, 0.1)
      self.lower = lower - margin
      self.upper = upper + margin
    }

    /// Where a value is, 0 at the lower end and 1 at the upper.
    func position(_ value: Double) -> Double { (value - lower) / (upper - lower) }
  }
}
