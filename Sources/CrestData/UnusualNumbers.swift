package import CrestTensor

extension DataError {
  /// Numbers of a data set that a network may swallow without a trace, and the first example that has one.
  public struct UnusualNumbers: Error, Sendable, Hashable {
    /// What is unusual about them.
    public enum Kind: Sendable, Hashable {
      /// They are NaN.
      case nan
      /// They are infinite.
      case infinite
      /// They are indices into a table of `size` and below 0: ONNX counts them from the end.
      case negativeIndex(size: Int)
      /// They are indices into a table of `size` and out of range.
      case indexOutOfRange(size: Int)
    }

    /// What is unusual about them.
    public let kind: Kind
    /// The input; nil for the targets.
    public let input: String?
    /// The name of the set; for a part that was split off, that of the whole set.
    public let dataset: String
    /// How many examples have such numbers; nil if not all examples are known.
    public let exampleCount: Int?
    /// How many examples were checked; nil if not all are known.
    public let count: Int?
    /// The index in the set of the first of them, from 0.
    public let firstExample: Int
    /// Its first such number.
    public let value: String
  }
}

extension DataError.UnusualNumbers: CustomStringConvertible {
  /// As in `the input "x" holds nan in 2 of 80 examples of data, first in example 7 (from 0)`.
  public var description: String {
    let place = input.map { "the input \"\($0)\" holds" } ?? "the targets hold"
    let examples =
      if let exampleCount, let count, exampleCount > 1 {
        "\(exampleCount) of \(count) examples of \(dataset), first in example \(firstExample) (from 0)"
      } else {
        "example \(firstExample) (from 0) of \(dataset)"
      }
    return switch kind {
    case .nan, .infinite: "\(place) \(value) in \(examples)"
    case .negativeIndex: "\(place) an index below 0, \(value), in \(examples)"
    case .indexOutOfRange(let size):
      "\(place) an index outside -\(size) to \(size - 1), \(value), in \(examples)"
    }
  }
}

extension DataError.UnusualNumbers {
  /// The finding in a batch, with the example's index in its set; for a part that was split off, in
  /// the whole set.
  package func moved(to example: Int, of dataset: any Dataset) -> DataError.UnusualNumbers {
    var (index, dataset) = (example, dataset)
    while let part = dataset as? Subset {
      index = part.indices[index]
      dataset = part.base
    }
    return DataError.UnusualNumbers(
      kind: kind, input: input, dataset: dataset.name, exampleCount: nil, count: nil,
      firstExample: index, value: value)
  }

  /// What to look for in a field.
  package struct Search: Sendable, Hashable {
    /// The size of the table into which integers are indices; nil if they aren't indices.
    package let indexBound: Int?

    /// A search for non-finite numbers, and for invalid indices into a table.
    package init(indexBound: Int? = nil) { self.indexBound = indexBound }
  }

  /// The unusual numbers in examples along axis 0 of a tensor, one finding per kind.
  ///
  /// - Parameters:
  ///   - tensor: The numbers.
  ///   - rows: The examples to check; nil for all.
  ///   - search: What to look for.
  ///   - input: The input's name; nil for the targets.
  ///   - name: The name of the set.
  /// - Returns: A finding for each kind that occurs; the example is a row of the tensor.
  package static func find(
    in tensor: Tensor, rows: [Int]? = nil, _ search: Search = Search(), input: String?,
    of name: String
  ) -> [DataError.UnusualNumbers] {
    guard let all = tensor.shape.first, tensor.elementCount > 0 else { return [] }
    let size = tensor.elementCount / all
    func findings(_ kinds: [Kind], _ kind: (Int) -> Kind?, _ text: (Int) -> String)
      -> [DataError.UnusualNumbers]
    {
      var found: [Kind: (count: Int, first: Int, place: Int)] = [:]
      func look(_ row: Int) {
        var seen: [Kind] = []
        for place in row * size..<(row + 1) * size {
          guard let kind = kind(place), !seen.contains(kind) else { continue }
          seen.append(kind)
          let known = found[kind]
          found[kind] = ((known?.count ?? 0) + 1, known?.first ?? row, known?.place ?? place)
        }
      }
      if let rows { rows.forEach(look) } else { (0..<all).forEach(look) }
      return kinds.compactMap { kind in
        found[kind].map { entry in
          DataError.UnusualNumbers(
            kind: kind, input: input, dataset: name, exampleCount: entry.count,
            count: rows?.count ?? all, firstExample: entry.first, value: text(entry.place))
        }
      }
    }
    func floats(_ value: (Int) -> Double) -> [DataError.UnusualNumbers] {
      findings([.nan, .infinite]) { place in
        let value = value(place)
        return value.isFinite ? nil : value.isNaN ? .nan : .infinite
      } _: { place in
        // A NaN's sign means nothing.
        value(place).isNaN ? "nan" : "\(value(place))"
      }
    }
    switch tensor.elementType {
    case .float32:
      return tensor.withElements(as: Float.self) { values in
        values.areFinite ? [] : floats { Double(values[$0]) }
      }
    case .float64, .float16, .bfloat16:
      let values = tensor.doubles
      return values.allSatisfy(\.isFinite) ? [] : floats { values[$0] }
    case .int8, .int16, .int32, .int64, .uint8:
      guard let bound = search.indexBound, let values = tensor.integers else { return [] }
      let limit = Int64(bound)
      guard !values.allSatisfy({ $0 >= 0 && $0 < limit }) else { return [] }
      return findings([.indexOutOfRange(size: bound), .negativeIndex(size: bound)]) { place in
        let value = values[place]
        if value >= limit || value < -limit { return .indexOutOfRange(size: bound) }
        return value < 0 ? .negativeIndex(size: bound) : nil
      } _: {
        "\(values[$0])"
      }
    case .bool: return []
    }
  }
}

extension UnsafeBufferPointer<Float> {
  /// Whether all are finite, at memory speed.
  fileprivate var areFinite: Bool {
    withMemoryRebound(to: UInt32.self) { words in
      var sign: UInt32 = 0
      // The bit above the exponent is the sign.
      for word in words { sign |= (word & 0x7F80_0000) &+ 0x0080_0000 }
      return sign < 0x8000_0000
    }
  }
}

/// The numbers of a data set as stored in memory.
package struct StoredNumbers {
  /// The name of the set that holds them.
  package let name: String
  /// A tensor for each input that isn't of bytes, by its index.
  package let inputs: [Int: Tensor]
  /// The targets; nil for a set of images with one class each.
  let allTargets: Tensor?
  /// The targets that aren't labels, which are checked elsewhere.
  package var targets: Tensor? { allTargets.flatMap { $0.elementType.isFloat ? $0 : nil } }
  /// The examples of the set, as rows of the tensors; nil for all.
  package let rows: [Int]?
}

extension Dataset {
  /// The set's numbers in memory; nil for a set that makes or reads them on demand.
  package var storedNumbers: StoredNumbers? {
    switch self {
    case let examples as TensorExamples: examples.stored
    case let images as ByteImages:
      StoredNumbers(name: images.name, inputs: [:], allTargets: nil, rows: nil)
    case let part as Subset:
      part.base.storedNumbers.map { base in
        StoredNumbers(
          name: base.name, inputs: base.inputs, allTargets: base.allTargets,
          rows: part.indices.map { base.rows?[$0] ?? $0 })
      }
    default: nil
    }
  }

  /// The unusual numbers of a set in memory.
  ///
  /// - Parameter searches: What to look for in each input.
  /// - Returns: A finding for each kind and input; nil for sets that aren't in memory.
  package func unusualNumbers(_ searches: [DataError.UnusualNumbers.Search]) -> [DataError
    .UnusualNumbers]?
  {
    guard let stored = storedNumbers else { return nil }
    var found: [DataError.UnusualNumbers] = []
    for (place, field) in inputs.enumerated() {
      guard let tensor = stored.inputs[place] else { continue }
      found += DataError.UnusualNumbers.find(
        in: tensor, rows: stored.rows, searches[place], input: field.name, of: stored.name)
    }
    if let targets = stored.targets {
      found += DataError.UnusualNumbers.find(
        in: targets, rows: stored.rows, input: nil, of: stored.name)
    }
    return found
  }
}
