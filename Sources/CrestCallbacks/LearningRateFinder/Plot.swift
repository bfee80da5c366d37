public import CrestOptimizers
import CrestPlatform

extension LRFinder {
  /// A plot of a learning-rate range test: the loss over the logarithm of the learning rate, with
  /// what each method suggests.
  ///
  /// As in fastai's plot, the last five points and all from the first loss on that is not finite are
  /// left out: there the loss diverges and would flatten everything else.
  public struct Plot: Sendable {
    let findings: LearningRateFindings

    /// Creates a plot of findings.
    public init(_ findings: LearningRateFindings) {
      self.findings = findings
    }

    /// The characters that a plot in a terminal may use.
    public enum Characters: Sendable {
      /// Braille patterns, eight points a cell, and box drawing.
      case unicode

      /// ASCII only, one point a cell.
      case ascii
    }

    /// Returns the plot as lines of text, each ending in a line feed.
    ///
    /// Below the axis, each suggestion points at its rate; a method without one says why.
    ///
    /// - Parameters:
    ///   - width: Columns in all.
    ///   - height: Rows of the curve itself.
    ///   - characters: What may be used.
    /// - Returns: The lines; one that says so when no loss is finite.
    /// - Precondition: `width` is at least 40 and `height` at least 4.
    public func terminal(
      width: Int = 80, height: Int = 12, characters: Characters = .unicode
    ) -> String {
      curve.terminal(width: width, height: height, characters: characters)
    }

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
      curve.svg(title: title, width: width, height: height)
    }

    /// What there is to draw; no points when no loss is finite.
    private var curve: CurvePlot {
      // Not finite, or so large that differences of losses would not be.
      let drawable = findings.points.prefix { abs($0.smoothedLoss) < 1e300 && abs($0.loss) < 1e300 }
      let points = drawable.prefix(max(findings.points.count - 5, 1))
      return CurvePlot(
        points: points.map { point in
          CurvePlot.Point(x: log10(point.rate), raw: point.loss, smoothed: point.smoothedLoss)
        }, scale: .logarithmic, title: "loss", nothing: "no finite loss to draw",
        marks: LearningRateFindings.Suggestion.Method.allCases.map { method in
          let suggestion = findings.suggestion(method)
          let value = suggestion.rate.map(PlotNumber.scientific)
          return CurvePlot.Mark(
            x: suggestion.rate.map { log10($0) }, name: method.label,
            value: value ?? "\(suggestion)", shortValue: value ?? suggestion.reason)
        })
    }
  }
}

extension LearningRateFindings.Suggestion.Method {
  /// The method's name in a legend.
  fileprivate var label: String { self == .minimum ? "minimum/10" : rawValue }
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
