import CrestCallbacks

/// The accuracy over the epochs of recipes with the same budget, each with a line a seed and their
/// mean.
struct AccuracyChart {
  struct Series {
    let title: String
    let colour: String
    /// The accuracy after each epoch, by run.
    let runs: [[Double]]

    /// The mean over the runs after each epoch.
    var mean: [Double] {
      runs[0].indices.map { epoch in
        runs.map { $0[epoch] }.reduce(0, +) / Double(runs.count)
      }
    }
  }

  let title: String
  /// The accuracies at the bottom and the top, in percent, and the distance of the lines between.
  let bottom, top, step: Int
  let series: [Series]

  private static let width = 720.0
  private static let height = 432.0
  private static let frame = (left: 64.0, top: 40.0, right: 704.0, bottom: 376.0)

  /// A complete SVG document.
  var svg: String {
    let frame = Self.frame
    let middle = (frame.left + frame.right) / 2
    var out = [
      SVG.text(title, middle, 24, anchor: "middle", size: 15),
      SVG.text("epochs", middle, frame.bottom + 36, anchor: "middle"),
      SVG.upward("accuracy on the test set, %", 20, (frame.top + frame.bottom) / 2),
      "<clipPath id=\"frame\">"
        + SVG.rectangle(
          frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top)
        + "</clipPath>",
    ]
    for percent in stride(from: bottom, through: top, by: step) {
      let y = y(Double(percent) / 100)
      out.append(SVG.line(frame.left, y, frame.right, y, "stroke=\"#ddd\""))
      out.append(SVG.text("\(percent)", frame.left - 6, y + 4, anchor: "end"))
    }
    for epoch in stride(from: epochs > 12 ? 5 : 2, through: epochs, by: epochs > 12 ? 5 : 2) {
      out.append(SVG.text("\(epoch)", x(epoch), frame.bottom + 18, anchor: "middle"))
    }
    out.append(
      SVG.rectangle(
        frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top,
        " fill=\"none\" stroke=\"#222\""))
    // Means over all single runs.
    for series in series where series.runs.count > 1 {
      out += series.runs.map { line($0, series.colour, "stroke-opacity=\"0.3\"") }
    }
    out += series.map { line($0.mean, $0.colour, "stroke-width=\"2\"") }
    for (row, series) in series.enumerated() {
      // At the bottom right, where curves that rise are not.
      let y = frame.bottom - 14 - 18 * Double(self.series.count - 1 - row)
      out.append(
        SVG.line(
          frame.right - 300, y - 4, frame.right - 276, y - 4,
          "stroke=\"\(series.colour)\" stroke-width=\"2\""))
      out.append(SVG.text(series.title, frame.right - 268, y, anchor: "start"))
    }
    return SVG.document(title: title, width: Self.width, height: Self.height, out)
  }

  private var epochs: Int { series.map { $0.runs[0].count }.max() ?? 1 }

  private func line(_ accuracies: [Double], _ colour: String, _ attributes: String) -> String {
    SVG.polyline(
      accuracies.enumerated().map { (x: x($0.offset + 1), y: y($0.element)) },
      "stroke=\"\(colour)\" clip-path=\"url(#frame)\" \(attributes)")
  }

  private func x(_ epoch: Int) -> Double {
    Self.frame.left + Double(epoch) / Double(epochs) * (Self.frame.right - Self.frame.left)
  }

  private func y(_ accuracy: Double) -> Double {
    let part = (100 * accuracy - Double(bottom)) / Double(top - bottom)
    // A loss of all that was learned may lie far below, where the frame cuts it off.
    return Self.frame.bottom - max(-1, part) * (Self.frame.bottom - Self.frame.top)
  }
}
