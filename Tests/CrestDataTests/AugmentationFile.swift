import CrestData
import CrestTensor
import Foundation
import Testing

/// What `make_augmentations.py` wrote: small images, and what Pillow, torchvision and PyTorch make of them.
struct AugmentationFile: Decodable {
  struct Image: Decodable {
    let channels: Int
    let height: Int
    let width: Int
    let pixels: Data

    var shape: Shape { [channels, height, width] }
    var bytes: [UInt8] { [UInt8](pixels) }
    var fractions: [Float] { bytes.map { Float($0) / 255 } }
  }

  struct Operation: Decodable, CustomTestStringConvertible {
    let operation: String
    let image: String
    let magnitude: Float
    let pixels: Data

    var testDescription: String { "\(operation) \(magnitude) of \(image)" }
  }

  struct Strength: Decodable, CustomTestStringConvertible {
    let operation: String
    let space: String
    let magnitudes: [Float]
    let isSigned: Bool

    var testDescription: String { "\(operation), \(space)" }
  }

  struct Colour: Decodable, CustomTestStringConvertible {
    let change: String
    let factor: Double
    let channels: Int
    let values: [Float]

    var testDescription: String { "\(change) \(factor), \(channels)" }
  }

  struct Geometry: Decodable, CustomTestStringConvertible {
    struct Step: Decodable {
      let name: String
      let values: [Double]
    }

    let image: String
    let padding: ImagePadding
    let steps: [Step]
    let values: [Float]

    var testDescription: String { "\(steps.map(\.name)) of \(image), \(padding)" }
  }

  struct Crop: Decodable, CustomTestStringConvertible {
    let part: [Int]
    let pixels: Data

    var testDescription: String { "\(part)" }
  }

  let images: [String: Image]
  let operations: [Operation]
  let strengths: [Strength]
  let colours: [Colour]
  let geometry: [Geometry]
  let crops: [Crop]

  static let all: AugmentationFile = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/augmentations.json")
    do {
      return try JSONDecoder().decode(AugmentationFile.self, from: Data(contentsOf: file))
    } catch {
      fatalError("\(error)")
    }
  }()

  /// The image, or the sixteen numbers of which fastai's own results are known.
  func fractions(of name: String) throws -> (values: [Float], shape: Shape) {
    if name == "ramp" { return ((0..<16).map { Float($0) / 16 }, [1, 4, 4]) }
    guard let image = images[name] else { fatalError("no image \(name)") }
    return (image.fractions, image.shape)
  }
}

extension ImagePadding: Decodable {}
