/// Makes damaged models from good ones, each from a seed and a number alone.
///
/// Most changes are of fields, so that they reach behind the reader: other sizes, attributes, names
/// and types, parts left out, said twice, or taken from another model. Some are of bytes.
package struct ModelMutator: Sendable {
  private let models: [[UInt8]]
  private let trees: [MessageTree]
  /// What attributes, operators and values are called in the models.
  private let texts: [[UInt8]]
  private let names: [[UInt8]]
  private let seed: UInt64

  /// A mutator of `models`, which are well-formed.
  package init(_ models: [[UInt8]], seed: UInt64) {
    self.models = models
    self.seed = seed
    trees = models.compactMap { MessageTree($0[...], .model) }
    precondition(trees.count == models.count, "a model that isn't well-formed")
    var texts: Set<[UInt8]> = []
    var names: Set<[UInt8]> = [[]]
    for tree in trees {
      tree.forEachField { kind, field in
        guard case .bytes(let bytes) = field.value, bytes.count <= 64 else { return }
        if kind.isValueName(field.number) {
          names.insert(bytes)
        } else if kind != .tensor {
          texts.insert(bytes)
        }
      }
    }
    // A model that was changed before may have no text; there is always one to choose.
    let isBefore = { (left: [UInt8], right: [UInt8]) in left.lexicographicallyPrecedes(right) }
    self.texts = texts.isEmpty ? [[]] : texts.sorted(by: isBefore)
    self.names = names.sorted(by: isBefore)
  }

  /// The damaged model of a number.
  package func model(_ number: Int) -> [UInt8] {
    var random = SplitMix(seed: seed, case: number)
    let place = random.below(models.count)
    var bytes = models[place]
    if random.below(5) > 0 {
      var tree = trees[place]
      for _ in 0...random.below(4) where tree.fieldCount > 0 {
        tree.change(random.below(tree.fieldCount)) { message, field in
          mutate(&message, field, &random)
        }
      }
      bytes = tree.bytes
      if random.below(8) > 0 { return bytes }
    }
    Self.mutate(&bytes, &random)
    return bytes
  }

  // MARK: Fields

  private func mutate(_ message: inout MessageTree, _ place: Int, _ random: inout SplitMix) {
    switch random.below(8) {
    case 0: message.fields.remove(at: place)
    case 1: message.fields.insert(message.fields[place], at: place)
    case 2: message.fields.swapAt(place, random.below(message.fields.count))
    case 3:
      guard let other = field(like: message.kind, message.fields[place].number, &random) else {
        return
      }
      message.fields[place] = other
    case 4:
      let field = message.fields.remove(at: place)
      message.fields.insert(field, at: random.below(message.fields.count + 1))
    default: mutate(&message.fields[place], in: message, &random)
    }
  }

  /// A field of the same number in the same kind of message of some model.
  private func field(
    like kind: MessageTree.Kind, _ number: Int, _ random: inout SplitMix
  ) -> MessageTree.Field? {
    var found: [MessageTree.Field] = []
    random.element(of: trees).forEachField { other, field in
      if other == kind, field.number == number { found.append(field) }
    }
    return found.isEmpty ? nil : random.element(of: found)
  }

  private func mutate(
    _ field: inout MessageTree.Field, in message: MessageTree, _ random: inout SplitMix
  ) {
    switch field.value {
    case .varint(let number):
      field.value = .varint(
        random.below(4) == 0
          ? number &+ (random.below(2) == 0 ? 1 : .max) : Self.number(&random))
    case .fixed32: field.value = .fixed32(Self.float(&random))
    case .fixed64(var bytes):
      bytes[random.below(8)] = UInt8(truncatingIfNeeded: random.next())
      field.value = .fixed64(bytes)
    case .message: field.number = random.below(4) == 0 ? random.below(24) + 1 : field.number
    case .bytes(let bytes):
      if message.kind.isValueName(field.number) {
        field.value = .bytes(random.element(of: names))
      } else if message.kind == .tensor || message.kind == .attribute && field.number > 4 {
        field.value = .bytes(numbers(bytes, &random))
      } else {
        field.value = .bytes(random.element(of: texts))
      }
    }
  }

  /// Elements or packed numbers, one of them changed or some left out.
  private func numbers(_ bytes: [UInt8], _ random: inout SplitMix) -> [UInt8] {
    var bytes = bytes
    switch random.below(4) {
    case 0 where bytes.count >= 8:
      let value = Self.number(&random)
      bytes.withUnsafeMutableBytes {
        $0.storeBytes(
          of: value, toByteOffset: random.below($0.count / 8) * 8, as: UInt64.self)
      }
    case 1 where bytes.count >= 4:
      let value = Self.float(&random)
      let start = random.below(bytes.count / 4) * 4
      bytes.replaceSubrange(start..<start + 4, with: value)
    case 2: Self.mutate(&bytes, &random)
    default: bytes.removeLast(min(bytes.count, 1 + random.below(8)))
    }
    return bytes
  }

  /// Numbers that break what is sloppy: around 0, around powers of two, negative, and small ones.
  private static func number(_ random: inout SplitMix) -> UInt64 {
    switch random.below(4) {
    case 0: return UInt64(random.below(20))
    case 1: return UInt64(bitPattern: -Int64(random.below(8)))
    case 2:
      let power: UInt64 = 1 << UInt64(random.below(64))
      return power &+ UInt64(random.below(3)) &- 1
    default: return random.next() >> UInt64(random.below(64))
    }
  }

  private static func float(_ random: inout SplitMix) -> [UInt8] {
    let special: [Float] = [
      0, -0.0, 1, -1, 0.5, .nan, .infinity, -.infinity, .leastNonzeroMagnitude,
      .greatestFiniteMagnitude, 1e-30,
    ]
    let value =
      random.below(3) == 0
      ? Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) : random.element(of: special)
    return withUnsafeBytes(of: value) { Array($0) }
  }

  // MARK: Bytes

  /// Some bytes flipped, replaced, removed, repeated or cut off.
  package static func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix) {
    let interesting: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x3A]
    for _ in 0...random.below(3) where !bytes.isEmpty {
      let index = random.below(bytes.count)
      switch random.below(7) {
      case 0: bytes[index] ^= 1 << UInt8(random.below(8))
      case 1: bytes[index] = UInt8(truncatingIfNeeded: random.next())
      case 2: bytes[index] = random.element(of: interesting)
      case 3: bytes.remove(at: index)
      case 4: bytes.insert(bytes[index], at: index)
      case 5:
        let end = min(bytes.count, index + 1 + random.below(32))
        bytes.insert(contentsOf: bytes[index..<end], at: random.below(bytes.count))
      default: if random.below(8) == 0 { bytes.removeSubrange(index...) }
      }
    }
  }
}

extension ModelMutator {
  /// A model with some changes that follow from a seed; nil when it isn't well-formed.
  package static func changed(_ model: [UInt8], seed: UInt64) -> [UInt8]? {
    guard MessageTree(model[...], .model) != nil else { return nil }
    return ModelMutator([model], seed: seed).model(0)
  }
}
