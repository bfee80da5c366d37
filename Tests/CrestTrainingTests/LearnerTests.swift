import CrestData
import CrestGraph
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

struct LearnerTests {
  @Test func `a linear model learns a linear function`() throws {
    let data = DataSplit(train: TinyData.values(200), valid: TinyData.values(40, seed: 9))
    let learner = try Learner(
      TinyModel.linear(), data: data, optimizer: Adam(),
      metrics: [MeanSquaredError(), MeanAbsoluteError(), MeanLoss()], batchSize: 16)
    #expect(learner.loss.name == "mse")
    let before = try learner.evaluate()
    try learner.fit(epochs: 40, learningRate: 0.05)
    let after = try learner.evaluate()
    #expect(after.loss < before.loss / 1000)
    #expect(after["mae"] ?? .nan < 0.05)
    #expect(after.exampleCount == 40)
    #expect(abs((after["mse"] ?? .nan) - after.loss) <= 1e-6 * after.loss + 1e-12)
    #expect(after["loss"] == after.loss)
    #expect(after["accuracy"] == nil)
  }

  @Test func `a small network learns classes`() throws {
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(train: 600, valid: 200), metrics: [Accuracy()],
      batchSize: 32)
    try learner.fit(epochs: 20, learningRate: 0.1)
    let accuracy = try #require(try learner.evaluate()["accuracy"])
    #expect(accuracy > 0.8, "a third is chance")
  }

  @Test func `the training loss is the mean over all examples, the smaller last batch included`()
    throws
  {
    var sum = 0.0
    var result: FitResult.Pass?
    let callback = CallbackOf(
      .afterLoss { batch in if batch.isTraining { sum += Double(batch.loss) * Double(batch.count) }
      },
      .afterTrain { result = $0.result })
    let learner = try Learner(TinyModel.full(), data: TinyData.split(), batchSize: 5)
    try learner.fit(epochs: 1, callbacks: [callback])
    #expect(result?.exampleCount == 22)
    #expect(result?.loss == sum / 22)
    #expect(result?.metrics == [])
  }

  @Test func `validation in a fit is what evaluation gives, for any batch size`() throws {
    var losses: [Double] = []
    for batchSize in [2, 4, 9, 64] {
      let learner = try Learner(
        TinyModel.full(), data: TinyData.split(), metrics: [Accuracy()], batchSize: batchSize)
      let result = try learner.evaluate()
      losses.append(result.loss)
      #expect(result.exampleCount == 9)
      var seen: FitResult.Pass?
      // Training is left out, so that the parameters stay.
      try learner.fit(
        epochs: 1,
        callbacks: [
          CallbackOf(
            .beforeTrain { _ in throw Cancel(.train, reason: "only measure") },
            .afterEpoch { seen = $0.validation })
        ])
      #expect(seen?.loss == result.loss)
      #expect(seen?.metrics == result.metrics)
    }
    for loss in losses { #expect(abs(loss - losses[0]) < 1e-6) }
  }

  @Test func `what is predicted for a set is what is predicted for its stored examples`() throws {
    let data = try Digits.split()
    let model = try Model(input: [1, 8, 8], engine: Engine(threadCount: 1)) {
      Flatten()
      Dense(10)
    }
    let learner = try Learner(model, data: data, batchSize: 100)
    let images = try Digits.images()
    let stored = images.rawPixels(of: 0..<150)
    let bytes = try learner.predict(Tensor(stored, shape: [150, 1, 8, 8]))
    let floats = try learner.predict(Tensor(stored.map { Float($0) }, shape: [150, 1, 8, 8]))
    let set = try learner.predict(
      on: Subset(images, indices: Array(0..<150), name: "the first"))
    #expect(bytes == set)
    #expect(floats == set)
    #expect(set.shape == [150, 10])
  }

  @Test func `predictions that always lie from 0 to 1 are noted under a loss of logits`() throws {
    let model = try Model(
      inputs: [.init(shape: [4])], engine: Engine(threadCount: 1),
      trace: { x in
        let y = try Dense(3)(x[0])
        return try 1 - y.sigmoid()
      })
    let learner = try Learner(model, data: TinyData.split())
    #expect(
      learner.notes.map(\.description) == [
        "the network's predictions, results of Sub, always lie from 0 to 1, as probabilities do, "
          + "and cross-entropy takes logits: losses and accuracies are wrong; choose another "
          + "loss, or a network that ends in logits"
      ])
  }

  @Test func `examples of another shape or type are refused`() throws {
    let learner = try Learner(TinyModel.linear(), data: TinyData.split())
    for (examples, got) in [
      (Tensor(zeros: [2, 5]), "float32 [2, 5]"), (Tensor(zeros: [0, 4]), "float32 [0, 4]"),
      (Tensor(zeros: [2, 4], elementType: .int64), "int64 [2, 4]"),
    ] {
      #expect(
        throws: LearnerError.examples(
          expected: "float32 or uint8 [N, 4] with N above 0", got: got)
      ) { try learner.predict(examples) }
    }
  }

  @Test func `a summary names model, data, loss and optimiser`() throws {
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(), metrics: [Accuracy()], seed: 5)
    let text = try learner.summary()
    for line in [
      "data        tiny", "examples    22 for training, 9 for validation",
      "loss        cross-entropy",
      "optimizer   sgd", "metrics     accuracy", "batch size  64", "seed        5",
    ] {
      #expect(text.split(separator: "\n").contains { $0 == line }, "\(text)")
    }
    #expect(text.contains("kernels"))
  }

  @Test func `activations are read where a callback declares them`() throws {
    var shapes: [Shape] = []
    let reader = CallbackOf(
      .afterPrediction { batch in
        shapes.append(batch.read(.activation("relu")).shape)
        shapes.append(batch.read(.predictions).shape)
      }, reads: [.activation("relu"), .predictions])
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(train: 4, valid: 2), batchSize: 4)
    try learner.fit(epochs: 1, callbacks: [reader])
    #expect(shapes == [[4, 8], [4, 3], [2, 8], [2, 3]])
  }

  @Test func `a callback may change what the model gets`() throws {
    let data = TinyData.split(train: 4, valid: 4)
    let learner = try Learner(TinyModel.linear(), data: data, batchSize: 4)
    var losses: [Float] = []
    let zero = CallbackOf(
      .beforeBatch { batch in batch.inputs = [Tensor(zeros: [4, 4])] },
      .afterLoss { losses.append($0.loss) })
    try learner.fit(epochs: 1, learningRate: 1e-9, callbacks: [zero])
    // The biases begin at 0: all classes are equally likely.
    #expect(abs((losses.first ?? 0) - 1.0986123) < 1e-6)
  }
}

extension ByteImages {
  /// The stored pixels of some images.
  fileprivate func rawPixels(of images: Range<Int>) -> [UInt8] {
    // Digits have one channel; 16 is the largest pixel.
    var batch = Batch(zerosFor: self, count: images.count)
    write(Array(images)[...], into: &batch)
    return batch.inputs[0].array(as: Float.self).map { value in
      UInt8(
        ((Double(value) * preprocessing.standardDeviation[0] + preprocessing.mean[0])
          * preprocessing.divisor).rounded())
    }
  }
}
