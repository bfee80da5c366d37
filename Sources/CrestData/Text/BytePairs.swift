import CrestTensor

/// The printable characters that stand for bytes in GPT-2's tokens.
enum ByteCharacters {
  /// The character of each byte: bytes that can be seen stand for themselves, the others for U+0100 and so on.
  static let all: [Unicode.Scalar] = {
    let seen = { (byte: Int) in
      (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
    }
    var next: UInt32 = 0x100
    return (0..<256).map { byte in
      if seen(byte) { return Unicode.Scalar(UInt8(byte)) }
      defer { next += 1 }
      // Nothing from 0x100 to 0x143 is a surrogate.
      return Unicode.Scalar(next) ?? "?"
    }
  }()

  private static let bytes = Dictionary(
    uniqueKeysWithValues: all.enumerated().map { ($0.element, UInt8($0.offset)) })

  /// The byte that a character stands for; nil for other characters.
  static func byte(of scalar: Unicode.Scalar) -> UInt8? { bytes[scalar] }
}

/// Byte pairs as of GPT-2: the pair that was joined first in training is joined first.
struct BytePairs: Sendable {
  private let addsSpace: Bool
  /// The token of each byte.
  private let byteIDs: [Int32]
  /// By two tokens that follow each other: how urgently they are joined, and to what.
  private let pairs: [Pair: (rank: Int32, id: Int32)]

  private struct Pair: Hashable {
    let left: Int32
    let right: Int32
  }

  init(_ texts: Preprocessing.Texts, name: String) throws(DataError) {
    addsSpace = texts.addsSpace
    let ids = texts.idsByBytes
    var byteIDs: [Int32] = []
    for (byte, scalar) in ByteCharacters.all.enumerated() {
      guard let id = ids[Array(String(scalar).utf8)] else {
        throw .tokenizer(
          name: name,
          reason:
            "the byte \(byte) has no token, expected \"\(scalar)\" among them, as of a byte-level tokenizer"
        )
      }
      byteIDs.append(id)
    }
    self.byteIDs = byteIDs
    var pairs: [Pair: (rank: Int32, id: Int32)] = [:]
    for (rank, merge) in texts.merges.enumerated() {
      let parts = merge.utf8.split(separator: 0x20, omittingEmptySubsequences: false).map {
        Array($0)
      }
      guard parts.count == 2, let left = ids[parts[0]], let right = ids[parts[1]],
        let joined = ids[parts[0] + parts[1]]
      else {
        throw .tokenizer(
          name: name,
          reason: "merge \(rank) is \"\(merge)\", expected two tokens that give a third")
      }
      guard pairs.updateValue((Int32(rank), joined), forKey: Pair(left: left, right: right)) == nil
      else {
        throw .tokenizer(
          name: name, reason: "merge \(rank) is \"\(merge)\" again; keep one of them")
      }
    }
    self.pairs = pairs
  }

  func append(_ text: Substring, to ids: inout [Int32]) {
    var scalars = Array(text.unicodeScalars)
    if addsSpace, let first = scalars.first, first != " " {
      scalars.insert(" ", at: 0)
    }
    var known: [[UInt8]: [Int32]] = [:]
    TextCutting.gpt2Pieces(of: scalars) { piece in
      var view = String.UnicodeScalarView()
      view.append(contentsOf: piece)
      let bytes = Array(String(view).utf8)
      let joined = known[bytes] ?? joined(bytes)
      if bytes.count <= 32 { known[bytes] = joined }
      ids += joined
    }
  }

  /// The tokens of a word.
  private func joined(_ bytes: [UInt8]) -> [Int32] {
    var tokens = bytes.map { byteIDs[Int($0)] }
    let count = tokens.count
    // Neighbours of each token that is left.
    var (before, after) = (Array(-1..<count - 1), Array(1...max(count, 1)))
    var isGone = [Bool](repeating: false, count: count)
    var queue = MergeQueue()
    func offer(_ left: Int) {
      let right = after[left]
      guard right < count, let found = pairs[Pair(left: tokens[left], right: tokens[right])] else {
        return
      }
      queue.add(
        MergeQueue.Merge(
          rank: found.rank, place: left, left: tokens[left], right: tokens[right], id: found.id))
    }
    for place in 0..<count { offer(place) }
    while let merge = queue.take() {
      let left = merge.place
      let right = isGone[left] ? count : after[left]
      guard right < count, tokens[left] == merge.left, tokens[right] == merge.right else {
        continue
      }
      tokens[left] = merge.id
      isGone[right] = true
      after[left] = after[right]
      if after[left] < count { before[after[left]] = left }
      if before[left] >= 0 { offer(before[left]) }
      offer(left)
    }
    return tokens.indices.filter { !isGone[$0] }.map { tokens[$0] }
  }
}

/// The joins that are possible, the most urgent and then the leftmost first: a binary heap.
private struct MergeQueue {
  struct Merge {
    let rank: Int32
    let place: Int
    let left: Int32
    let right: Int32
    let id: Int32

    func comes(before other: Merge) -> Bool { (rank, place) < (other.rank, other.place) }
  }

  private var heap: [Merge] = []

  mutating func add(_ merge: Merge) {
    heap.append(merge)
    var place = heap.count - 1
    while place > 0, heap[place].comes(before: heap[(place - 1) / 2]) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func take() -> Merge? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2]
      where child < heap.count && heap[child].comes(before: heap[least]) {
        least = child
      }
      guard least != place else { return first }
      heap.swapAt(place, least)
      place = least
    }
  }
}
