import CrestTensor

/// What is done to a set's stored numbers before a model sees them, and what must be done to new ones
/// before the trained model is asked about them.
///
///     value[c] = (stored[c] / divisor - mean[c]) / standardDeviation[c]
///
/// computed in `Double` and rounded once to `float32`; `c` is the channel. This is `ToTensor` and
/// `Normalize` of torchvision.
public struct Preprocessing: Sendable, Hashable, Codable {
  /// How an example's numbers are ordered.
  public enum Layout: String, Sendable, Hashable, Codable {
    /// Images as channels, rows, columns.
    case channelsFirst
    /// Whatever the set's author chose.
    case asStored
  }

  /// The order of an example's numbers.
  public let layout: Layout
  /// What stored numbers are divided by, the largest they can be.
  public let divisor: Double
  /// What is subtracted in each channel; empty when nothing is normalised.
  public let mean: [Double]
  /// What is divided by in each channel; empty when nothing is normalised.
  public let standardDeviation: [Double]

  /// Numbers are used as they are stored.
  public static let none = Preprocessing(
    layout: .asStored, divisor: 1, mean: [], standardDeviation: [])

  /// Normalised images, one mean and one standard deviation a channel.
  ///
  /// - Precondition: there are as many means as standard deviations, and nothing divides by zero.
  public init(layout: Layout, divisor: Double, mean: [Double], standardDeviation: [Double]) {
    precondition(
      mean.count == standardDeviation.count,
      "\(mean.count) means for \(standardDeviation.count) standard deviations")
    precondition(
      divisor > 0 && standardDeviation.allSatisfy { $0 > 0 },
      "divisor \(divisor) and standard deviations \(standardDeviation) must be positive")
    self.layout = layout
    self.divisor = divisor
    self.mean = mean
    self.standardDeviation = standardDeviation
  }

  /// Reads what a checkpoint or a model says.
  ///
  /// - Throws: `DecodingError` when it isn't there, or makes no sense.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    layout = try container.decode(Layout.self, forKey: .layout)
    divisor = try container.decode(Double.self, forKey: .divisor)
    mean = try container.decode([Double].self, forKey: .mean)
    standardDeviation = try container.decode([Double].self, forKey: .standardDeviation)
    guard divisor > 0, divisor.isFinite, mean.allSatisfy(\.isFinite),
      mean.count == standardDeviation.count,
      standardDeviation.allSatisfy({ $0 > 0 && $0.isFinite })
    else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription:
            "a preprocessing needs a positive divisor and as many means as positive "
            + "standard deviations, got \(divisor), \(mean) and \(standardDeviation)"))
    }
  }

  /// Whether numbers are used as they are stored.
  public var isIdentity: Bool { divisor == 1 && mean.isEmpty }

  /// The value that a model sees for `stored` in `channel`.
  public func value(_ stored: Double, channel: Int) -> Float {
    let scaled = stored / divisor
    return mean.isEmpty
      ? Float(scaled) : Float((scaled - mean[channel]) / standardDeviation[channel])
  }

  /// What ``value(_:channel:)`` made `value` of, but for rounding, divided by the divisor.
  func scaledStored(_ value: Double, channel: Int) -> Double {
    mean.isEmpty ? value : value * standardDeviation[channel] + mean[channel]
  }

  /// The values of the bytes 0 to 255 in each of `channelCount` channels, one channel after the other.
  func byteTable(channelCount: Int) -> [Float] {
    (0..<channelCount).flatMap { channel in
      (0..<256).map { value(Double($0), channel: channel) }
    }
  }
}

extension Preprocessing {
  /// Digits: pixels are 0 to 16; mean and standard deviation over the 1,797 images.
  public static let digits = Preprocessing(
    layout: .channelsFirst, divisor: 16, mean: [0.30526], standardDeviation: [0.37605])
  /// MNIST: mean and standard deviation over the 60,000 training images.
  public static let mnist = Preprocessing(
    layout: .channelsFirst, divisor: 255, mean: [0.13066], standardDeviation: [0.30811])
  /// Fashion-MNIST: mean and standard deviation over the 60,000 training images.
  public static let fashionMNIST = Preprocessing(
    layout: .channelsFirst, divisor: 255, mean: [0.28604], standardDeviation: [0.35302])
  /// CIFAR-10: mean and standard deviation of red, green and blue over the 50,000 training images.
  public static let cifar10 = Preprocessing(
    layout: .channelsFirst, divisor: 255, mean: [0.49139968, 0.48215841, 0.44653091],
    standardDeviation: [0.24703223, 0.24348513, 0.26158784])
}
