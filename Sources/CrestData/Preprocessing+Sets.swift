public import CrestTensor

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

  /// Images of bytes in a tensor, normalised by their own statistics: per channel if the sizes of
  /// their axes show the channels, otherwise over all values.
  ///
  /// - Precondition: there is at least one byte.
  init(normalizingImages images: Tensor) {
    let example = Shape(Array(images.shape.dropFirst()))
    let layout = Layout(ofImages: example) ?? .asStored
    let (channelCount, runLength) =
      switch layout {
      case .channelsFirst: (example[0], example[1] * example[2])
      case .channelsLast: (example[2], 1)
      case .asStored: (1, example.elementCount)
      }
    var histograms = [[Int]](
      repeating: [Int](repeating: 0, count: 256), count: channelCount)
    images.withElements(as: UInt8.self) { bytes in
      for channel in 0..<channelCount {
        histograms[channel].withUnsafeMutableBufferPointer { histogram in
          for start in stride(
            from: channel * runLength, to: bytes.count, by: channelCount * runLength)
          {
            for index in start..<start + runLength { histogram[Int(bytes[index])] += 1 }
          }
        }
      }
    }
    self.init(layout: layout, normalizing: histograms)
  }
}
