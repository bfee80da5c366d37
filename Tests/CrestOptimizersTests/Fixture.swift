import Foundation

/// The committed results of `Tests/Fixtures/make_schedules.py`.
struct Fixture {
  let document: Document
  private let values: [Double]

  struct Document: Decodable {
    let curveSteps: [Int]
    let sampledSteps: Int
    let oneCycle: [Variant]
    let undefined: [Undefined]
    let shapes: [Row]
    let finders: [Finder]
  }

  struct Settings: Decodable {
    let convention: String
    let annealing: String
    let maxLR: Double
    let percentStart: Double
    let div: Double
    let finalDiv: Double
    let momentum: [Double]
  }

  struct Variant: Decodable {
    let settings: Settings
    let curves: Slice
    let samples: Slice
  }

  struct Undefined: Decodable {
    let settings: Settings
    let total: Int
  }

  struct Row: Decodable {
    let name: String
    let values: Slice
  }

  struct Finder: Decodable {
    let name: String
    let start: Double
    let end: Double
    let steps: Int
    let losses: Slice
    let smoothed: Slice
    let diverged: Bool
    let suggestions: [String: Double]
  }

  /// Where in the row of numbers something is.
  struct Slice: Decodable {
    let range: Range<Int>

    init(from decoder: any Decoder) throws {
      let bounds = try [Int](from: decoder)
      range = bounds[0]..<bounds[0] + bounds[1]
    }
  }

  init() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/schedules")
    document = try JSONDecoder().decode(
      Document.self, from: Data(contentsOf: folder.appending(path: "schedules.json")))
    let file = try [UInt8](Data(contentsOf: folder.appending(path: "schedules.npy")))
    // Version 1.0 of the format: magic and version in 8 bytes, the header's length in 2, the
    // header, the numbers.
    let start = 10 + Int(file[8]) + Int(file[9]) << 8
    values = stride(from: start, to: file.count, by: 8).map { offset in
      Double(
        bitPattern: file[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
  }

  subscript(slice: Slice) -> [Double] { Array(values[slice.range]) }
}
