import CrestCallbacks
import CrestOptimizers
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

struct LearningRatePlotTests {
  /// A fall, a floor and a runaway, with a wobble that is the same everywhere.
  static let typical = findings(steps: 100) { i, x in
    (2.3 - 1.5 / (1 + exp(-2.5 * (log10(x) + 3))) + 20 * pow(max(0, x - 0.3), 2))
      * (1 + 0.04 * Double((i * 7919) % 13 - 6) / 6)
  }

  /// Too few batches for any method but one.
  static let short = findings(steps: 18) { i, _ in 3 - 0.1 * Double(i) }

  /// Broken from the start.
  static let broken = findings(steps: 100) { _, _ in .nan }

  /// A loss that never changes.
  static let flat = findings(steps: 100) { _, _ in 2 }

  static let terminalCases: [(name: String, LearningRateFindings, Int, Int)] = [
    ("typical", typical, 80, 12),
    ("narrow", typical, 40, 4),
    ("short", short, 60, 6),
    ("broken", broken, 80, 12),
    ("flat", flat, 60, 5),
  ]

  @Test func `a drawing spans all rates that there are`() throws {
    let points = (0..<30).map { place in
      LearningRateFindings.Point(
        rate: place < 15 ? .leastNonzeroMagnitude : .greatestFiniteMagnitude, loss: 1,
        smoothedLoss: Double(place))
    }
    let plot = LRFinder.Plot(
      LearningRateFindings(sweep: .standard, points: points, ending: .completed))
    #expect(plot.terminal().contains("learning rate"))
    #expect(!plot.svg().lowercased().contains("nan"))
  }

  @Test(arguments: terminalCases)
  func `the terminal drawing is as approved`(
    name: String, findings: LearningRateFindings, width: Int, height: Int
  ) throws {
    let drawing = LRFinder.Plot(findings).terminal(width: width, height: height)
    try expectSnapshot(drawing, "terminal-\(name).txt")
  }

  @Test(arguments: terminalCases)
  func `the ASCII drawing is as approved and only ASCII`(
    name: String, findings: LearningRateFindings, width: Int, height: Int
  ) throws {
    let drawing = LRFinder.Plot(findings)
      .terminal(width: width, height: height, characters: .ascii)
    #expect(drawing.utf8.allSatisfy { $0 < 0x7F })
    try expectSnapshot(drawing, "ascii-\(name).txt")
  }

  @Test(arguments: [40, 57, 80, 200], [4, 12, 31])
  func `no line of the curve is wider than asked`(width: Int, height: Int) {
    for findings in [Self.typical, Self.flat] {
      for characters in [LRFinder.Plot.Characters.unicode, .ascii] {
        let lines = LRFinder.Plot(findings)
          .terminal(width: width, height: height, characters: characters)
          .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.filter { !$0.contains(": ") }.allSatisfy { $0.count <= width })
        #expect(lines.last == "")
      }
    }
  }

  @Test(arguments: [
    ("typical", typical), ("short", short), ("broken", broken), ("flat", flat),
  ])
  func `the SVG is as approved and well-formed`(
    name: String, findings: LearningRateFindings
  ) throws {
    let drawing = LRFinder.Plot(findings).svg()
    try expectSnapshot(drawing, "\(name).svg")
    #expect(elements(drawing)["svg"] == 1)
  }

  @Test func `the SVG has both curves and a mark and a legend entry for each suggestion`() {
    let counts = elements(LRFinder.Plot(Self.typical).svg())
    #expect(counts["polyline"] == 2)
    #expect(counts["circle"] == 8)
  }

  @Test func `any title leaves the SVG well-formed`() {
    for title in ["a < b & c > \"d\"", "]]>", "\u{0}\u{1B}[31m", "été 学習率 🎢", ""] {
      #expect(elements(LRFinder.Plot(Self.typical).svg(title: title))["svg"] == 1, "\(title)")
    }
    #expect(
      LRFinder.Plot(Self.broken).svg(title: "a < b & c")
        .contains("<title>a &lt; b &amp; c</title>"))
  }

  @Test func `a single finite loss is drawn`() {
    var search = LearningRateSearch()
    search.record(loss: 1.5)
    search.record(loss: .infinity)
    let plot = LRFinder.Plot(search.findings)
    #expect(plot.terminal(height: 13).contains(" 1.500 │⠤"))
    #expect(elements(plot.svg())["svg"] == 1)
  }

  @Test func `losses of any size are drawn`() {
    for scale in [1e-12, 1e-3, 1e5, 1e12] {
      let findings = Self.findings(steps: 60) { i, _ in scale * (3 - 0.04 * Double(i)) }
      let plot = LRFinder.Plot(findings)
      for line in plot.terminal(width: 60).split(separator: "\n") where line.contains("│") {
        #expect(line.firstIndex(of: "│").map { line.distance(from: line.startIndex, to: $0) } == 11)
      }
      #expect(elements(plot.svg())["svg"] == 1)
    }
  }

  // MARK: Help

  private static func findings(
    steps: Int, loss: (Int, Double) -> Double
  ) -> LearningRateFindings {
    let sweep: LearningRateSweep
    do {
      sweep = try LearningRateSweep(steps: steps)
    } catch {
      fatalError("\(error)")
    }
    var search = LearningRateSearch(sweep: sweep)
    while let rate = search.nextRate {
      search.record(loss: loss(search.findings.points.count, rate))
    }
    return search.findings
  }

  /// How often each element occurs; empty when the text is not well-formed XML.
  private func elements(_ text: String) -> [String: Int] {
    final class Counter: NSObject, XMLParserDelegate {
      var counts: [String: Int] = [:]

      func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
        qualifiedName: String?, attributes: [String: String]
      ) {
        counts[name, default: 0] += 1
      }
    }
    let counter = Counter()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = counter
    return parser.parse() ? counter.counts : [:]
  }

  /// Compares with the approved file; with `CREST_APPROVE=1` in the environment, writes it instead
  /// and fails, so that nobody approves without looking.
  private func expectSnapshot(_ text: String, _ name: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Snapshots/\(name)")
    guard ProcessInfo.processInfo.environment["CREST_APPROVE"] == nil else {
      try Data(text.utf8).write(to: file)
      Issue.record("\(name) was written; look at it, and run again without CREST_APPROVE")
      return
    }
    let approved = try String(decoding: Data(contentsOf: file), as: UTF8.self)
    #expect(text == approved, "\(name)")
  }
}
