/// Text in lines of at most `width` columns if words are short enough, all but the first indented.
func wrapped(_ text: String, indent: Int, width: Int = 80) -> [String] {
  let margin = text.prefix { $0 == " " }
  let words = text.dropFirst(margin.count).split(separator: " ", omittingEmptySubsequences: false)
  var lines: [String] = []
  var line = String(margin) + (words.first ?? "")
  for word in words.dropFirst() {
    if line.count + 1 + word.count <= width {
      line += " " + word
    } else if !word.isEmpty {
      lines.append(line)
      line = String(repeating: " ", count: indent) + word
    }
  }
  return lines + [line]
}

/// Rows of cells in columns two spaces apart, after a margin of two.
func table(_ rows: [[String]], rightAligned: Set<Int>) -> [String] {
  let widths = (rows.first ?? []).indices.map { column in
    rows.reduce(0) { max($0, $1[column].count) }
  }
  return rows.map { row in
    var line = ""
    for (column, cell) in row.enumerated() {
      let space = String(repeating: " ", count: widths[column] - cell.count)
      line += "  " + (rightAligned.contains(column) ? space + cell : cell + space)
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}

/// An integer with commas, as in 431,080.
func grouped(_ number: Int) -> String {
  let digits = Array(String(number))
  return digits.indices.reduce(into: "") { text, place in
    if place > 0, (digits.count - place) % 3 == 0 { text.append(",") }
    text.append(digits[place])
  }
}

extension String {
  /// The text with spaces after it, `width` columns wide.
  func padding(_ width: Int) -> String {
    self + String(repeating: " ", count: max(width - count, 0))
  }
}
