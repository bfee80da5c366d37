import CCrestPixels
import CrestData
import CrestTensor
import Testing

/// The largest distance of two lists of numbers.
private func distance(_ one: [Float], _ other: [Float]) -> Float {
  one.count == other.count ? zip(one, other).map { abs($0 - $1) }.max() ?? 0 : .infinity
}

@Suite struct `Augmentations give the numbers of others` {
  private static let file = AugmentationFile.all

  @Test(arguments: file.operations)
  func `operations on bytes are Pillow's to the bit`(_ row: AugmentationFile.Operation) throws {
    let image = try #require(Self.file.images[row.image])
    let operation = try #require(PillowOperation(rawValue: row.operation))
    var output = [UInt8](repeating: 7, count: image.bytes.count)
    operation.apply(row.magnitude, to: image.bytes, image.shape, output: &output)
    #expect(output == [UInt8](row.pixels))
  }

  @Test(arguments: file.strengths)
  func `magnitudes are torchvision's to the bit`(_ row: AugmentationFile.Strength) throws {
    let operation = try #require(PillowOperation(rawValue: row.operation))
    let strength: OperationStrength = row.space == "wide" ? .wide : .moderate
    let shape = try #require(Self.file.images["small"]).shape
    #expect(
      (0...30).map { strength.magnitude(operation, step: $0, shape) } == row.magnitudes)
    #expect(operation.isSigned == row.isSigned)
  }

  @Test(arguments: file.colours)
  func `colours are torchvision's and fastai's within 1e-6`(_ row: AugmentationFile.Colour) throws {
    let image = try #require(Self.file.images["small"])
    let size = crest_planes(channels: row.channels, height: image.height, width: image.width)
    var values = Array(image.fractions.prefix(row.channels * image.height * image.width))
    var scratch = values
    let factor = Float(row.factor)
    switch row.change {
    case "brightness": crest_pixels_blend(size, &values, factor, 0)
    case "contrast":
      crest_pixels_blend(size, &values, factor, crest_pixels_mean_grey(size, values))
    case "saturation": crest_pixels_blend_grey(size, &values, factor)
    case "greyscale": crest_pixels_blend_grey(size, &values, 0)
    case "hue": crest_pixels_hue(size, &values, factor)
    case "blur":
      let weights = RandomBlur.weights(size: 5, deviation: row.factor)
      crest_pixels_blur(size, &values, weights, 5, &scratch)
    case "logit brightness":
      crest_pixels_logit_line(size, &values, 1, RandomBrightness.shift(ofLevel: row.factor))
    case "logit contrast": crest_pixels_logit_line(size, &values, factor, 0)
    case "logit saturation": crest_pixels_logit_grey(size, &values, factor)
    default: Issue.record("no colour \(row.change)")
    }
    #expect(distance(values, row.values) < 1e-6)
  }

  private static func projection(
    _ step: AugmentationFile.Geometry.Step, _ shape: Shape
  ) throws -> Projection {
    switch step.name {
    case "rotate": return RandomRotation.projection(step.values[0] * .pi / 180, of: shape)
    case "zoom":
      return RandomZoom.projection(step.values[0], centre: (step.values[1], step.values[2]))
    default:
      return try #require(RandomWarp.projection(down: step.values[0], across: step.values[1]))
    }
  }

  @Test(arguments: file.geometry)
  func `several moves are one interpolation, PyTorch's at fastai's places within 1e-6`(
    _ row: AugmentationFile.Geometry
  ) throws {
    var (values, shape) = try Self.file.fractions(of: row.image)
    var moves = Projection.identity
    for step in row.steps { moves = try Self.projection(step, shape).after(moves) }
    var output = values
    values.withUnsafeMutableBufferPointer { values in
      output.withUnsafeMutableBufferPointer {
        moves.project(values, shape: shape, padding: row.padding, to: $0)
      }
    }
    #expect(distance(output, row.values) < 1e-6)
  }

  /// fastai's own results for sixteen numbers, of which the first three are written out in its documentation's notebook.
  static let fastai: [(name: String, values: [Double], expected: [Float])] = [
    (
      "rotate", [30],
      [
        0.272055, 0.132552, 0.086198, 0.265324, 0.457312, 0.380309, 0.309435, 0.238562, 0.698938,
        0.628065, 0.557191, 0.480188, 0.672176, 0.851302, 0.804948, 0.665445,
      ]
    ),
    (
      "zoom", [1.5, 0.5, 0.5],
      [
        0.15625, 0.197917, 0.239583, 0.28125, 0.322917, 0.364583, 0.40625, 0.447917, 0.489583,
        0.53125, 0.572917, 0.614583, 0.65625, 0.697917, 0.739583, 0.78125,
      ]
    ),
    (
      "warp", [0.2, 0],
      [
        0.0625, 0.070313, 0.133929, 0.28125, 0.270833, 0.304688, 0.348214, 0.40625, 0.479167,
        0.539063, 0.616071, 0.71875, 0.6875, 0.773438, 0.830357, 0.84375,
      ]
    ),
  ]

  @Test(arguments: fastai.indices)
  func `moves are fastai's`(_ index: Int) throws {
    let row = Self.fastai[index]
    var (values, shape) = try Self.file.fractions(of: "ramp")
    let move = try Self.projection(.init(name: row.name, values: row.values), shape)
    var output = values
    values.withUnsafeMutableBufferPointer { values in
      output.withUnsafeMutableBufferPointer {
        move.project(values, shape: shape, padding: .reflection, to: $0)
      }
    }
    #expect(distance(output, row.expected) < 1e-6)
  }

  @Test func `padding is PyTorch's, with the centres of the outermost pixels at the corners`() {
    let rows: [(ImagePadding, [Float])] = [
      (.reflection, [0.75, 0, 2.625, 1.8]), (.border, [0, 0, 3, 3]), (.zeros, [0, 0, 1.875, 0]),
    ]
    for (padding, expected) in rows {
      for (place, value) in zip([-1.5, -1, 1.25, 1.8], expected) {
        var image: [Float] = [0, 1, 2, 3]
        var output = image
        image.withUnsafeMutableBufferPointer { image in
          output.withUnsafeMutableBufferPointer {
            Projection(0, 0, place, 0, 0, 0).project(
              image, shape: [1, 1, 4], padding: padding, to: $0)
          }
        }
        #expect(abs(output[0] - value) < 1e-5, "\(padding) at \(place)")
      }
    }
  }

  @Test(arguments: file.crops)
  func `a cut part is resized as by Pillow, to the bit`(_ row: AugmentationFile.Crop) throws {
    let image = try #require(Self.file.images["small"])
    var values = image.bytes.map(Float.init)
    var scratch = [Float](repeating: .nan, count: values.count)
    values.withUnsafeMutableBufferPointer { values in
      scratch.withUnsafeMutableBufferPointer { scratch in
        RandomResizedCrop.cut(
          ImagePart(left: row.part[0], top: row.part[1], width: row.part[2], height: row.part[3]),
          outOf: values, shape: image.shape, scratch: scratch)
      }
    }
    #expect(values == [UInt8](row.pixels).map(Float.init))
  }

  @Test func `a square lies on its place in fastai's eight ways`() {
    let expected: [Int: [Float]] = [
      0: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
      1: [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12],
      2: [12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3],
      3: [3, 7, 11, 15, 2, 6, 10, 14, 1, 5, 9, 13, 0, 4, 8, 12],
      4: [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
      5: [12, 8, 4, 0, 13, 9, 5, 1, 14, 10, 6, 2, 15, 11, 7, 3],
      6: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
      7: [15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0],
    ]
    for (way, wanted) in expected {
      #expect(
        Transformed.values(RandomDihedral(), of: (0..<16).map(Float.init), [1, 4, 4], way: way)
          == wanted)
    }
    var seen: Set<[Float]> = []
    for example in 0..<100 {
      seen.insert(
        Transformed.values(
          RandomDihedral(), of: (0..<16).map(Float.init), [1, 4, 4], example: example))
    }
    #expect(seen == Set(expected.values))
  }
}

/// Images after a transform.
enum Transformed {
  static func random(example: Int) -> ExampleRandom {
    ExampleRandom(
      generator: Philox(seed: 3, stream: Philox.Stream.augmentation), example: example, position: 0)
  }

  static func values(
    _ transform: any Transform, of image: [Float], _ shape: Shape, example: Int
  ) -> [Float] {
    var image = image
    var scratch = [Float](repeating: .nan, count: image.count)
    image.withUnsafeMutableBufferPointer { values in
      scratch.withUnsafeMutableBufferPointer { scratch in
        transform.apply(
          to: values, shape: shape, scratch: scratch, random: random(example: example))
      }
    }
    return image
  }

  static func values(
    _ transform: RandomDihedral, of image: [Float], _ shape: Shape, way: Int
  ) -> [Float] {
    var image = image
    var scratch = [Float](repeating: .nan, count: image.count)
    image.withUnsafeMutableBufferPointer { values in
      scratch.withUnsafeMutableBufferPointer { scratch in
        RandomDihedral.lay(values, shape: shape, scratch: scratch, as: way)
      }
    }
    return image
  }
}
