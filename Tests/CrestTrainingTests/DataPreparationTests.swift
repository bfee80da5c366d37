import CrestData
import CrestLayers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Foundation
import ProcessSupport
import Testing
import TrainingTestSupport

/// What a network has learned includes how its inputs were prepared.
@Suite struct DataPreparationTests {
  static let trained = Preprocessing(
    layout: .channelsFirst, divisor: 255, mean: [0.25], standardDeviation: [0.5])
  static let own = Preprocessing(
    layout: .channelsFirst, divisor: 255, mean: [0.75], standardDeviation: [0.25])

  /// Sixteen images of four pixels, bright ones of class 1, by a set whose own preprocessing is ``own``.
  static func images(_ preprocessing: Preprocessing = own, name: String = "bright") -> ByteImages {
    ByteImages(
      name: name, bytes: (0..<16).flatMap { [UInt8](repeating: UInt8($0 * 16), count: 4) },
      shape: [1, 2, 2], labels: (0..<16).map { $0 < 8 ? 0 : 1 }, classNames: ["dark", "bright"],
      preprocessing: preprocessing)
  }

  static func data(_ preprocessing: Preprocessing = own) -> DataSplit {
    DataSplit(train: images(preprocessing), valid: images(preprocessing, name: "bright (test)"))
  }

  static func model(_ preprocessing: Preprocessing? = nil, classNames: [String]? = nil) throws
    -> Model
  {
    let model = try BuiltInModel.make(
      "mlp", input: [1, 2, 2], classes: 2, engine: Engine(threadCount: 1))
    model.preprocessing = preprocessing
    model.classNames = classNames
    return model
  }

  static let inWords = (
    trained: "(x / 255 - 0.25) / 0.5", own: "(x / 255 - 0.75) / 0.25"
  )

  struct Case: Sendable, CustomTestStringConvertible {
    let model: Preprocessing?
    let choice: Preprocessing.Choice
    let used: Preprocessing
    let note: Learner.Note?
    let message: String
    var testDescription: String { "\(model.map(\.description) ?? "nil"), \(choice)" }
  }

  static let cases = [
    Case(model: nil, choice: .model, used: own, note: nil, message: ""),
    Case(model: nil, choice: .data, used: own, note: nil, message: ""),
    Case(
      model: nil, choice: .none, used: .identity,
      note: .preparedUnlikeData(.identity, own: own, data: "bright"),
      message: "the examples of bright are preprocessed with x as it is stored, not with the "
        + "set's own statistics, "
        + inWords.own),
    Case(model: own, choice: .model, used: own, note: nil, message: ""),
    Case(
      model: trained, choice: .model, used: trained,
      note: .preparedAsModel(trained, own: own, data: "bright"),
      message: "the examples of bright are preprocessed as the model was trained, "
        + "\(inWords.trained), not with the set's own statistics, \(inWords.own)"),
    Case(
      model: trained, choice: .data, used: own,
      note: .preparedUnlikeModel(own, model: trained, data: "bright"),
      message:
        "the examples of bright are preprocessed with \(inWords.own), not as the model was "
        + "trained, "
        + inWords.trained),
    Case(
      model: trained, choice: .none, used: .identity,
      note: .preparedUnlikeModel(.identity, model: trained, data: "bright"),
      message: "the examples of bright are preprocessed with x as it is stored, not as the model "
        + "was trained, \(inWords.trained)"),
    Case(
      model: .identity, choice: .model, used: .identity,
      note: .preparedAsModel(.identity, own: own, data: "bright"),
      message: "the examples of bright are preprocessed as the model was trained, x as it is "
        + "stored, not with the set's own statistics, \(inWords.own)"),
  ]

  @Test(arguments: cases)
  func `examples are prepared as the model was trained, unless chosen otherwise`(_ test: Case)
    throws
  {
    let model = try Self.model(test.model)
    let learner = try Learner(
      model, data: Self.data(), metrics: [Accuracy()], preprocessing: test.choice)
    #expect(learner.notes == (test.note.map { [$0] } ?? []))
    #expect(learner.notes.map(\.description) == (test.note == nil ? [] : [test.message]))
    #expect(learner.data.train.preprocessing.isSame(as: test.used))
    #expect(learner.data.valid.preprocessing.isSame(as: test.used))

    // What the model sees, by the formula: pixel 32 of the third image.
    let seen = Float(
      test.used.isIdentity
        ? 32
        : (32.0 / 255 - test.used.mean[0]) / test.used.standardDeviation[0])
    let batches = learner.validLoader.batches(epoch: 0)
    let batch = try #require(try batches.next())
    #expect(batch.inputs[0].array(as: Float.self)[8] == seen)

    // Loss and predictions are those of the images prepared so, in whatever form they are given.
    let expected = try model.predict(batch.inputs[0])
    #expect(try learner.predict(on: Self.images(Self.trained)) == expected)
    let pixels = Tensor(
      (0..<16).flatMap { [UInt8](repeating: UInt8($0 * 16), count: 4) }, shape: [16, 1, 2, 2])
    #expect(try learner.predict(pixels) == expected)
    #expect(try learner.evaluate(on: Self.images(Self.trained)).loss == learner.evaluate().loss)

    // Nothing is learned yet, and so nothing is said.
    #expect(model.preprocessing == test.model)
    try learner.fit(epochs: 1, learningRate: 0.01)
    #expect(model.preprocessing?.isSame(as: test.used) == true)
    #expect(model.classNames == ["dark", "bright"])
    // The next learner goes by what was learned.
    let next = try Learner(model, data: Self.data())
    #expect(next.data.train.preprocessing.isSame(as: test.used))
  }

  @Test func `a range test, which is undone, leaves the model saying nothing`() throws {
    let model = try Self.model()
    let learner = try Learner(model, data: Self.data())
    let snapshot = learner.snapshot()
    try learner.fit(epochs: 1, learningRate: 0.01)
    #expect(model.preprocessing == Self.own)
    learner.restore(snapshot)
    #expect(model.preprocessing == nil)
    #expect(model.classNames == nil)
    try learner.fit(epochs: 1, learningRate: 0.01)
    #expect(model.preprocessing == Self.own)
  }

  @Test func `a validation part is prepared by what the training part is`() throws {
    let data = DataSplit(train: Self.images(Self.own), valid: Self.images(Self.trained))
    let learner = try Learner(Self.model(), data: data)
    #expect(learner.data.valid.preprocessing == Self.own)
  }

  @Test func `channels that the model's preprocessing isn't for are refused`() throws {
    let colour = Preprocessing(
      layout: .channelsFirst, divisor: 255, mean: [0.1, 0.2, 0.3],
      standardDeviation: [1, 1, 1])
    let error = #expect(throws: DataError.self) {
      try Learner(Self.model(colour), data: Self.data())
    }
    #expect(
      error.map { "\($0)" }
        == "bright can't be preprocessed as requested: the preprocessing is for 3 channels along "
        + "the first axis of an example, got examples of shape [1, 2, 2]; give other data, or "
        + "choose another preprocessing")
    // Which remains possible.
    #expect(
      try Learner(Self.model(colour), data: Self.data(), preprocessing: .data).data.train
        .preprocessing == Self.own)
  }

  @Test func `checkpoints bring along how their data were prepared`() throws {
    let folder = try TemporaryFolder()
    let first = try Learner(Self.model(), data: Self.data(Self.trained))
    try first.fit(epochs: 2, learningRate: 0.1)
    for (contents, name) in [(Learner.Contents.everything, "run"), (.weights, "weights")] {
      let path = folder[name + ".safetensors"].path
      try first.save(to: path, contents)
      let second = try Learner(Self.model(), data: Self.data(Self.own), metrics: [Accuracy()])
      try second.loadWeights(from: path)
      #expect(second.model.preprocessing == Self.trained)
      #expect(second.model.classNames == ["dark", "bright"])
      #expect(second.data.valid.preprocessing == Self.trained)
      #expect(second.notes == [.preparedAsModel(Self.trained, own: Self.own, data: "bright")])
      #expect(try second.evaluate().loss == first.evaluate().loss)
      let other = try Learner(
        Self.model(), data: Self.data(Self.own), preprocessing: .data)
      try other.loadWeights(from: path)
      #expect(other.data.valid.preprocessing == Self.own)
      #expect(
        other.notes == [.preparedUnlikeModel(Self.own, model: Self.trained, data: "bright")])
    }
    // A run goes on with what it began with, and with nothing else.
    let path = folder["run.safetensors"].path
    let third = try Learner(Self.model(), data: Self.data(Self.own))
    #expect(throws: CheckpointError.self) { try third.load(from: path) }
    let fourth = try Learner(Self.model(Self.trained), data: Self.data(Self.own))
    try fourth.load(from: path)
    #expect(try fourth.evaluate().loss == first.evaluate().loss)
  }

  @Test func `images with channels last keep them there`() throws {
    let layout = Preprocessing(
      layout: .channelsLast, divisor: 1, mean: [1, 2, 3], standardDeviation: [1, 2, 4])
    let images = Tensor((0..<48).map { Float($0) }, shape: [2, 2, 4, 3])
    let set = TensorExamples(
      name: "last", inputs: [("x", images)], targets: Tensor([0, 1] as [Int64]),
      classNames: ["0", "1"])
    let model = try BuiltInModel.make(
      "mlp", input: [2, 4, 3], classes: 2, engine: Engine(threadCount: 1))
    model.preprocessing = layout
    let learner = try Learner(model, data: DataSplit(train: set, valid: set))
    let batches = learner.validLoader.batches(epoch: 0)
    let seen = try #require(try batches.next()).inputs[0].array(as: Float.self)
    #expect(seen == (0..<48).map { (Float($0) - [1, 2, 3][$0 % 3]) / [1, 2, 4][$0 % 3] })
    #expect(try learner.predict(images) == model.predict(Tensor(seen, shape: images.shape)))
  }

  struct Names: Sendable, CustomTestStringConvertible {
    let model: [String]?
    let data: [String]
    let after: [String]
    let message: String?
    var testDescription: String { "\(model ?? []) and \(data)" }
  }

  static let names = [
    Names(model: nil, data: ["0", "1"], after: ["0", "1"], message: nil),
    Names(model: ["cat", "dog"], data: ["cat", "dog"], after: ["cat", "dog"], message: nil),
    // Numbers are no names, and don't replace any.
    Names(model: ["cat", "dog"], data: ["0", "1"], after: ["cat", "dog"], message: nil),
    Names(model: ["0", "1"], data: ["cat", "dog"], after: ["cat", "dog"], message: nil),
    Names(
      model: ["cat", "dog"], data: ["dog", "cat"], after: ["dog", "cat"],
      message:
        "the classes of set are dog, cat, but those of the model cat, dog: they are matched by "
        + "index, the first to the first"),
    Names(
      model: ["0", "1", "2"], data: ["0", "1"], after: ["0", "1", "2"],
      message: "set has 2 classes, but the model 3: they are matched by index"),
    Names(
      model: ["a", "b", "c"], data: ["0", "1"], after: ["a", "b", "c"],
      message: "set has 2 classes, but the model 3: they are matched by index"),
  ]

  @Test(arguments: names)
  func `classes that aren't the model's are named`(_ test: Names) throws {
    let model = try BuiltInModel.make(
      "mlp", input: [2], classes: 3, engine: Engine(threadCount: 1))
    model.classNames = test.model
    let set = TensorExamples(
      name: "set", inputs: [("x", Tensor([0, 1, 2, 3] as [Float], shape: [2, 2]))],
      targets: Tensor([0, 1] as [Int64]), classNames: test.data)
    let learner = try Learner(model, data: DataSplit(train: set, valid: set))
    #expect(learner.notes.map(\.description) == (test.message.map { [$0] } ?? []))
    try learner.fit(epochs: 1, learningRate: 0.01)
    #expect(model.classNames == test.after)
  }
}
