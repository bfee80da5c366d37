import CrestPlatform

/// Numbers as a reader of a plot wants them.
enum PlotNumber {
  /// Three significant digits with an exponent: `3.98e-4`, `1e-3`.
  static func scientific(_ value: Double) -> String {
    guard value != 0, value.isFinite else { return "\(value)" }
    // The power of ten of the smallest numbers is none that a Double has.
    let isTiny = abs(value) < 1e-300
    let magnitude = isTiny ? abs(value) * 1e100 : abs(value)
    var exponent = Int(log10(magnitude).rounded(.down))
    var hundredths = Int((magnitude / pow(10, Double(exponent)) * 100).rounded())
    if isTiny { exponent -= 100 }
    if hundredths >= 1000 {
      hundredths = 100
      exponent += 1
    }
    var digits = "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
    while digits.last == "0" { digits.removeLast() }
    if digits.last == "." { digits.removeLast() }
    return "\(value < 0 ? "-" : "")\(digits)e\(exponent)"
  }

  /// A fixed number of decimals, or an exponent when the number is too large for that to be
  /// readable.
  static func decimal(_ value: Double, places: Int) -> String {
    if value.isNaN { return "nan" }
    guard abs(value) < 1e6, places <= 9 else { return scientific(value) }
    let scale = (0..<places).reduce(1) { power, _ in power * 10 }
    let units = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && units > 0 ? "-" : ""
    guard places > 0 else { return "\(sign)\(units)" }
    let fraction = String(units % scale)
    let zeros = String(repeating: "0", count: places - fraction.count)
    return "\(sign)\(units / scale).\(zeros)\(fraction)"
  }

  /// Round numbers (1, 2 or 5 times a power of ten apart) within an interval, about `count` of
  /// them, as text and value.
  static func ticks(in span: CurvePlot.Span, count: Int) -> [(text: String, value: Double)] {
    let rough = (span.upper - span.lower) / Double(count)
    let exponent = log10(rough).rounded(.down)
    let step =
      [1, 2, 5, 10].map { $0 * pow(10, exponent) }.first { $0 >= rough * 0.999 }
      ?? pow(10, exponent + 1)
    let places = max(0, -Int((log10(step) + 1e-9).rounded(.down)))
    let first = (span.lower / step - 1e-9).rounded(.up)
    let last = (span.upper / step + 1e-9).rounded(.down)
    guard first <= last else { return [] }
    return stride(from: first, through: last, by: 1).map {
      (decimal($0 * step, places: places), $0 * step)
    }
  }

  /// The whole powers of ten within an interval of logarithms, at most about `count` of them.
  static func decades(in span: CurvePlot.Span, count: Int) -> [Int] {
    let first = Int((span.lower - 1e-9).rounded(.up))
    let last = Int((span.upper + 1e-9).rounded(.down))
    guard first <= last else { return [] }
    let step = max(1, (last - first + count) / count)
    return Array(stride(from: first, through: last, by: step))
  }
}
