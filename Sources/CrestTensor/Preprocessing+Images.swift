extension Preprocessing {
  /// How an image file becomes an array of bytes: decoded, turned upright, and brought to one size.
  public struct Images: Sendable, Hashable, Codable {
    /// What happens to images of another aspect than the wanted one (fastai's `ResizeMethod`).
    public enum Fit: String, Sendable, Hashable, Codable, CaseIterable {
      /// The largest part of the wanted aspect, from the middle, is resized.
      case crop
      /// The image is mirrored at its edges to the wanted aspect, and then resized.
      case pad
      /// The aspect is lost.
      case squish
    }

    /// The weights of pixels in a resized one, antialiased as Pillow's.
    public enum Filter: String, Sendable, Hashable, Codable, CaseIterable {
      /// The nearest pixel, for masks.
      case nearest
      /// The mean of the pixels that a new one covers.
      case box
      /// A triangle over twice the width of a new pixel (fastai's choice).
      case bilinear
      /// Hamming's window, sharper than bilinear.
      case hamming
      /// A cubic over four times the width, with a = -0.5.
      case bicubic
      /// A windowed sinc over six times the width.
      case lanczos
    }

    /// The colours: 1 is grey, 3 are red, green and blue.
    public let channels: Int
    /// Rows.
    public let height: Int
    /// Columns.
    public let width: Int
    /// What happens to other aspects.
    public let fit: Fit
    /// The weights of pixels.
    public let filter: Filter

    /// The numbers of rows or columns that an image may have.
    package static let sides = 1...65_500

    /// Images of a size.
    ///
    /// - Precondition: there are 1 or 3 channels, and 1 to 65,500 rows and columns.
    public init(
      channels: Int = 3, height: Int, width: Int, fit: Fit = .crop, filter: Filter = .bilinear
    ) {
      programmerError(
        unless: Self.isPossible(channels, height, width),
        "images of \(channels) channels, \(height) rows and \(width) columns")
      (self.channels, self.height, self.width) = (channels, height, width)
      (self.fit, self.filter) = (fit, filter)
    }

    static func isPossible(_ channels: Int, _ height: Int, _ width: Int) -> Bool {
      (channels == 1 || channels == 3) && sides.contains(height) && sides.contains(width)
    }

    /// Reads what a model's file says.
    ///
    /// - Throws: `DecodingError` if it is missing or invalid.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      channels = try container.decode(Int.self, forKey: .channels)
      height = try container.decode(Int.self, forKey: .height)
      width = try container.decode(Int.self, forKey: .width)
      fit = try container.decode(Fit.self, forKey: .fit)
      filter = try container.decode(Filter.self, forKey: .filter)
      guard Self.isPossible(channels, height, width) else {
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: decoder.codingPath,
            debugDescription: "expected 1 or 3 channels and 1 to 65500 rows and columns"))
      }
    }

    /// The shape of an image, channels first.
    public var shape: Shape { [channels, height, width] }
  }
}

extension Preprocessing.Images: CustomStringConvertible {
  /// As in `3 × 224 × 224, crop, bilinear`.
  public var description: String {
    "\(channels) × \(height) × \(width), \(fit.rawValue), \(filter.rawValue)"
  }
}
