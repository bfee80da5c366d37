public import CrestTensor

/// How images stored with one order of axes are rearranged to another.
///
/// PyTorch and Crest have channels first, Keras and most image readers last.
package enum ImageArrangement: Sendable, Hashable {
  /// Rows, columns, channels become channels, rows, columns.
  case channelsFirst
  /// Channels, rows, columns become rows, columns, channels.
  case channelsLast
  /// Rows and columns get an axis of one channel in front.
  case channelBefore
  /// Rows and columns get an axis of one channel at the end.
  case channelAfter

  /// The numbers of channels by which images are recognised: grey, RGB, and RGBA.
  package static let channelCounts: Set<Int> = [1, 3, 4]

  /// The arrangement that turns examples of `stored` into `wanted`; nil if they are the same or
  /// none does.
  package init?(from stored: Shape, to wanted: Shape) {
    guard stored != wanted else { return nil }
    let found = Self.all.first { $0.result(of: stored, isKnown: true) == wanted }
    guard let found else { return nil }
    self = found
  }

  /// The arrangement that makes examples of `stored` fit `sizes`, where nil fits any size; nil if
  /// the stored ones fit, or none does.
  package init?(from stored: Shape, toFit sizes: [Int?]) {
    func fits(_ shape: Shape) -> Bool {
      shape.rank == sizes.count && zip(shape, sizes).allSatisfy { $1 == nil || $0 == $1 }
    }
    guard !fits(stored) else { return nil }
    let found = Self.all.first { arrangement in
      // If all sizes are stated, any number of channels is clear.
      guard let shape = arrangement.result(of: stored, isKnown: !sizes.contains(nil)), fits(shape)
      else { return false }
      // An axis of unknown size is no reason to add one.
      return switch arrangement {
      case .channelBefore: sizes.first == 1
      case .channelAfter: sizes.last == 1
      case .channelsFirst, .channelsLast: true
      }
    }
    guard let found else { return nil }
    self = found
  }

  /// All of them.
  package static let all: [ImageArrangement] = [
    .channelsFirst, .channelsLast, .channelBefore, .channelAfter,
  ]

  /// The shape of rearranged examples; nil if this arrangement doesn't apply to `stored`.
  package func result(of stored: Shape) -> Shape? { result(of: stored, isKnown: false) }

  /// As ``result(of:)``, but with any number of channels if the channel axis is known from
  /// elsewhere.
  package func result(of stored: Shape, isKnown: Bool) -> Shape? {
    switch self {
    case .channelsFirst:
      guard stored.rank == 3,
        isKnown || Self.mayBeChannels(stored[2], of: (stored[0], stored[1]))
      else { return nil }
      return [stored[2], stored[0], stored[1]]
    case .channelsLast:
      guard stored.rank == 3,
        isKnown || Self.mayBeChannels(stored[0], of: (stored[1], stored[2]))
      else { return nil }
      return [stored[1], stored[2], stored[0]]
    case .channelBefore: return stored.rank == 2 ? Shape([1] + stored) : nil
    case .channelAfter: return stored.rank == 2 ? Shape(stored.dimensions + [1]) : nil
    }
  }

  /// Whether a size may be an image's number of channels: a usual one, or one smaller than the side
  /// of a square image.
  fileprivate static func mayBeChannels(_ count: Int, of image: (Int, Int)) -> Bool {
    channelCounts.contains(count) || image.0 == image.1 && image.0 > count
  }

  /// The examples of [N, …], rearranged.
  ///
  /// - Precondition: they have a suitable shape.
  package func applied(to examples: Tensor) -> Tensor {
    let stored = Shape(Array(examples.shape.dropFirst()))
    guard let result = result(of: stored, isKnown: true) else {
      programmerError("\(self) of examples \(stored)")
    }
    let shape = Shape([examples.shape[0]] + result)
    switch self {
    case .channelBefore, .channelAfter:
      return examples.withUnsafeBytes {
        Tensor(bytes: $0, shape: shape, elementType: examples.elementType)
      }
    case .channelsFirst:
      return examples.swapped(inner: (stored[0] * stored[1], stored[2]), shape: shape)
    case .channelsLast:
      return examples.swapped(inner: (stored[0], stored[1] * stored[2]), shape: shape)
    }
  }

  /// The layout of channels afterwards.
  func applied(to preprocessing: Preprocessing) -> Preprocessing {
    let layout: Preprocessing.Layout =
      switch self {
      case .channelsFirst, .channelBefore: .channelsFirst
      case .channelsLast, .channelAfter: .channelsLast
      }
    return preprocessing.isIdentity ? preprocessing : preprocessing.with(layout)
  }
}

extension Preprocessing.Layout {
  /// The layout of images of `shape`, if their sizes show it; otherwise nil.
  ///
  /// Recognises 1, 3 or 4 channels: last if the first axis is larger, unless the axes after it form
  /// a square; otherwise first. Fewer channels than rows of a square image are also last.
  public init?(ofImages shape: Shape) {
    guard shape.rank == 3 else { return nil }
    let channels = ImageArrangement.channelCounts
    let looksFirst = channels.contains(shape[0])
    if ImageArrangement.mayBeChannels(shape[2], of: (shape[0], shape[1])), shape[0] > shape[2],
      !(looksFirst && shape[1] == shape[2])
    {
      self = .channelsLast
    } else if looksFirst {
      self = .channelsFirst
    } else {
      return nil
    }
  }
}

extension Tensor {
  /// A copy with each example, a matrix of `inner` sizes, transposed.
  fileprivate func swapped(inner: (Int, Int), shape: Shape) -> Tensor {
    var result = Tensor(zeros: shape, elementType: elementType)
    let size = elementType.byteCount
    let (rows, columns) = inner
    withUnsafeBytes { source in
      result.withUnsafeMutableBytes { output in
        func transpose<Word: BitwiseCopyable>(as type: Word.Type) {
          let (source, output) = (source.bindMemory(to: type), output.bindMemory(to: type))
          for example in stride(from: 0, to: source.count, by: max(rows * columns, 1)) {
            for row in 0..<rows {
              for column in 0..<columns {
                output[example + column * rows + row] = source[example + row * columns + column]
              }
            }
          }
        }
        switch size {
        case 1: transpose(as: UInt8.self)
        case 2: transpose(as: UInt16.self)
        case 4: transpose(as: UInt32.self)
        default: transpose(as: UInt64.self)
        }
      }
    }
    return result
  }
}
