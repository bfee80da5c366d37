import Foundation
import ONNXTestSupport

/// How many models came how far.
struct FuzzTally: CustomStringConvertible {
  private var counts = [Int](repeating: 0, count: ModelJourney.Stage.allCases.count)

  subscript(stage: ModelJourney.Stage) -> Int {
    get { counts[stage.rawValue] }
    set { counts[stage.rawValue] = newValue }
  }

  mutating func add(_ other: FuzzTally) {
    for stage in ModelJourney.Stage.allCases { self[stage] += other[stage] }
  }

  var description: String {
    "\(self[.refusedByReader]) refused by the reader, \(self[.refusedByImporter]) by the importer, "
      + "\(self[.imported]) imported, \(self[.run]) run"
  }

  fileprivate var numbers: [Int] { counts }

  fileprivate init(numbers: [Int]) { counts = numbers }

  init() {}
}

/// How far a process has come; it stands in a file that outlives the process.
struct FuzzState {
  /// The number of the model that it is at.
  var next: Int
  var tally = FuzzTally()

  init(next: Int) { self.next = next }

  init(readingFrom folder: String) throws {
    let text = try String(contentsOfFile: folder + "/state", encoding: .utf8)
    let numbers = text.split(separator: " ").compactMap { Int($0) }
    guard numbers.count == 1 + ModelJourney.Stage.allCases.count else {
      throw CampaignError("\(folder)/state: expected numbers, got \"\(text)\"")
    }
    next = numbers[0]
    tally = FuzzTally(numbers: Array(numbers[1...]))
  }

  func write(to folder: String) throws {
    let numbers = [next] + tally.numbers
    let text = numbers.map(String.init).joined(separator: " ")
    try Data(text.utf8).write(to: URL(filePath: folder + "/state"))
  }
}
