import CrestData
import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import CrestTraining
import Foundation
import Testing
import TrainingTestSupport

@Suite struct TestTimeAugmentationTests {
  private static let size = 5

  /// As they are stored.
  private static func pixels(_ count: Int) -> Tensor {
    let random = Philox(seed: 6, stream: Philox.Stream.split)
    let pixels = (0..<UInt64(count * 2 * size * size)).map { 4 * random.uniform($0) - 1 }
    return Tensor(pixels, shape: [count, 2, size, size])
  }

  private static func images(_ count: Int) -> TensorExamples {
    TensorExamples(
      name: "tiny images", inputs: [("input", pixels(count))],
      targets: Tensor((0..<count).map { Int64($0 % 3) }), classNames: ["a", "b", "c"],
      preprocessing: Preprocessing(
        layout: .channelsFirst, divisor: 2, mean: [0.25, -0.5], standardDeviation: [2, 1]))
  }

  private static func learner(threads: Int = 1, prefetch: Int = 0) throws -> Learner {
    try Learner(
      Model(input: [2, size, size], seed: 3, engine: Engine(threadCount: threads)) {
        Conv2D(6, kernel: 3, name: "conv")
        GELU()
        Flatten()
        Dense(3)
      }, data: DataSplit(train: images(12), valid: images(11)), metrics: [Accuracy()],
      batchSize: 4, prefetch: prefetch)
  }

  /// The views by their formulas: pad by reflection, cut, mirror.
  private static func views(_ images: Tensor, shifts: Bool) -> [(weight: Float, Tensor)] {
    let pixels = images.array(as: Float.self)
    func view(_ shift: Int, _ mirrored: Bool) -> Tensor {
      let values = pixels.indices.map { place in
        let (plane, row, column) = (
          place / (size * size), place / size % size, place % size
        )
        func reflected(_ position: Int) -> Int {
          position < 0 ? -position : position >= size ? 2 * (size - 1) - position : position
        }
        // Of the shifted window, mirrored.
        let x = reflected((mirrored ? size - 1 - column : column) + shift)
        return pixels[(plane * size + reflected(row + shift)) * size + x]
      }
      return Tensor(values, shape: images.shape)
    }
    guard shifts else { return [(0.5, view(0, false)), (0.5, view(0, true))] }
    return [(0, 0.25), (-1, 0.125), (1, 0.125)].flatMap { shift, weight in
      [false, true].map { (Float(weight), view(shift, $0)) }
    }
  }

  @Test(arguments: [TestTimeAugmentation.mirror, .mirrorAndShift])
  func `predictions are the mean of those for each view`(augmentations: TestTimeAugmentation) throws
  {
    let learner = try Self.learner()
    let set = Self.images(11)
    let prepared = try set.preprocessing.applied(to: Self.pixels(11))
    var mean = [Float](repeating: 0, count: 33)
    for (weight, view) in Self.views(prepared, shifts: augmentations == .mirrorAndShift) {
      for (place, value) in try learner.model.predict(view).array(as: Float.self).enumerated() {
        mean[place] += weight * value
      }
    }
    let predicted = try learner.predict(on: set, augmentations: augmentations)
    #expect(predicted.shape == [11, 3])
    for (got, wanted) in zip(predicted.array(as: Float.self), mean) {
      #expect(abs(got - wanted) < 1e-5)
    }
    #expect(predicted != (try learner.predict(on: set)))
    // Of a tensor as it is stored.
    let stored = Self.pixels(11)
    #expect(try learner.predict(stored, augmentations: augmentations) == predicted)
    // Loss and accuracy are those of the mean.
    let result = try learner.evaluate(augmentations: augmentations, requiringFinite: true)
    var (loss, right) = (0.0, 0)
    for example in 0..<11 {
      let logits = mean[3 * example..<3 * example + 3].map(Double.init)
      let total = logits.reduce(0) { $0 + exp($1) }
      loss += log(total) - logits[example % 3]
      right += logits.firstIndex(of: logits.max() ?? 0) == example % 3 ? 1 : 0
    }
    #expect(abs(result.loss - loss / 11) < 1e-5)
    #expect(result["accuracy"] == Double(right) / 11)
    #expect(result.exampleCount == 11)
    // The same bits on other threads.
    let other = try Self.learner(threads: 2, prefetch: 3)
    #expect(try other.predict(on: set, augmentations: augmentations) == predicted)
    #expect(try other.evaluate(augmentations: augmentations).loss == result.loss)
  }

  @Test func `it refuses what it has no meaning for`() throws {
    func message(_ body: () throws -> Void) -> String? {
      do {
        try body()
        return nil
      } catch {
        return "\(error)"
      }
    }
    let flat = try Learner(TinyModel.linear(), data: TinyData.split())
    let reason =
      "test-time augmentation mirror: it takes one input of float32 images [channels, height, width], and the "
      + "network takes float32 [4]; predict without it"
    #expect(message { _ = try flat.evaluate(augmentations: .mirror) } == reason)
    #expect(message { _ = try flat.predict(on: flat.data.valid, augmentations: .mirror) } == reason)
    #expect(
      message { _ = try flat.predict(Tensor(zeros: [1, 4]), augmentations: .mirror) } == reason)
    let objections: [(TestTimeAugmentation, [(ElementType, Shape)], Shape, String)] = [
      (
        .mirror, [(.uint8, [3, 8, 8])], [10],
        "it takes one input of float32 images [channels, height, width], and the network takes uint8 [3, 8, 8]"
      ),
      (
        .mirror, [(.float32, [3, 8, 8]), (.float32, [2])], [10],
        "it takes one input of float32 images [channels, height, width], and the network takes float32 [3, 8, 8], "
          + "float32 [2]"
      ),
      (
        .mirror, [(.float32, [3, 8, 8])], [10, 8, 8],
        "it averages one row of numbers an image, and the network predicts [10, 8, 8]"
      ),
      (
        .mirror, [(.float32, [20, 28, 3])], [10],
        "it takes images with channels first, and the network's, [20, 28, 3], have them last"
      ),
      (
        .mirrorAndShift, [(.float32, [3, 8, 1])], [10],
        "it takes images of more than 1 rows and columns, got 8 × 1"
      ),
    ]
    for (augmentations, inputs, prediction, wanted) in objections {
      let inputs = inputs.map { (elementType: $0.0, shape: $0.1) }
      #expect(augmentations.objection(toInputs: inputs, prediction: prediction) == wanted)
    }
    #expect(
      TestTimeAugmentation.mirror.objection(
        toInputs: [(elementType: .float32, shape: [3, 8, 1])], prediction: [10]) == nil)
  }

  /// A network whose last softmax the loss includes, as those from files.
  private struct Ending: GraphTemplate {
    let sample: Graph
    var fixedBatchSize: Int? { nil }
    var leavesFinalActivationToLoss: Bool { true }

    func graph(for inputTypes: [ValueType]) -> Graph { sample }
  }

  @Test func `it refuses a loss that isn't computed from the predictions`() throws {
    let graph = try Model(input: [2, Self.size, Self.size], engine: Engine(threadCount: 1)) {
      Flatten()
      Dense(3)
      Softmax()
    }.graph
    let learner = try Learner(
      Model(template: Ending(sample: graph), engine: Engine(threadCount: 1)),
      data: DataSplit(train: Self.images(12), valid: Self.images(11)))
    let error = #expect(throws: LearnerError.self) {
      try learner.evaluate(augmentations: .mirror)
    }
    #expect(
      error?.description
        == "test-time augmentation mirror: the loss cross-entropy includes the network's last activation, so that it "
        + "isn't computed from predictions alone; predict without it")
    // Predictions are probabilities, whose mean is one, too.
    let mean = try learner.predict(on: Self.images(3), augmentations: .mirror).doubles
    #expect(abs(mean.reduce(0, +) - 3) < 1e-5)
  }
}
