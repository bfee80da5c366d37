/// Parts of SVG 1.1 drawings as text, with coordinates in pixels.
package enum SVG {
  /// Okabe and Ito's colours, which the colour-blind tell apart too.
  package static let blue = "#0072B2"
  package static let vermilion = "#D55E00"
  package static let green = "#009E73"
  package static let purple = "#CC79A7"
  package static let orange = "#E69F00"

  /// A complete document that refers to nothing outside itself, ending in a line feed.
  package static func document(
    title: String, width: Double, height: Double, _ elements: [String]
  ) -> String {
    let size = "\(number(width)) \(number(height))"
    let lines =
      [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" "
          + "width=\"\(number(width))\" height=\"\(number(height))\" "
          + "viewBox=\"0 0 \(size)\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">",
        "<title>\(escaped(title))</title>",
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
      ] + elements + ["</svg>"]
    return lines.map { $0 + "\n" }.joined()
  }

  /// Any text, which starts, ends or has its middle at a point.
  package static func text(
    _ content: String, _ x: Double, _ y: Double, anchor: String, size: Int = 12
  ) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" font-size=\"\(size)\">"
      + "\(escaped(content))</text>"
  }

  /// Text that runs upwards, with its middle at a point.
  package static func upward(_ content: String, _ x: Double, _ y: Double) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"middle\" "
      + "transform=\"rotate(-90 \(number(x)) \(number(y)))\">\(escaped(content))</text>"
  }

  /// A straight line.
  package static func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ attributes: String
  ) -> String {
    "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" "
      + "x2=\"\(number(x2))\" y2=\"\(number(y2))\" \(attributes)/>"
  }

  /// A line through points.
  package static func polyline(_ points: [(x: Double, y: Double)], _ attributes: String) -> String {
    let text = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    return "<polyline points=\"\(text)\" fill=\"none\" \(attributes)/>"
  }

  /// A rectangle by its corner at the top left; attributes begin with a space.
  package static func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ attributes: String = ""
  ) -> String {
    "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" "
      + "height=\"\(number(height))\"\(attributes)/>"
  }

  /// A dot.
  package static func circle(_ x: Double, _ y: Double, _ attributes: String) -> String {
    "<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"5\" \(attributes)/>"
  }

  /// A coordinate; a hundredth of a pixel is not seen.
  package static func number(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    return hundredths % 100 == 0 ? "\(hundredths / 100)" : "\(Double(hundredths) / 100)"
  }

  /// The text with XML's special characters as entities, and U+FFFD for those that XML cannot hold
  /// at all.
  package static func escaped(_ text: String) -> String {
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
