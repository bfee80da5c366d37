import CrestGraph
import CrestTensor

/// An array of a file that holds another's elements in another arrangement, as exporters store a weight once
/// more, transposed, where a network reads it both ways.
struct RearrangedCopy: Sendable {
  /// The array's name.
  let name: String
  /// The name of the array that is the parameter.
  let original: String
  /// Whether the network ties both, rather than having begun two arrays so.
  let isTied: Bool
  /// The array's shape.
  let shape: Shape
  /// The original's sizes without those of 1.
  private let sizes: [Int]
  /// Which of these axes each axis of the copy is, those of size 1 left out; nil when the elements keep their order.
  private let permutation: [Int]?

  /// An array that may be one.
  struct Candidate {
    let array: FileArray
    let value: Tensor
    /// The arrays of the program that it consists of; empty when the file doesn't say.
    let sources: Set<String>
    /// Whether its name is the exporter's.
    let isMadeUp: Bool
  }

  /// The copies among arrays of `float32`, each of an array that is no copy.
  static func all(among candidates: [Candidate]) -> [RearrangedCopy] {
    struct Key: Hashable {
      let count: Int
      let ends: [UInt32]
    }
    // Whatever the arrangement, the first and the last element stay where they are.
    func key(_ candidate: Candidate) -> Key {
      candidate.value.withElements(as: Float.self) { elements in
        Key(
          count: elements.count,
          ends: [elements[0], elements[elements.count - 1]].map(\.bitPattern))
      }
    }
    let candidates = candidates.filter { $0.value.elementCount > 1 }
    let groups = Dictionary(grouping: candidates, by: key)
    var found: [RearrangedCopy] = []
    for candidate in candidates {
      guard let group = groups[key(candidate)], (2...groupLimit).contains(group.count),
        candidate.isTelling
      else { continue }
      let originals = group.filter { other in
        other.array.name != candidate.array.name && other.precedes(candidate)
          && !found.contains { $0.name == other.array.name }
      }
      if let copy = originals.lazy.compactMap({ RearrangedCopy(candidate, of: $0) }).first {
        found.append(copy)
      }
    }
    return found
  }

  /// More arrays with the same ends are none that were drawn.
  private static let groupLimit = 64
  private static let rankLimit = 4

  /// How `copy` is `original` in another arrangement; nil when it isn't.
  private init?(_ copy: Candidate, of original: Candidate) {
    let sizes = original.value.shape.filter { $0 > 1 }
    let wanted = copy.value.shape.filter { $0 > 1 }
    guard sizes.count <= Self.rankLimit, wanted.count <= Self.rankLimit else { return nil }
    let (from, to) = (original.value.array(as: Float.self), copy.value.array(as: Float.self))
    if Self.isEqual(from, to, at: nil) {
      // Equal arrays of one shape are two of the program, or exporters would have merged them.
      guard original.value.shape != copy.value.shape else { return nil }
      permutation = nil
    } else {
      let found = Self.permutations(sizes.count).first { permutation in
        permutation.map { sizes[$0] } == wanted
          && Self.isEqual(from, to, at: Self.places(sizes, permutation))
      }
      guard let found else { return nil }
      permutation = found
    }
    name = copy.array.name
    self.original = original.array.name
    shape = copy.value.shape
    self.sizes = Array(sizes)
    if !copy.sources.isEmpty, !original.sources.isEmpty {
      isTied = !copy.sources.isDisjoint(with: original.sources)
    } else {
      isTied = copy.isMadeUp || original.isMadeUp
    }
  }

  /// The copy's elements, of the original's.
  func elements(of original: [Float]) -> [Float] {
    guard let permutation else { return original }
    var elements: [Float] = []
    elements.reserveCapacity(original.count)
    for place in Self.places(sizes, permutation) { elements.append(original[place]) }
    return elements
  }

  /// The copy as it follows from the original.
  func symbol(of original: Symbol) throws -> Symbol {
    guard let permutation else { return try original.reshaped(exactlyTo: shape) }
    return try original.reshaped(exactlyTo: Shape(sizes)).transposed(permutation)
      .reshaped(exactlyTo: shape)
  }

  private static func isEqual(_ a: [Float], _ b: [Float], at places: Places?) -> Bool {
    guard let places else {
      return zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern }
    }
    return zip(places, b).allSatisfy { a[$0].bitPattern == $1.bitPattern }
  }

  private static func permutations(_ count: Int) -> [[Int]] {
    guard count > 0 else { return [[]] }
    return permutations(count - 1).flatMap { rest in
      (0...rest.count).map { place in
        var permutation = rest
        permutation.insert(count - 1, at: place)
        return permutation
      }
    }
  }

  private static func places(_ sizes: some Collection<Int>, _ permutation: [Int]) -> Places {
    Places(Array(sizes), permutation)
  }

  /// The places of an array's elements in the order of another arrangement.
  private struct Places: Sequence, IteratorProtocol {
    private let sizes: [Int]
    private let strides: [Int]
    private var index: [Int]
    private var place = 0
    private var left: Int

    init(_ sizes: [Int], _ permutation: [Int]) {
      var strides = [Int](repeating: 1, count: sizes.count)
      for axis in sizes.indices.dropLast().reversed() {
        strides[axis] = strides[axis + 1] * sizes[axis + 1]
      }
      self.sizes = permutation.map { sizes[$0] }
      self.strides = permutation.map { strides[$0] }
      index = [Int](repeating: 0, count: sizes.count)
      left = sizes.reduce(1, *)
    }

    mutating func next() -> Int? {
      guard left > 0 else { return nil }
      left -= 1
      let current = place
      for axis in sizes.indices.reversed() {
        index[axis] += 1
        place += strides[axis]
        if index[axis] < sizes[axis] { break }
        place -= strides[axis] * sizes[axis]
        index[axis] = 0
      }
      return current
    }
  }
}

extension RearrangedCopy.Candidate {
  /// The different numbers that no accident gives two arrays in fitting places.
  private static let leastDifferent = 8

  /// Whether its numbers are no pattern that two arrays may share by themselves.
  fileprivate var isTelling: Bool {
    value.withElements(as: Float.self) { elements in
      let needed = min(Self.leastDifferent, elements.count * 3 / 4)
      var different: Set<UInt32> = []
      for element in elements {
        different.insert(element.bitPattern)
        if different.count >= max(needed, 2) { return true }
      }
      return false
    }
  }

  /// Whether it is rather the original than another: by its name, else by its place.
  fileprivate func precedes(_ other: RearrangedCopy.Candidate) -> Bool {
    if isMadeUp != other.isMadeUp { return !isMadeUp }
    return array.place < other.array.place
  }
}
