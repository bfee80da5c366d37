import CCrestPixels
import CrestPlatform
public import CrestTensor

/// A part of an image, in pixels.
package struct ImagePart: Sendable, Equatable {
  package let left, top, width, height: Int

  package init(left: Int, top: Int, width: Int, height: Int) {
    (self.left, self.top, self.width, self.height) = (left, top, width, height)
  }
}

/// Cuts a part of random size and aspect out of an image and resizes it (torchvision's `RandomResizedCrop`, fastai's
/// `RandomResizedCrop`, Keras's `RandomCrop` after `Resizing`; Szegedy and others 2014).
///
///     columns = round(√(area · aspect)), rows = round(√(area / aspect))
///
/// The area is uniform, the aspect's logarithm too. Of ten tries the first that fits into the image counts; otherwise it
/// is the largest part in the middle whose aspect is allowed. Image files are cut as they were decoded, at their own size, and
/// resized once, as `Preprocessing.Images` says; its `fit` then is for validation. Arrays keep their size.
public struct RandomResizedCrop: Transform {
  /// The share of the image.
  public let scale: ClosedRange<Double>
  /// The largest width by height, whose inverse is the smallest.
  public let ratio: Double
  static let tries = 10

  /// Cuts out a share of each image.
  ///
  /// - Precondition: shares are above 0 and at most 1, the aspect is in 1 … 100.
  public init(scale: ClosedRange<Double> = 0.08...1, ratio: Double = 4.0 / 3) {
    NumberRange.positiveShare.require(scale.lowerBound, "the smallest share")
    NumberRange.positiveShare.require(scale.upperBound, "the largest share")
    NumberRange.aspect.require(ratio, "the largest aspect")
    (self.scale, self.ratio) = (scale, ratio)
  }

  /// As in `random-resized-crop(0.08 to 1, aspect 1.33333)`.
  public var name: String {
    let texts = [scale.lowerBound, scale.upperBound, ratio].map(Preprocessing.short)
    return "random-resized-crop(\(texts[0]) to \(texts[1]), aspect \(texts[2]))"
  }

  /// Before all else.
  public var stage: TransformStage { .cropping }

  /// Grey or three colours, which can be resized.
  public func objection(to shape: Shape) -> String? { PixelChannels.objection(to: shape) }

  /// The part of an image of a size.
  package func part(height: Int, width: Int, _ random: ExampleRandom) -> ImagePart {
    for attempt in 0..<Self.tries {
      let draw = 4 * attempt
      let area = Double(height) * Double(width) * random.uniform(in: scale, draw: draw)
      let aspect = exp(random.uniform(in: -log(ratio)...log(ratio), draw: draw + 1))
      let columns = (area * aspect).squareRoot().rounded(.toNearestOrEven)
      let rows = (area / aspect).squareRoot().rounded(.toNearestOrEven)
      guard columns >= 1, rows >= 1, columns <= Double(width), rows <= Double(height) else {
        continue
      }
      return ImagePart(
        left: random.integer(below: width - Int(columns) + 1, draw: draw + 3),
        top: random.integer(below: height - Int(rows) + 1, draw: draw + 2),
        width: Int(columns), height: Int(rows))
    }
    return Self.middle(height: height, width: width, ratio: ratio)
  }

  /// The largest part in the middle whose aspect is between a ratio and its inverse.
  static func middle(height: Int, width: Int, ratio: Double) -> ImagePart {
    let aspect = Double(width) / Double(height)
    var (columns, rows) = (width, height)
    if aspect < 1 / ratio {
      rows = Int((Double(width) * ratio).rounded(.toNearestOrEven))
    } else if aspect > ratio {
      columns = Int((Double(height) * ratio).rounded(.toNearestOrEven))
    }
    (columns, rows) = (
      Swift.max(Swift.min(columns, width), 1), Swift.max(Swift.min(rows, height), 1)
    )
    return ImagePart(
      left: (width - columns) / 2, top: (height - rows) / 2, width: columns, height: rows)
  }

  /// Cuts out a part, and resizes it to the image's size, bilinearly as Pillow does.
  public func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    require(image, shape, scratch)
    Self.cut(
      part(height: shape[1], width: shape[2], random), outOf: image, shape: shape, scratch: scratch)
  }

  /// Leaves a part of an image, resized to its size; `scratch` has room for an image.
  package static func cut(
    _ part: ImagePart, outOf image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>
  ) {
    let (planes, count) = (crest_planes(shape), shape.elementCount)
    scratch.withMemoryRebound(to: UInt8.self) { bytes in
      guard let pixels = bytes.baseAddress else { return }
      crest_pixels_interleave(planes, image.baseAddress, pixels)
      var source = crest_image_part(
        pixels: pixels, row_stride: shape[0] * shape[2], left: part.left, top: part.top,
        width: part.width, height: part.height, channels: Int32(shape[0]))
      let status = crest_image_resize(
        &source, CREST_FILTER_BILINEAR, shape[2], shape[1], pixels + count)
      programmerError(unless: status == 0, "there is no memory to resize an image")
      crest_pixels_separate(planes, pixels + count, image.baseAddress)
    }
  }
}

/// The channels of images whose bytes are looked at.
enum PixelChannels {
  static func objection(to shape: Shape) -> String? {
    shape[0] == 1 || shape[0] == 3
      ? nil : "it takes images of one channel or three, got \(shape[0])"
  }
}
