import CrestPlatform
import CrestTensor

extension CurvePlot {
  /// The plot as lines of text, each ending in a line feed.
  func terminal(
    width: Int, height: Int, characters: LRFinder.Plot.Characters
  ) -> String {
    programmerError(
      unless: width >= 40 && height >= 4,
      "a plot of \(width) columns and \(height) rows is not readable; at least 40 and 4")
    let lines =
      points.isEmpty
      ? [nothing] : TerminalDrawing(self, width, height, characters).lines()
    return lines.map { $0 + "\n" }.joined()
  }
}

/// A curve in characters.
private struct TerminalDrawing {
  private let plot: CurvePlot
  private let horizontal: CurvePlot.Span
  private let vertical: CurvePlot.Span
  private let columns: Int
  private let rows: Int
  private let characters: LRFinder.Plot.Characters

  /// Columns of the loss labels and of the line beside the curve.
  private let margin = 12

  init(
    _ plot: CurvePlot, _ width: Int, _ height: Int, _ characters: LRFinder.Plot.Characters
  ) {
    self.plot = plot
    horizontal = plot.horizontal
    vertical = plot.vertical
    self.columns = width - margin
    self.rows = height
    self.characters = characters
  }

  func lines() -> [String] {
    let cells = cells()
    let drawn = (0..<rows).map { row in label(row) + side + trimmed(cells[row]) }
    return [plot.title] + drawn + axis() + plot.marks.map(pointer)
  }

  // MARK: Curve

  /// Points in a cell, across and down.
  private var resolution: (across: Int, down: Int) { characters == .unicode ? (2, 4) : (1, 1) }

  private func cells() -> [String] {
    var dots = Array(
      repeating: Array(repeating: false, count: columns * resolution.across),
      count: rows * resolution.down)
    var previous: Int?
    for x in dots[0].indices {
      let position = Double(x) / Double(dots[0].count - 1)
      let place = horizontal.lower + (horizontal.upper - horizontal.lower) * position
      let height = vertical.position(plot.height(at: place))
      // To a fraction of a row first, so that the last bit of a logarithm does not decide a tie.
      let sixteenths = ((1 - height) * Double(dots.count - 1) * 16).rounded()
      let y = Int((sixteenths / 16).rounded())
      // Steep parts are joined, so that the curve has no gaps.
      let from = previous.map { $0 < y ? $0 + 1 : $0 > y ? $0 - 1 : y } ?? y
      for row in min(from, y)...max(from, y) { dots[row][x] = true }
      previous = y
    }
    return (0..<rows).map { row in
      String((0..<columns).map { column in cell(dots, row, column) })
    }
  }

  private func cell(_ dots: [[Bool]], _ row: Int, _ column: Int) -> Character {
    guard characters == .unicode else { return dots[row][column] ? "*" : " " }
    // The bits of a Braille pattern, down its left column and then its right.
    let bits: [[UInt32]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]
    var pattern: UInt32 = 0
    for x in 0..<2 {
      for y in 0..<4 where dots[4 * row + y][2 * column + x] { pattern |= bits[x][y] }
    }
    guard pattern != 0, let scalar = Unicode.Scalar(0x2800 + pattern) else { return " " }
    return Character(scalar)
  }

  // MARK: Labels

  private var side: String { characters == .unicode ? "│" : "|" }

  /// The loss at the top, the middle and the bottom row.
  private func label(_ row: Int) -> String {
    guard [0, rows / 2, rows - 1].contains(row) else {
      return String(repeating: " ", count: margin - 1)
    }
    let position = 1 - Double(row) / Double(rows - 1)
    let loss = vertical.lower + (vertical.upper - vertical.lower) * position
    let room = margin - 2
    let decimal = PlotNumber.decimal(loss, places: places)
    let text = decimal.count <= room ? decimal : PlotNumber.scientific(loss)
    return String(repeating: " ", count: room - text.count) + text + " "
  }

  /// Decimals that tell the labels apart.
  private var places: Int {
    max(1, 2 - Int(log10(vertical.upper - vertical.lower).rounded(.down)))
  }

  private func axis() -> [String] {
    let (corner, line, tick): (Character, Character, Character) =
      characters == .unicode ? ("└", "─", "┬") : ("+", "-", "+")
    var ruler = Array(repeating: line, count: columns)
    var labels = Array(repeating: Character(" "), count: columns)
    var free = 0
    for mark in plot.ticks(count: columns / 8) {
      let column = column(mark.x)
      ruler[column] = tick
      let text = Array(mark.text)
      let start = max(0, min(columns - text.count, column - text.count / 2))
      guard start >= free else { continue }
      labels.replaceSubrange(start..<start + text.count, with: text)
      free = start + text.count + 1
    }
    let space = String(repeating: " ", count: margin - 1)
    return [
      space + String(corner) + String(ruler),
      space + " " + trimmed(String(labels)),
      space + " learning rate",
    ]
  }

  private func pointer(_ mark: CurvePlot.Mark) -> String {
    guard let x = mark.x else { return "\(mark.name): \(mark.value)" }
    let symbol = characters == .unicode ? "▲" : "^"
    let text = "\(mark.name) \(mark.value)"
    let column = margin + column(x)
    guard column + 2 + text.count <= margin + columns else {
      return String(repeating: " ", count: column - text.count - 1) + text + " " + symbol
    }
    return String(repeating: " ", count: column) + symbol + " " + text
  }

  /// The column of a place on the axis, at the edge when it is beyond.
  private func column(_ x: Double) -> Int {
    let position = min(1, max(0, horizontal.position(x)))
    return Int((position * Double(columns - 1)).rounded())
  }

  private func trimmed(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }
}
