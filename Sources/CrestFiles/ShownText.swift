extension String {
  /// This text as a terminal may be given it: what could move the cursor, change colours, turn the direction of
  /// writing, imitate other lines or pile up without end is escaped, as in `\u{1b}`.
  ///
  /// Escaped are control and format characters, line and paragraph separators, and combining marks after the fourth in
  /// a row.
  ///
  /// - Parameters:
  ///   - limit: How many scalars are shown; the rest is told in words.
  ///   - keepingLines: Whether line feeds and tabs stay.
  ///   - escape: How a scalar is written instead.
  /// - Returns: The text to show.
  package func shown(
    limit: Int = .max, keepingLines: Bool = false,
    escape: (Unicode.Scalar) -> String = { "\\u{\(String($0.value, radix: 16))}" }
  ) -> String {
    let isPlain = utf8.allSatisfy {
      (0x20..<0x7F).contains($0) || keepingLines && ($0 == 0x0A || $0 == 0x09)
    }
    if isPlain && utf8.count <= limit { return self }
    var shown = String.UnicodeScalarView()
    var marks = 0
    for scalar in unicodeScalars.prefix(limit) {
      let category = scalar.properties.generalCategory
      let isMark = category == .nonspacingMark || category == .enclosingMark
      marks = isMark ? marks + 1 : 0
      let isRaw =
        switch category {
        case .control: keepingLines && (scalar == "\n" || scalar == "\t")
        case .format, .lineSeparator, .paragraphSeparator: false
        default: marks <= 4
        }
      if isRaw {
        shown.append(scalar)
      } else {
        shown.append(contentsOf: escape(scalar).unicodeScalars)
      }
    }
    let isCut = limit < .max && unicodeScalars.dropFirst(limit).first != nil
    return String(shown) + (isCut ? " (and more)" : "")
  }
}
