import CrestData
import CrestTensor
import Foundation
import Testing

@Suite struct DatasetTests {
  @Test func `bytes are normalised by channel and rounded once`() throws {
    let preprocessing = Preprocessing(
      layout: .channelsFirst, divisor: 255, mean: [0.5, 0.25], standardDeviation: [0.5, 0.2])
    let images = ByteImages(
      name: "two channels", bytes: [9, 0, 51, 255, 102, 9, 255, 0, 0, 255, 9], offset: 1, stride: 5,
      shape: [2, 1, 2], labels: [1, 0], classNames: ["a", "b"], preprocessing: preprocessing)
    let batch = try images.batch([1, 0])
    let expected = [(255, 0), (0, 0), (0, 1), (255, 1), (0, 0), (51, 0), (255, 1), (102, 1)].map {
      (byte: Double, channel: Int) in
      Float((byte / 255 - [0.5, 0.25][channel]) / [0.5, 0.2][channel])
    }
    #expect(batch.inputs == [Tensor(expected, shape: [2, 2, 1, 2])])
    #expect(batch.targets == Tensor([0, 1] as [Int64]))
  }

  @Test func `tensors are used as they are, bytes as the same floats`() throws {
    let examples = TensorExamples(
      name: "several",
      inputs: [
        ("pixels", Tensor([0, 255, 7, 8] as [UInt8], shape: [2, 2])),
        ("tokens", Tensor([3, 4] as [Int64])), ("flags", Tensor([true, false])),
      ], targets: Tensor([0.5, 1.5] as [Float], shape: [2, 1]))
    #expect(
      examples.inputs == [
        Field(name: "pixels", elementType: .float32, shape: [2], storedType: .uint8),
        Field(name: "tokens", elementType: .int64, shape: []),
        Field(name: "flags", elementType: .bool, shape: []),
      ])
    #expect(examples.target == .values(shape: [1]))
    #expect(examples.preprocessing.isIdentity)
    let batch = try examples.batch([1, 0, 1])
    #expect(batch.inputs[0] == Tensor([7, 8, 0, 255, 7, 8] as [Float], shape: [3, 2]))
    #expect(batch.inputs[1] == Tensor([4, 3, 4] as [Int64]))
    #expect(batch.inputs[2] == Tensor([false, true, false]))
    #expect(batch.targets == Tensor([1.5, 0.5, 1.5] as [Float], shape: [3, 1]))
  }

  @Test func `a subset has its own numbering`() throws {
    let subset = Subset(numberedImages(10), indices: [7, 2, 5], name: "part")
    #expect(subset.count == 3)
    #expect(subset.labels == [1, 2, 2])
    let batch = try subset.batch([2, 0])
    #expect(batch.inputs[0].array(as: Float.self) == [5, 5, 5, 5, 7, 7, 7, 7])
    #expect(batch.targets == Tensor([2, 1] as [Int64]))
  }

  @Test func `preprocessing survives encoding, and nonsense is refused`() throws {
    let data = try JSONEncoder().encode(Preprocessing.cifar10)
    #expect(try JSONDecoder().decode(Preprocessing.self, from: data) == .cifar10)
    for text in [
      #"{"layout":"channelsFirst","divisor":0,"mean":[],"standardDeviation":[]}"#,
      #"{"layout":"channelsFirst","divisor":1,"mean":[1],"standardDeviation":[]}"#,
      #"{"layout":"channelsFirst","divisor":1,"mean":[1],"standardDeviation":[0]}"#,
    ] {
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(Preprocessing.self, from: Data(text.utf8))
      }
    }
  }
}
