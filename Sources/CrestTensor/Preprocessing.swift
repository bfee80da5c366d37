/// How stored values are changed before a model sees them.
///
///     value[c] = (stored[c] / divisor - mean[c]) / standardDeviation[c]
///
/// computed in `Double` and rounded once to `float32`; `c` is the channel. This is `ToTensor` and
/// `Normalize` of torchvision. It is part of what a model has learned: new data must be prepared in
/// the same way as the training data.
public struct Preprocessing: Sendable, Hashable, Codable {
  /// How an example's values are ordered.
  public enum Layout: String, Sendable, Hashable, Codable {
    /// Images as channels, rows, columns.
    case channelsFirst
    /// Images as rows, columns, channels.
    case channelsLast
    /// In any order; all values belong to one channel.
    case asStored
  }

  /// The order of an example's values.
  public let layout: Layout
  /// The divisor of stored values, their largest possible value.
  public let divisor: Double
  /// The mean to subtract in each channel; empty if nothing is normalised.
  public let mean: [Double]
  /// The standard deviation to divide by in each channel; empty if nothing is normalised.
  public let standardDeviation: [Double]
  /// How image files become arrays; nil for data that are arrays.
  public let images: Images?
  /// How texts become ids of tokens; nil for other data.
  public let texts: Texts?
  /// How the rows of a table become the inputs; nil for other data.
  public internal(set) var table: Table?

  private enum CodingKeys: CodingKey {
    case layout, divisor, mean, standardDeviation, images, texts, table
  }

  /// Values are used as they are stored.
  public static let identity = Preprocessing(
    layout: .asStored, divisor: 1, mean: [], standardDeviation: [])

  /// Normalised images, with one mean and one standard deviation per channel.
  ///
  /// - Precondition: there are as many means as standard deviations, at most one for values without
  ///   channels, and nothing divides by zero.
  public init(
    layout: Layout, divisor: Double, mean: [Double], standardDeviation: [Double],
    images: Images? = nil, texts: Texts? = nil
  ) {
    programmerError(
      unless: mean.count == standardDeviation.count && (layout != .asStored || mean.count <= 1),
      "\(mean.count) means for \(standardDeviation.count) standard deviations, \(layout)")
    programmerError(
      unless: divisor > 0 && standardDeviation.allSatisfy { $0 > 0 },
      "divisor \(divisor) and standard deviations \(standardDeviation) must be positive")
    self.layout = layout
    self.divisor = divisor
    self.mean = mean
    self.standardDeviation = standardDeviation
    self.images = images
    self.texts = texts
  }

  /// Bytes divided by 255 and normalised by their histograms: to mean 0 and standard deviation 1 in
  /// each channel.
  ///
  /// - Parameters:
  ///   - layout: The order of an example's values.
  ///   - histograms: For each channel, how often each of the 256 bytes occurs.
  /// - Precondition: each has 256 counts, at least one of them above 0.
  package init(layout: Layout, normalizing histograms: [[Int]]) {
    var (means, deviations): ([Double], [Double]) = ([], [])
    for histogram in histograms {
      let count = Double(histogram.reduce(0, +))
      programmerError(
        unless: histogram.count == 256 && count > 0, "\(histogram.count) counts of \(count) bytes")
      let mean = zip(0..., histogram).reduce(0) { $0 + Double($1.0 * $1.1) } / 255 / count
      let variance =
        zip(0..., histogram).reduce(0) { sum, entry in
          let distance = Double(entry.0) / 255 - mean
          return sum + distance * distance * Double(entry.1)
        } / count
      means.append(mean)
      // Images of a single grey level have no deviation to divide by.
      deviations.append(variance > 0 ? variance.squareRoot() : 1)
    }
    self.init(layout: layout, divisor: 255, mean: means, standardDeviation: deviations)
  }

  /// Reads the preprocessing of a checkpoint.
  ///
  /// - Throws: `DecodingError` if it is missing or invalid.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let decoded = Preprocessing(
      checking: try container.decode(Layout.self, forKey: .layout),
      divisor: try container.decode(Double.self, forKey: .divisor),
      mean: try container.decode([Double].self, forKey: .mean),
      standardDeviation: try container.decode([Double].self, forKey: .standardDeviation),
      images: container.contains(.images)
        ? try container.decode(Images.self, forKey: .images) : nil,
      texts: container.contains(.texts) ? try container.decode(Texts.self, forKey: .texts) : nil)
    guard let decoded else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "expected \(Self.expectation)"))
    }
    self = decoded
    guard container.contains(.table) else { return }
    let text = try container.decode(String.self, forKey: .table)
    guard let value = try? JSONValue(parsing: text, within: .metadata),
      let table = Table(json: value)
    else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath, debugDescription: "expected the preparation of a table"))
    }
    self.table = table
  }

  /// Writes what a checkpoint has always held, and how image files become arrays or texts ids if they do.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(layout, forKey: .layout)
    try container.encode(divisor, forKey: .divisor)
    try container.encode(mean, forKey: .mean)
    try container.encode(standardDeviation, forKey: .standardDeviation)
    if let images { try container.encode(images, forKey: .images) }
    if let texts { try container.encode(texts, forKey: .texts) }
    if let table { try container.encode(table.json, forKey: .table) }
  }

  /// A preprocessing with values from a file; nil if they are invalid.
  init?(
    checking layout: Layout, divisor: Double, mean: [Double], standardDeviation: [Double],
    images: Images?, texts: Texts?
  ) {
    guard divisor > 0, divisor.isFinite, mean.allSatisfy(\.isFinite),
      mean.count == standardDeviation.count, layout != .asStored || mean.count <= 1,
      standardDeviation.allSatisfy({ $0 > 0 && $0.isFinite })
    else { return nil }
    self.init(
      layout: layout, divisor: divisor, mean: mean, standardDeviation: standardDeviation,
      images: images, texts: texts)
  }

  /// The same values in another order.
  package func with(_ layout: Layout) -> Preprocessing {
    var copy = Preprocessing(
      layout: layout, divisor: divisor, mean: mean, standardDeviation: standardDeviation,
      images: images, texts: texts)
    copy.table = table
    return copy
  }

  /// The same values from image files that become arrays in this way.
  package func of(_ images: Images?) -> Preprocessing {
    var copy = Preprocessing(
      layout: layout, divisor: divisor, mean: mean, standardDeviation: standardDeviation,
      images: images, texts: texts)
    copy.table = table
    return copy
  }

  /// What ``init(checking:divisor:mean:standardDeviation:images:texts:)`` accepts, for messages.
  static let expectation =
    "a layout, a positive divisor, and as many means as positive standard deviations, at most one for "
    + "numbers as they are stored; of image files, channels, height, width, fit and filter; of texts, their tokens; of a "
    + "table, what its columns became"

  /// Whether values are used as they are stored.
  public var isIdentity: Bool { divisor == 1 && mean.isEmpty }

  /// Whether `other` gives the same results for examples that both apply to.
  public func isSame(as other: Preprocessing) -> Bool {
    let isOneSize = images == nil || other.images == nil || images == other.images
    let isOneText = texts == nil || other.texts == nil || texts == other.texts
    guard table == nil || other.table == nil || table == other.table else { return false }
    let (own, others) = (numbersOnly, other.numbersOnly)
    return isOneSize && isOneText && (own == others || isIdentity && other.isIdentity)
  }

  /// The preprocessing without what becomes of files.
  private var numbersOnly: Preprocessing {
    Preprocessing(
      layout: layout, divisor: divisor, mean: mean, standardDeviation: standardDeviation)
  }

  /// The preprocessed value of `stored` in `channel`.
  public func value(_ stored: Double, channel: Int) -> Float {
    check(channel)
    let scaled = stored / divisor
    return mean.isEmpty
      ? Float(scaled) : Float((scaled - mean[channel]) / standardDeviation[channel])
  }

  /// The inverse of ``value(_:channel:)`` except for rounding, divided by the divisor.
  package func scaledStored(_ value: Double, channel: Int) -> Double {
    check(channel)
    return mean.isEmpty ? value : value * standardDeviation[channel] + mean[channel]
  }

  private func check(_ channel: Int) {
    programmerError(
      unless: mean.isEmpty || mean.indices.contains(channel),
      "channel \(channel) of a preprocessing of \(mean.count) channels")
  }

  /// Stored examples, preprocessed.
  ///
  /// - Parameter examples: [N, …] of any element type.
  /// - Returns: [N, …] of `float32`.
  /// - Throws: ``PreprocessingError`` if their channels don't fit.
  public func applied(to examples: Tensor) throws(PreprocessingError) -> Tensor {
    let preparation = try ExamplePreparation(self, Shape(Array(examples.shape.dropFirst())))
    return preparation.applied(to: examples)
  }
}

extension Preprocessing: CustomStringConvertible {
  /// As in `(x / 255 - 0.13066) / 0.30811`, with five decimals; `none` for values as they are; of a table,
  /// what its columns became.
  public var description: String {
    if let texts { return "\(texts)" }
    if isIdentity { return table.map { "\($0)" } ?? "none" }
    let scaled = divisor == 1 ? "x" : "x / \(Self.short(divisor))"
    if mean.isEmpty { return scaled }
    return "(\(scaled) - \(Self.list(mean))) / \(Self.list(standardDeviation))"
  }

  /// Values for people: one as it is, several in brackets.
  package static func list(_ values: [Double]) -> String {
    values.count == 1
      ? short(values[0]) : "[\(values.map(short).joined(separator: ", "))]"
  }

  /// At most five decimals, for people; the encoded form has them all.
  package static func short(_ value: Double) -> String {
    guard value.magnitude < 1e9, value.magnitude >= 1e-3 || value == 0 else { return "\(value)" }
    if value == value.rounded() { return String(Int(value)) }
    return "\((value * 1e5).rounded() / 1e5)"
  }
}

/// Examples whose channels don't fit a preprocessing.
public struct PreprocessingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The preprocessing.
  public let preprocessing: Preprocessing
  /// The shape of an example.
  public let example: Shape

  /// Where the channels are, how many were expected, and the shape that was found.
  public var description: String {
    let count = preprocessing.mean.count
    let place =
      switch preprocessing.layout {
      case .channelsFirst: "along the first axis of an example"
      case .channelsLast: "along the last axis of an example"
      case .asStored: "in an example"
      }
    return "the preprocessing is for \(count) \(count == 1 ? "channel" : "channels") \(place), got "
      + "examples of shape \(example)"
  }
}
