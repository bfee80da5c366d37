import CrestData
import CrestTensor
import Testing

@Suite struct DigitsTests {
  @Test func `has 1,797 images of known classes`() throws {
    let images = try Digits.images()
    #expect(images.count == 1797)
    #expect(
      images.inputs == [
        Field(name: "image", elementType: .float32, shape: [1, 8, 8], storedType: .uint8)
      ])
    #expect(images.target == .classes(names: (0...9).map(String.init), shape: []))
    let labels = try #require(images.labels)
    #expect(
      (0..<10).map { digit in labels.count { $0 == digit } } == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
      ])
    #expect(Array(labels.prefix(12)) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
  }

  @Test func `the first row of pixels is normalised by the constants`() throws {
    let batch = try Digits.images().batch([0])
    // scikit-learn: load_digits().data[0][:8] is 0 0 5 13 9 1 0 0.
    let expected = [0, 0, 5, 13, 9, 1, 0, 0].map { Float((Double($0) / 16 - 0.30526) / 0.37605) }
    #expect(Array(batch.inputs[0].array(as: Float.self).prefix(8)) == expected)
    #expect(batch.targets == Tensor([0] as [Int64]))
  }

  @Test func `sets the same fifth of each class apart every time`() throws {
    let split = try Digits.split()
    #expect(split.origin == .drawnPart)
    #expect(split.train.count == 1438)
    #expect(split.valid.count == 359)
    let labels = try #require(split.valid.labels)
    #expect(
      (0..<10).map { digit in labels.count { $0 == digit } } == [
        36, 36, 35, 37, 36, 36, 36, 36, 35, 36,
      ])
    // Pins the draw: another fifth would make older runs incomparable.
    #expect(split.valid.fingerprint == "xxh64:2a45f31d2c713405")
  }
}
