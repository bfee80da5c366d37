import CrestState
import CrestTraining

extension ModelCheckpoint {
  /// The checkpoints that a callback has saved and keeps.
  public struct Saved: Codable, Sendable, Hashable {
    /// A checkpoint.
    public struct Entry: Codable, Sendable, Hashable {
      /// The name of its file, without the ending.
      public let name: String
      /// The monitored value when it was saved; nil if nothing was monitored.
      public let value: Double?
    }

    /// Those that are kept, in the order they were saved.
    public private(set) var kept: [Entry] = []
    /// Those that were given up with the last save, whose files may still be there after a crash.
    private var givenUp: [String] = []
    /// The optimiser steps that had been taken at the last save.
    var lastStep = 0

    init() {}

    /// Reads what was saved, which must name files in the folder.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      kept = try container.decode([Entry].self, forKey: .kept)
      givenUp = try container.decode([String].self, forKey: .givenUp)
      lastStep = try container.decode(Int.self, forKey: .lastStep)
      guard (kept.map(\.name) + givenUp).allSatisfy(CheckpointFolder.isName) else {
        throw DecodingError.dataCorruptedError(
          forKey: .kept, in: container, debugDescription: "names of files in the folder")
      }
    }

    /// The best of those that are kept; nil when none has a value.
    func best(isLowerBetter: Bool) -> Entry? {
      Self.ranked(kept, isLowerBetter: isLowerBetter).first.map { kept[$0] }
    }

    /// The places of those that have a value, the best first.
    private static func ranked(_ all: [Entry], isLowerBetter: Bool) -> [Int] {
      all.indices.filter { all[$0].value.map { !$0.isNaN } ?? false }.sorted {
        let (a, b) = (all[$0].value ?? .nan, all[$1].value ?? .nan)
        // Of equal values the one saved first is the better, as nothing has improved since.
        return a == b ? $0 < $1 : isLowerBetter ? a < b : a > b
      }
    }

    /// Notes a new checkpoint.
    ///
    /// - Parameters:
    ///   - entry: The checkpoint.
    ///   - last: How many of the last to keep; nil for all.
    ///   - best: How many of the best to keep beside them.
    ///   - isLowerBetter: Which values are better.
    /// - Returns: The names whose files shall go once the new one is saved; nil, and nothing has changed, when
    ///   the new one is not among those to keep.
    mutating func add(
      _ entry: Entry, last: Int?, best: Int, isLowerBetter: Bool
    ) -> [String]? {
      // One of the same name takes part, or a worse one would take its file.
      let all = kept + [entry]
      let ranked = Self.ranked(all, isLowerBetter: isLowerBetter)
      let places = Set(ranked.prefix(best)).union(all.indices.suffix(last ?? all.count))
      guard places.contains(all.count - 1) else { return nil }
      let isKept = all.indices.map { place in
        places.contains(place) && (all[place].name != entry.name || place == all.count - 1)
      }
      let before = givenUp
      givenUp = all.indices.filter { !isKept[$0] }.map { all[$0].name }
      kept = all.indices.filter { isKept[$0] }.map { all[$0] }
      // A name may have been given up and come again.
      return (before + givenUp).filter { name in !kept.contains { $0.name == name } }
    }
  }
}
