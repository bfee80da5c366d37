/// What of an arena is taken when.
///
/// A network of ten thousand layers has a hundred thousand buffers, of which each would be compared with all before it.
/// So places are kept in blocks, in order of their offsets, and a block that as a whole is in the way, or out of it, is
/// passed over at once.
package struct ArenaSpace {
  private struct Place {
    let offset: Int
    let end: Int
    let lifetime: ClosedRange<Int>
  }

  private struct Block {
    /// In order of their offsets.
    var places: [Place]
    private(set) var earliestBegin = Int.max
    private(set) var latestBegin = Int.min
    private(set) var earliestEnd = Int.max
    private(set) var latestEnd = Int.min
    /// Where the last of them ends.
    private(set) var end = 0
    /// The most that is free between two of them, if all are in the way.
    private(set) var largestGap = 0

    init(_ places: [Place]) {
      self.places = places
      summarize()
    }

    mutating func summarize() {
      (earliestBegin, latestBegin, earliestEnd, latestEnd) = (.max, .min, .max, .min)
      (end, largestGap) = (places[0].end, 0)
      for place in places {
        earliestBegin = min(earliestBegin, place.lifetime.lowerBound)
        latestBegin = max(latestBegin, place.lifetime.lowerBound)
        earliestEnd = min(earliestEnd, place.lifetime.upperBound)
        latestEnd = max(latestEnd, place.lifetime.upperBound)
        largestGap = max(largestGap, place.offset - end)
        end = max(end, place.end)
      }
    }

    /// Whether none of them lives in a lifetime.
    func isOut(of lifetime: ClosedRange<Int>) -> Bool {
      earliestBegin > lifetime.upperBound || latestEnd < lifetime.lowerBound
    }

    /// Whether all of them live in a lifetime.
    func isWhollyIn(_ lifetime: ClosedRange<Int>) -> Bool {
      latestBegin <= lifetime.upperBound && earliestEnd >= lifetime.lowerBound
    }
  }

  private var blocks: [Block] = []
  private static let blockLimit = 256
  /// What is taken in all.
  package private(set) var byteCount = 0

  package init() {}

  /// Takes the lowest place that is free for so long; its offset.
  package mutating func take(_ size: Int, _ lifetime: ClosedRange<Int>) -> Int {
    let offset = lowest(size, lifetime)
    byteCount = max(byteCount, offset + size)
    insert(Place(offset: offset, end: offset + size, lifetime: lifetime))
    return offset
  }

  private func lowest(_ size: Int, _ lifetime: ClosedRange<Int>) -> Int {
    var offset = 0
    for block in blocks {
      if block.isOut(of: lifetime) { continue }
      if block.isWhollyIn(lifetime), block.largestGap < size,
        offset + size > block.places[0].offset
      {
        offset = max(offset, block.end)
        continue
      }
      for place in block.places where place.lifetime.overlaps(lifetime) {
        if offset + size <= place.offset { return offset }
        offset = max(offset, place.end)
      }
    }
    return offset
  }

  private mutating func insert(_ place: Place) {
    guard !blocks.isEmpty else {
      blocks = [Block([place])]
      return
    }
    let number = max(
      0, (blocks.firstIndex { $0.places[0].offset > place.offset } ?? blocks.count) - 1)
    let index =
      blocks[number].places.firstIndex { $0.offset > place.offset } ?? blocks[number].places.count
    blocks[number].places.insert(place, at: index)
    guard blocks[number].places.count > Self.blockLimit else { return blocks[number].summarize() }
    let places = blocks[number].places
    let half = places.count / 2
    blocks[number] = Block(Array(places[..<half]))
    blocks.insert(Block(Array(places[half...])), at: number + 1)
  }
}
