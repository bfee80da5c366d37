import CrestGraph

/// Where each buffer of a program lies in its arena.
///
/// A buffer lives from the first step that writes it to the last that reads it; two that live at
/// different times may lie at the same place, and a step that works in place writes over what it
/// reads last. Buffers are placed from the largest down, each at the lowest offset that is free
/// while it lives (greedy by size; Pisarchyk & Lee 2020).
struct MemoryPlan {
  /// The offset of each buffer in the arena; nil for those that lie elsewhere.
  let offsets: [Int?]
  /// The size of the arena.
  let byteCount: Int

  private static let alignment = 64

  init(_ buffers: [Buffer], _ steps: [Step], sharing: Bool) {
    var lifetimes = Self.lifetimes(buffers, steps, sharing: sharing)
    var owner = Array(buffers.indices)
    if sharing { Self.joinInPlace(buffers, steps, &lifetimes, &owner) }

    let order = buffers.indices
      .filter { lifetimes[$0] != nil && owner[$0] == $0 }
      .sorted { (buffers[$0].byteCount, $1) > (buffers[$1].byteCount, $0) }
    var offsets = [Int?](repeating: nil, count: buffers.count)
    var space = ArenaSpace()
    for buffer in order {
      guard let lifetime = lifetimes[buffer] else { continue }
      offsets[buffer] = space.take(Self.padded(buffers[buffer].byteCount), lifetime)
    }
    for buffer in buffers.indices where owner[buffer] != buffer {
      offsets[buffer] = offsets[owner[buffer]]
    }
    self.offsets = offsets
    byteCount = space.byteCount
  }

  private static func padded(_ byteCount: Int) -> Int {
    (max(byteCount, 1) + alignment - 1) / alignment * alignment
  }

  /// The first and last step of each buffer in the arena; all steps for pinned ones, and for every
  /// one when nothing may share.
  private static func lifetimes(
    _ buffers: [Buffer], _ steps: [Step], sharing: Bool
  ) -> [ClosedRange<Int>?] {
    let whole = 0...max(steps.count - 1, 0)
    var lifetimes: [ClosedRange<Int>?] = buffers.map { buffer in
      switch buffer.placement {
      case .pinned: whole
      case .arena: sharing ? nil : whole
      case .store, .constant: nil
      }
    }
    guard sharing else { return lifetimes }
    for (index, step) in steps.enumerated() {
      for buffer in step.reads + step.writes where buffers[buffer.index].placement == .arena {
        let first = lifetimes[buffer.index]?.lowerBound ?? index
        lifetimes[buffer.index] = first...index
      }
    }
    return lifetimes
  }

  /// Lets a step's output take the memory of an input that ends there.
  private static func joinInPlace(
    _ buffers: [Buffer], _ steps: [Step], _ lifetimes: inout [ClosedRange<Int>?],
    _ owner: inout [Int]
  ) {
    for (index, step) in steps.enumerated() {
      guard let inPlace = step.inPlace else { continue }
      let write = inPlace.write.index
      guard buffers[write].placement == .arena, let later = lifetimes[write],
        later.lowerBound == index, owner[write] == write
      else { continue }
      for read in inPlace.reads {
        let root = owner[read.index]
        guard buffers[read.index].placement == .arena,
          buffers[read.index].byteCount == buffers[write].byteCount,
          let earlier = lifetimes[root], earlier.upperBound == index
        else { continue }
        owner[write] = root
        lifetimes[root] = earlier.lowerBound...later.upperBound
        break
      }
    }
  }
}
