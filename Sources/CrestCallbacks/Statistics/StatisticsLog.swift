import CrestTensor
import CrestTraining

/// Rows of numbers, one a step: the last few hundred, evenly spread over the fit, and all of them in a file if there is
/// one.
struct StatisticsRows: Codable, Sendable, Hashable {
  /// The layers that a row has numbers of, by their paths.
  var paths: [String] = []
  /// The steps that are kept, in order.
  private(set) var steps: [Int] = []
  /// Their numbers, row after row.
  private var values: [Double] = []
  /// How many rows there were.
  private var count = 0
  /// How many rows there are for each that is kept; a power of two.
  private var stride = 1
  /// What the file holds.
  var log = CSVLogger.Record()

  /// The most rows that are kept.
  static let limit = 512

  /// Adds a row, which may be one too many.
  mutating func add(_ step: Int, _ row: [Double]) {
    defer { count += 1 }
    guard count.isMultiple(of: stride) else { return }
    steps.append(step)
    values += row
    guard steps.count > Self.limit else { return }
    stride *= 2
    let places = steps.indices.filter { $0.isMultiple(of: 2) }
    values = places.flatMap { values[$0 * row.count..<($0 + 1) * row.count] }
    steps = places.map { steps[$0] }
  }

  /// The layers of each step that is kept, as `layer` makes them of a path and its numbers, of which there are `size`.
  func layers<Layer>(
    size: Int, _ layer: (String, ArraySlice<Double>) -> Layer
  ) -> [(step: Int, layers: [Layer])] {
    steps.enumerated().map { row, step in
      let layers = paths.enumerated().map { place, path in
        let begin = (row * paths.count + place) * size
        return layer(path, values[begin..<begin + size])
      }
      return (step, layers)
    }
  }

  /// Whether numbers of rows agree, with `size` for each layer.
  func isConsistent(size: Int) -> Bool {
    stride >= 1 && stride & (stride - 1) == 0 && count >= 0 && steps.count <= Self.limit
      && steps.count == (count == 0 ? 0 : (count - 1) / stride + 1)
      && paths.count <= 1 << 20 && values.count == steps.count * paths.count * size
      && zip(steps, steps.dropFirst()).allSatisfy(<) && steps.first ?? 0 >= 0
  }
}

/// The file that a callback writes its rows to, as lines of JSON; none unless it was asked for.
final class StatisticsFile {
  private let path: String?
  private var file: LogFile?

  init(path: String?) { self.path = path }

  /// Opens the file before a fit.
  func open() throws {
    if file == nil, let path { file = try LogFile(path: path) }
  }

  /// Finds a file that is missing, truncated or another run's.
  func check(has record: CSVLogger.Record, for callback: String) throws {
    try file?.check(has: record, for: callback)
  }

  /// Writes a line; if that can't be done, the fit ends once it has been saved with the line.
  func write(_ row: JSONValue, to record: inout CSVLogger.Record, of fit: FitContext) {
    guard let file else { return }
    do throws(CallbackError) {
      try file.write(line: row.json, to: &record, unless: fit.learner.interruption)
    } catch {
      fit.end(with: error)
    }
  }

  /// Writes what could not be written before.
  func flush(_ record: inout CSVLogger.Record, of fit: FitContext) {
    do throws(CallbackError) {
      try file?.flush(&record, unless: fit.learner.interruption)
    } catch {
      fit.end(with: error)
    }
  }
}
