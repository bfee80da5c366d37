import CCrestPixels
import CrestTensor
import Dispatch

/// The transforms of a loader in the order in which they are made, and what they are given.
struct TransformPipeline: Sendable {
  /// A transform and its place in the list, by which its numbers are drawn.
  private struct Step: Sendable {
    let position: Int
    let transform: any Transform
  }

  private let steps: [Step]
  /// The crop of a set that is read from files.
  private(set) var fileCrop: (transform: RandomResizedCrop, position: Int)?
  private let scale: PixelScale?

  /// Whether all take normalised values.
  private var areNormalized: Bool { scale == nil }

  /// - Throws: ``DataError/unsuitableTransform(name:dataset:reason:)``.
  init(_ transforms: [any Transform], for dataset: any Dataset) throws(DataError) {
    var steps = transforms.enumerated().map { Step(position: $0.offset, transform: $0.element) }
      .sorted {
        ($0.transform.stage.rawValue, $0.position) < ($1.transform.stage.rawValue, $1.position)
      }
    let images = dataset.inputs.filter(\.isImage)
    func refuse(_ transform: any Transform, _ reason: String) -> DataError {
      .unsuitableTransform(name: transform.name, dataset: dataset.name, reason: reason)
    }
    for transform in transforms {
      let reason =
        images.isEmpty
        ? "it takes float32 images with channels, rows and columns, and the set has none"
        : images.lazy.compactMap { image in
          Preprocessing.Layout(ofImages: image.shape) == .channelsLast
            ? "it takes images with channels first, and the set's, \(image.shape), have them last"
            : transform.objection(to: image.shape)
        }.first
      if let reason { throw refuse(transform, reason) }
    }
    let crops = steps.filter { $0.transform is RandomResizedCrop }
    if crops.count > 1 {
      throw refuse(crops[1].transform, "there is a \(crops[0].transform.name) already; give one")
    }
    let moves = steps.compactMap { $0.transform as? any GeometricTransform }
    for move in moves where move.padding != moves[0].padding {
      throw refuse(
        move,
        "\(moves[0].name) shows another padding, and both are made in one interpolation; give both one padding"
      )
    }
    if let crop = crops.first, let transform = crop.transform as? RandomResizedCrop,
      (dataset as? any CroppedImages)?.areCroppable ?? false
    {
      fileCrop = (transform, crop.position)
      steps.removeAll { $0.position == crop.position }
    }
    let first = steps.first { $0.transform.stage != .normalized }
    if let first, let reason = PixelScale.objection(to: dataset) {
      throw refuse(first.transform, reason)
    }
    scale = first.map { _ in PixelScale(dataset.preprocessing) }
    self.steps = steps
  }

  /// Whether images are left as the set gives them.
  var isEmpty: Bool { steps.isEmpty }

  /// Transforms the images of a batch, of examples whose numbers are those of `generator`.
  func transform(
    _ images: UnsafeMutableBufferPointer<Float>, shape: Shape, of examples: ArraySlice<Int>,
    _ generator: Philox
  ) {
    guard !areNormalized else {
      return transform(images, shape: shape, of: examples, rows: 0..<examples.count, generator)
    }
    // Each chunk has its own images, and its results don't hang on the others'.
    let chunkCount = Swift.min(8, examples.count)
    nonisolated(unsafe) let images = images
    DispatchQueue.concurrentPerform(iterations: chunkCount) { chunk in
      let rows =
        chunk * examples.count / chunkCount..<(chunk + 1) * examples.count / chunkCount
      transform(images, shape: shape, of: examples, rows: rows, generator)
    }
  }

  private func transform(
    _ images: UnsafeMutableBufferPointer<Float>, shape: Shape, of examples: ArraySlice<Int>,
    rows: Range<Int>, _ generator: Philox
  ) {
    let size = shape.elementCount
    withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { scratch in
      scratch.initialize(repeating: 0)
      for row in rows {
        let image = UnsafeMutableBufferPointer(rebasing: images[row * size..<(row + 1) * size])
        let example = examples[examples.startIndex + row]
        transform(image, shape: shape, scratch: scratch) { position in
          ExampleRandom(generator: generator, example: example, position: position)
        }
      }
    }
  }

  /// Transforms an image.
  private func transform(
    _ image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: (Int) -> ExampleRandom
  ) {
    var values = PixelScale.Values.normalized
    var moves = Projection.identity
    var hasMoved = false
    for (number, step) in steps.enumerated() {
      let transform = step.transform
      scale?.convert(image, shape, from: &values, to: transform.stage.values)
      guard let geometric = transform as? any GeometricTransform else {
        transform.apply(to: image, shape: shape, scratch: scratch, random: random(step.position))
        continue
      }
      if let projection = geometric.projection(of: shape, random(step.position)) {
        moves = projection.after(moves)
        hasMoved = true
      }
      let isLast =
        number + 1 == steps.count || !(steps[number + 1].transform is any GeometricTransform)
      if isLast, hasMoved {
        _ = scratch.update(fromContentsOf: image)
        moves.project(scratch, shape: shape, padding: geometric.padding, to: image)
        (moves, hasMoved) = (.identity, false)
      }
    }
    scale?.convert(image, shape, from: &values, to: .normalized)
  }
}

extension Field {
  /// Whether transforms apply.
  var isImage: Bool { elementType == .float32 && shape.rank == 3 }
}

extension TransformStage {
  /// The values that a transform is given.
  fileprivate var values: PixelScale.Values {
    switch self {
    case .cropping, .bytes: .bytes
    case .geometry, .colour: .fractions
    case .normalized: .normalized
    }
  }
}

/// Changes normalised values of pixels into others and back.
struct PixelScale: Sendable {
  /// What the values of a pixel are.
  enum Values: Sendable {
    /// As the model gets them.
    case normalized
    /// From 0 to 1.
    case fractions
    /// Whole numbers from 0 to 255.
    case bytes
  }

  private let preprocessing: Preprocessing
  /// The stored value of white.
  private let white: Double

  /// - Precondition: the set has no ``objection(to:)``.
  init(_ preprocessing: Preprocessing) {
    self.preprocessing = preprocessing
    white = preprocessing.divisor == 1 ? 255 : preprocessing.divisor
  }

  /// Why black and white of a set aren't known; nil if they are.
  static func objection(to dataset: any Dataset) -> String? {
    let isStored = dataset.inputs.allSatisfy { !$0.isImage || $0.storedType == .uint8 }
    return isStored
      ? nil
      : "it takes images of bytes, of which 255 is white, and the set's are of other numbers; store them as uint8"
  }

  /// Changes the values of an image.
  func convert(
    _ image: UnsafeMutableBufferPointer<Float>, _ shape: Shape, from values: inout Values,
    to wanted: Values
  ) {
    guard values != wanted else { return }
    defer { values = wanted }
    switch (values, wanted) {
    case (.bytes, .fractions):
      crest_pixels_line(image.baseAddress, image.count, Float(1 / 255.0), 0)
    case (.fractions, .bytes):
      crest_pixels_line(image.baseAddress, image.count, 255, 0)
      crest_pixels_round(image.baseAddress, image.count)
    default:
      let other = values == .normalized ? wanted : values
      let area = shape[1] * shape[2]
      for channel in 0..<shape[0] {
        let plane = UnsafeMutableBufferPointer(
          rebasing: image[channel * area..<(channel + 1) * area])
        let line = line(to: other == .bytes ? 255 : 1, channel: channel)
        if values == .normalized {
          crest_pixels_line(
            plane.baseAddress, area, Float(1 / line.factor), Float(-line.shift / line.factor))
        } else {
          crest_pixels_line(plane.baseAddress, area, Float(line.factor), Float(line.shift))
        }
      }
      if wanted == .bytes { crest_pixels_round(image.baseAddress, image.count) }
    }
  }

  /// normalised = factor · value + shift, of values of which `limit` is white.
  private func line(to limit: Double, channel: Int) -> (factor: Double, shift: Double) {
    let scaled = white / limit / preprocessing.divisor
    guard !preprocessing.mean.isEmpty else { return (scaled, 0) }
    let place = Swift.min(channel, preprocessing.mean.count - 1)
    let deviation = preprocessing.standardDeviation[place]
    return (scaled / deviation, -preprocessing.mean[place] / deviation)
  }
}
