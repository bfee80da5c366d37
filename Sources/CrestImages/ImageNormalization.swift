import CrestData
import CrestTensor

/// By which figures the bytes of images become numbers: (byte / 255 − mean) / deviation, channel by channel.
public enum ImageNormalization: String, Sendable, Hashable, CaseIterable {
  /// Mean and deviation of the set's own training images.
  case own
  /// ImageNet's mean 0.485, 0.456, 0.406 and deviation 0.229, 0.224, 0.225, as torchvision's, timm's and fastai's trained
  /// networks take them; images have three channels.
  case imageNet = "imagenet"
  /// CIFAR-10's (`Preprocessing.cifar10`); images have three channels.
  case cifar10
  /// From −1 to 1, as Keras's `mode="tf"`.
  case half
  /// From 0 to 1.
  case none

  /// The mean and the deviation of each of three channels, or of any; nil for the set's own.
  var figures: (mean: [Double], deviation: [Double])? {
    switch self {
    case .own: nil
    case .imageNet: ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    case .cifar10: (Preprocessing.cifar10.mean, Preprocessing.cifar10.standardDeviation)
    case .half: ([0.5], [0.5])
    case .none: ([], [])
    }
  }

  /// How many channels it is of; nil for any number.
  var channels: Int? { figures.flatMap { $0.mean.count > 1 ? $0.mean.count : nil } }

  /// The preprocessing by it; nil for the set's own.
  func preprocessing(of images: Preprocessing.Images) -> Preprocessing? {
    guard let (mean, deviation) = figures else { return nil }
    func each(_ values: [Double]) -> [Double] {
      values.count == 1 ? Array(repeating: values[0], count: images.channels) : values
    }
    return Preprocessing(
      layout: .channelsFirst, divisor: 255, mean: each(mean), standardDeviation: each(deviation),
      images: images)
  }
}
