import CrestRuntime
import CrestTestSupport
import Foundation
import Testing

/// ONNX's own backend tests, each on the reference and on the kernels of every instruction set.
@Suite(.enabled(if: BackendTest.isInstalled, Comment(rawValue: BackendTest.missing)))
struct `ONNX's own tests` {
  private static let outcomes = Result<[(name: String, outcome: Outcome)], any Error> {
    let engines = try Engine.InstructionSet.available.map {
      try Engine(threadCount: 2, instructionSet: $0)
    }
    return try BackendTest.all().map { ($0.name, try Outcome($0, engines: engines)) }
  }

  @Test func `none is answered wrongly`() throws {
    for case (let name, .wrong(let difference)) in try Self.outcomes.get() {
      Issue.record("\(name): \(difference)")
    }
  }

  @Test func `all of tier 1 pass`() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "tier-1.txt")
    let names = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(
      String.init)
    let outcomes = Dictionary(uniqueKeysWithValues: try Self.outcomes.get())
    #expect(names.count == 261)
    for name in names {
      switch outcomes[name] {
      case .passes, .passesOnReference: continue
      case let other: Issue.record("\(name): \(other.map { "\($0)" } ?? "no such test")")
      }
    }
  }

  @Test func `the committed list of outcomes is up to date`() throws {
    let outcomes = try Self.outcomes.get()
    var (passing, slow, refused, excluded): ([String], [String], [String], [String]) =
      ([], [], [], [])
    for (name, outcome) in outcomes {
      switch outcome {
      case .passes: passing.append("- \(name)")
      case .passesOnReference(let names):
        slow.append("- \(name): \(names.joined(separator: ", "))")
      case .refused(let reason): refused.append("- \(name): \(reason)")
      case .excluded(let reason): excluded.append("- \(name): \(reason)")
      case .wrong: continue
      }
    }
    let sections = [
      ("Passes on kernels", passing), ("Passes, with these operations on the reference", slow),
      ("Refused by name", refused), ("Excluded", excluded),
    ]
    let counts = sections.map { "| \($0.lowercased()) | \($1.count) |" }
    try Snapshot("docs/onnx-conformance.md", heading: heading).expect(
      counts + ["| all | \(outcomes.count) |"]
        + sections.flatMap { title, lines in ["", "## \(title)", ""] + lines })
  }

  private let heading = """
    # ONNX's own tests

    What becomes of ONNX's backend tests (version 1.12, Debian's `libonnx-testdata`): each model is read by Crest's \
    importer, specialised to the test's inputs, and run on the reference and on the kernels of every instruction set \
    the machine has. Floats agree within 1e-5 of the largest magnitude (at least of 1), 16-bit floats within \
    their rounding, windows of signals within 1e-4 (what these expect was computed with 3.1415 for π), all else exactly. \
    No test gives a wrong answer. The tests make this list (`CREST_APPROVE=1 swift test -c release --filter \
    ONNXConformanceTests` rewrites it).

    | outcome | tests |
    |---|---|
    """
}
