public import CrestOptimizers
import CrestTensor

extension Schedule {
  /// A plot of a schedule over the steps of a run.
  ///
  /// ```swift
  /// let schedule = try Schedule.warmUp(steps: 100, then: .cosine(from: 0.1, to: 0))
  /// print(schedule.plot(steps: 1000).terminal())
  /// ```
  ///
  /// fastai's `plot_sched`.
  public struct Plot: Sendable {
    let schedule: Schedule
    let steps: Int

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

    /// Returns the plot as a complete SVG 1.1 document, which refers to nothing outside itself.
    ///
    /// - Parameters:
    ///   - title: The title above the curve; any text.
    ///   - width: In pixels at the natural size.
    ///   - height: In pixels at the natural size.
    /// - Returns: The document, ending in a line feed.
    /// - Precondition: `width` is at least 320 and `height` at least 200.
    public func svg(
      title: String = "Learning-rate schedule", width: Int = 720, height: Int = 432
    ) -> String {
      curve.svg(title: title, width: width, height: height)
    }

    /// Some of the steps, the first and the last among them.
    private var curve: CurvePlot {
      let count = min(steps, 1000)
      let shown = (0..<count).map { count == 1 ? 0 : $0 * (steps - 1) / (count - 1) }
      return CurvePlot(
        points: shown.map { step in
          let value = schedule.value(step: step, total: steps)
          return CurvePlot.Point(x: Double(step), raw: value, smoothed: value)
        }, scale: .linear, title: "value", axis: "step", nothing: "no step to draw", marks: [])
    }
  }

  /// A plot over the steps of a run.
  ///
  /// - Precondition: `steps` is from 1 to 2³².
  public func plot(steps: Int) -> Plot {
    programmerError(
      unless: (1...1 << 32).contains(steps), "a schedule was drawn over \(steps) steps")
    return Plot(schedule: self, steps: steps)
  }
}
