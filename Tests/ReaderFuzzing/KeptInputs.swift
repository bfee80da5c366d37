import Foundation

/// Inputs of a reader that a search has kept, since each reaches code that others don't: in one file, each after its
/// size in four bytes, the least significant first.
package enum KeptInputs {
  private static func url(of reader: FuzzedReader) -> URL {
    Repository.root.appending(path: "Tests/Fixtures/reader-inputs/\(reader.name).bin")
  }

  /// The inputs of a reader; none when none were kept.
  package static func read(_ reader: FuzzedReader) throws -> [[UInt8]] {
    let url = url(of: reader)
    guard FileManager.default.fileExists(atPath: url.path) else { return [] }
    var rest = [UInt8](try Data(contentsOf: url))[...]
    var inputs: [[UInt8]] = []
    while !rest.isEmpty {
      let size = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(4)
      guard size <= rest.count else { throw ReaderFault("\(url.path) is cut short") }
      inputs.append(Array(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    return inputs
  }

  /// Keeps inputs in place of those that were kept before, the shortest first, as many as `limit` bytes hold.
  package static func write(_ inputs: [[UInt8]], of reader: FuzzedReader, limit: Int) throws -> Int
  {
    var bytes: [UInt8] = []
    var count = 0
    let isBefore = { (left: [UInt8], right: [UInt8]) in
      left.count != right.count ? left.count < right.count : left.lexicographicallyPrecedes(right)
    }
    for input in inputs.sorted(by: isBefore) where bytes.count + 4 + input.count <= limit {
      bytes += (0..<4).map { UInt8(truncatingIfNeeded: input.count >> (8 * $0)) } + input
      count += 1
    }
    try Data(bytes).write(to: url(of: reader))
    return count
  }
}
