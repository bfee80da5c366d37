import CrestLayers
import CrestTensor
import Foundation
import Testing

@Suite struct PatchWhiteningTests {
  /// What `make_whitening.py` wrote.
  private struct Case: Decodable {
    let shape: [Int]
    let images: [Float]
    let eigenvalues: [Double]
    let filters: [Double]
  }

  private static func torch() throws -> Case {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/whitening.json")
    return try JSONDecoder().decode(Case.self, from: Data(contentsOf: file))
  }

  @Test func `the filters are those of PyTorch`() throws {
    let torch = try Self.torch()
    let whitening = try PatchWhitening(of: Tensor(torch.images, shape: Shape(torch.shape)))
    #expect(whitening.filters.shape == [24, 3, 2, 2])
    for (ours, theirs) in zip(whitening.eigenvalues, torch.eigenvalues) {
      #expect(abs(ours - theirs) < 1e-9)
    }
    for (ours, theirs) in zip(whitening.filters.doubles, torch.filters) {
      #expect(abs(ours - theirs) < 2e-6 * max(1, abs(theirs)), "\(ours), not \(theirs)")
    }
  }

  @Test func `patches are white behind the filters, and equal images give equal bits`() throws {
    let torch = try Self.torch()
    let images = Tensor(torch.images, shape: Shape(torch.shape))
    let whitening = try PatchWhitening(of: images, kernel: [2, 3], epsilon: 1e-9)
    let again = try PatchWhitening(of: images, kernel: [2, 3], epsilon: 1e-9)
    #expect(whitening.filters == again.filters)
    let size = 18
    let filters = whitening.filters.doubles
    #expect(filters.count == 2 * size * size)
    var moments = [Double](repeating: 0, count: size * size)
    var count = 0.0
    let (rows, columns) = (torch.shape[2], torch.shape[3])
    for image in 0..<torch.shape[0] {
      for row in 0...rows - 2 {
        for column in 0...columns - 3 {
          let patch = (0..<size).map { place in
            Double(
              torch.images[
                ((image * 3 + place / 6) * rows + row + place / 3 % 2) * columns + column + place
                  % 3])
          }
          let outputs = (0..<size).map { filter in
            (0..<size).reduce(0) { $0 + filters[filter * size + $1] * patch[$1] }
          }
          for (first, a) in outputs.enumerated() {
            for (second, b) in outputs.enumerated() { moments[first * size + second] += a * b }
          }
          count += 1
        }
      }
    }
    for (place, moment) in moments.enumerated() {
      let wanted = place / size == place % size ? 1.0 : 0.0
      #expect(abs(moment / count - wanted) < 1e-4, "outputs \(place / size) and \(place % size)")
    }
    // The second half are the negatives.
    #expect(zip(filters, filters.dropFirst(size * size)).allSatisfy { $0 == -$1 })
  }

  @Test func `a diagonal of equal values keeps its axes in order`() throws {
    // Each pixel alone is 1 in one image: all second moments are equal, and none is mixed.
    let pixels = (0..<16).map { Float($0 / 4 == $0 % 4 ? 1 : 0) }
    let whitening = try PatchWhitening(of: Tensor(pixels, shape: [4, 1, 2, 2]), epsilon: 0.75)
    #expect(whitening.eigenvalues == [0.25, 0.25, 0.25, 0.25])
    #expect(whitening.filters.array(as: Float.self) == pixels + pixels.map { -$0 })
  }

  @Test(arguments: [
    (
      Tensor([1, 2] as [Float]), "float32 [N, channels, height, width] of at least 2 × 2",
      "float32 [2]"
    ),
    (
      Tensor([1, 2] as [Float], shape: [1, 1, 1, 2]),
      "float32 [N, channels, height, width] of at least 2 × 2", "float32 [1, 1, 1, 2]"
    ),
    (
      Tensor([1, .nan, 2, 3] as [Float], shape: [1, 1, 2, 2]), "finite values",
      "infinite ones, or NaN"
    ),
  ])
  func `other images are refused`(images: Tensor, expected: String, got: String) {
    let error = #expect(throws: PatchWhiteningError.self) { try PatchWhitening(of: images) }
    #expect(error?.description == "patch whitening: expected images of \(expected), got \(got)")
  }
}
