public import CrestOptimizers

extension RangeTest {
  /// A plot of a range test: held-out accuracy over the learning rate, with the rates that were read from it.
  ///
  /// Of several seeds, the mean of their curves; what each says is in ``RangeTest/readings``.
  public struct Plot: Sendable {
    private let test: RangeTest

    /// A plot of a test.
    public init(_ test: RangeTest) { self.test = test }

    /// Returns the plot as lines of text, each ending in a line feed.
    ///
    /// - Parameters:
    ///   - width: Columns in all.
    ///   - height: Rows of the curve itself.
    ///   - characters: What may be used.
    /// - Returns: The lines.
    /// - Precondition: `width` is at least 40 and `height` at least 4.
    public func terminal(
      width: Int = 80, height: Int = 12, characters: LRFinder.Plot.Characters = .unicode
    ) -> String {
      curve.terminal(width: width, height: height, characters: characters)
    }

    /// Returns the plot as a complete SVG 1.1 document.
    ///
    /// - Parameters:
    ///   - title: The title above the curve; any text.
    ///   - width: In pixels at the natural size.
    ///   - height: In pixels at the natural size.
    /// - Returns: The document, ending in a line feed.
    /// - Precondition: `width` is at least 320 and `height` at least 200.
    public func svg(
      title: String = "Range test", width: Int = 720, height: Int = 432
    ) -> String {
      curve.svg(title: title, width: width, height: height)
    }

    private var curve: CurvePlot {
      let curves = test.curves
      func mean(_ value: (Curve) -> Double) -> Double {
        curves.reduce(0) { $0 + value($1) } / Double(curves.count)
      }
      let smoothed = curves.map(\.smoothed)
      let points = curves[0].points.indices.map { place in
        CurvePlot.Point(
          x: curves[0].points[place].learningRate, raw: mean { $0.points[place].accuracy },
          smoothed: smoothed.reduce(0) { $0 + $1[place] } / Double(smoothed.count))
      }
      func mark(_ name: String, _ rate: Double?, otherwise: String) -> CurvePlot.Mark {
        let value = rate.map(PlotNumber.scientific) ?? otherwise
        return CurvePlot.Mark(x: rate, name: name, value: value, shortValue: value)
      }
      let peaks = test.readings.map(\.peakRate)
      return CurvePlot(
        points: points, scale: .linear, title: test.measure.name, nothing: "",
        marks: [
          mark("peak", peaks.reduce(0, +) / Double(peaks.count), otherwise: ""),
          mark("diverged", test.readings.compactMap(\.divergedRate).min(), otherwise: "never"),
          mark("max LR", test.maxLR, otherwise: "none"),
        ])
    }
  }

  /// A plot of the curves with the rates that were read from them.
  public var plot: Plot { Plot(self) }
}
