import Foundation

/// What fastai, pandas and Python make of a small table, by `Fixtures/make_tables.py`.
struct TableFixtures: Decodable {
  let train: String
  let valid: String
  let categories: [String]
  let numbers: [String]
  let vocab: [[String]]
  let medians: [Double]
  let means: [Double]
  let deviations: [Double]
  let trainCategories: [[Int64]]
  let trainNumbers: [[Double]]
  let validCategories: [[Int64]]
  let validNumbers: [[Double]]
  let numbersExact: [String: String]

  static let all: TableFixtures = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/tables.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      return try decoder.decode(TableFixtures.self, from: Data(contentsOf: file))
    } catch {
      fatalError("\(error)")
    }
  }()
}
