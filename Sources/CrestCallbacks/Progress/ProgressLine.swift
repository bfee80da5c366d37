/// A line of progress through a pass, as text no wider than a terminal.
struct ProgressLine {
  /// As in `epoch 2/8`.
  let title: String
  /// Batches done.
  let done: Int
  /// Batches of the pass.
  let total: Int
  /// What stands behind the bar, the more important first.
  let details: [String]

  private static let longestBar = 30
  private static let shortestBar = 5

  /// The line in at most `width` columns: first the bar gets shorter, then the last details go.
  func text(width: Int, isUnicode: Bool) -> String {
    var parts = ["\(done)/\(total)"] + details
    while parts.count > 1 && width - textWidth(parts) < Self.shortestBar { parts.removeLast() }
    let room = min(width - textWidth(parts), Self.longestBar)
    let bar = room < Self.shortestBar ? [] : [bar(room, isUnicode)]
    return String(
      ([title] + bar + [parts.joined(separator: "  ")])
        .joined(separator: "  ").prefix(max(width, 0)))
  }

  /// The columns of everything but the bar, the spaces around it included.
  private func textWidth(_ parts: [String]) -> Int {
    title.count + 4 + parts.joined(separator: "  ").count
  }

  private func bar(_ columns: Int, _ isUnicode: Bool) -> String {
    let filled = total == 0 ? columns : columns * done / total
    let (full, empty): (Character, Character) = isUnicode ? ("━", "─") : ("#", "-")
    return String(repeating: full, count: filled)
      + String(repeating: empty, count: columns - filled)
  }

  /// As in `0:07` or `1:02:03`.
  static func time(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (minutes, rest) = whole.quotientAndRemainder(dividingBy: 60)
    return minutes < 60
      ? "\(minutes):\(two(rest))" : "\(minutes / 60):\(two(minutes % 60)):\(two(rest))"
  }
}
