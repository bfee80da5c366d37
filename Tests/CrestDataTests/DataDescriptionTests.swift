import CrestData
import CrestTensor
import Foundation
import Testing

@Suite struct DataDescriptionTests {
  @Test func `describes images by channel before normalisation`() throws {
    let images = ByteImages(
      name: "two", bytes: [0, 255, 51, 51, 255, 0, 51, 51], shape: [2, 1, 2], labels: [1, 1],
      classNames: ["cat", "dog"],
      preprocessing: Preprocessing(
        layout: .channelsFirst, divisor: 255, mean: [0.5, 0.1], standardDeviation: [0.5, 0.2]))
    let description = try DataSplit.Description(
      describing: DataSplit(train: images, valid: Subset(images, indices: [0], name: "one")))
    #expect(description.train.count == 2)
    #expect(description.train.classCounts == [0, 2])
    #expect(description.valid.classCounts == [0, 1])
    let input = try #require(description.inputs.first)
    let mean = try #require(input.mean)
    let deviation = try #require(input.standardDeviation)
    #expect(zip(mean, [0.5, 0.2]).allSatisfy { abs($0 - $1) < 1e-7 })
    #expect(zip(deviation, [0.5, 0]).allSatisfy { abs($0 - $1) < 1e-7 })
    #expect(
      "\(description)" == """
        set            two
        train          2 examples, \(images.fingerprint)
        validation     1 examples, \(description.valid.fingerprint), the set's own
        input          image float32 [2, 1, 2], values / 255: mean [0.5, 0.2], standard deviation [0.5, 0]
        target         one of 2 classes
        normalisation  (x / 255 - [0.5, 0.1]) / [0.5, 0.2]

        class     train  validation
        dog           2           1
        1 class has no examples: cat
        """)
  }

  @Test func `lists the classes with examples, and names ten of the others`() throws {
    func examples(_ labels: [Int64]) -> TensorExamples {
      TensorExamples(
        name: "few of many", inputs: [("x", Tensor(zeros: [labels.count, 1]))],
        targets: Tensor(labels), classNames: (0..<100).map { "class \($0)" })
    }
    let description = try DataSplit.Description(
      describing: DataSplit(train: examples([3, 99, 3]), valid: examples([12])))
    let lines = description.description.split(separator: "\n").suffix(5)
    #expect(
      lines.joined(separator: "\n") == """
        class        train  validation
        class 3          2           0
        class 12         0           1
        class 99         1           0
        97 classes have no examples: class 0, class 1, class 2, class 4, class 5, class 6, class 7, \
        class 8, class 9, class 10 and 87 more
        """)
    #expect(description.train.classCounts?.count == 100)
  }

  @Test func `describes values far from zero and leaves NaN out`() throws {
    let values = (0..<1000).map { 1e6 + Float($0 % 2) } + [.nan, .infinity]
    let table = TensorExamples(
      name: "table",
      inputs: [
        ("x", Tensor(values, shape: [1002, 1])),
        ("tokens", Tensor(zeros: [1002, 3], elementType: .int64)),
      ], targets: Tensor([Float](repeating: 2, count: 1002)))
    let description = try DataSplit.Description(
      describing: DataSplit(train: table, valid: Subset(table, indices: [0], name: "one")))
    #expect(description.inputs[0].mean == [1_000_000.5])
    #expect(description.inputs[0].standardDeviation == [0.5])
    #expect(description.inputs[0].nonFiniteCount == 2)
    #expect(description.inputs[1].mean == nil)
    #expect(description.target.mean == [2])
    #expect(description.target.standardDeviation == [0])
    #expect(description.classNames == nil)
    #expect(
      "\(description)" == """
        set            table
        train          1002 examples, \(table.fingerprint)
        validation     1 examples, \(description.valid.fingerprint), the set's own
        input          x float32 [1], values: mean 1000000.5, standard deviation 0.5, 2 values NaN or infinite
        input          tokens int64 [3]
        target         target float32 [], values: mean 2, standard deviation 0
        normalisation  none
        """)
  }

  @Test func `is encoded with all digits`() throws {
    let description = try DataSplit.Description(describing: Digits.split())
    let data = try JSONEncoder().encode(description)
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object["name"] as? String == "digits (train)")
    #expect((object["train"] as? [String: Any])?["count"] as? Int == 1438)
    #expect((object["classNames"] as? [String])?.count == 10)
  }
}
