import CrestFiles
import Testing

@Suite("Text of others") struct ShownTextTests {
  private static let rows: [(text: String, shown: String)] = [
    ("plain text, ÄÖ, 数据, 🙂", "plain text, ÄÖ, 数据, 🙂"),
    ("", ""),
    ("1.0\u{1b}[2K\r\u{1b}[1A harmless\u{1b}[8m", #"1.0\u{1b}[2K\u{d}\u{1b}[1A harmless\u{1b}[8m"#),
    ("a\nError: fake", #"a\u{a}Error: fake"#),
    ("\u{9b}31m\u{7f}\u{0}", #"\u{9b}31m\u{7f}\u{0}"#),
    ("abc\u{202e}txt.exe\u{2066}", #"abc\u{202e}txt.exe\u{2066}"#),
    ("a\u{2028}b\u{2029}c\u{200b}d\u{feff}", #"a\u{2028}b\u{2029}c\u{200b}d\u{feff}"#),
    (
      "e" + String(repeating: "\u{301}", count: 6),
      "e" + String(repeating: "\u{301}", count: 4) + #"\u{301}\u{301}"#
    ),
  ]

  @Test(arguments: rows)
  func `reaches a terminal without control`(_ row: (text: String, shown: String)) {
    #expect(row.text.shown().unicodeScalars.elementsEqual(row.shown.unicodeScalars))
    // What was escaped is plain.
    #expect(row.shown.shown().unicodeScalars.elementsEqual(row.shown.unicodeScalars))
  }

  @Test func `keeps lines where they are the program's own`() {
    #expect("a\tb\nc\u{1b}".shown(keepingLines: true) == "a\tb\nc\\u{1b}")
  }

  @Test func `is bounded`() {
    let long = "v" + String(repeating: "\u{301}", count: 5000)
    #expect(long.shown(limit: 20).unicodeScalars.count < 150)
    #expect(long.shown(limit: 20).hasSuffix(" (and more)"))
    #expect(String(repeating: "x", count: 30).shown(limit: 10) == "xxxxxxxxxx (and more)")
    #expect(String(repeating: "x", count: 10).shown(limit: 10) == "xxxxxxxxxx")
  }
}
