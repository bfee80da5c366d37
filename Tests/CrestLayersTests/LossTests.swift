import CrestGraph
import CrestLayers
import CrestTensor
import Testing

@Suite struct LossTests {
  /// A loss, predictions, targets, and the losses before their mean.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let loss: Loss
    let prediction: [Double]
    let predictionShape: Shape
    let target: ReferenceArray
    let expected: [Double]

    var testDescription: String { name }
  }

  // Values of PyTorch 2.15 in float64.
  static let cases = [
    Case(
      name: "cross-entropy of labels", loss: .crossEntropy(), prediction: [1, 2, 3, 0, -1, 0.5],
      predictionShape: [2, 3],
      target: ReferenceArray(integers: [2, 1], ValueType([2], .int64)),
      expected: [0.4076059644443803, 2.1041306053367284]),
    Case(
      name: "cross-entropy with label smoothing", loss: .crossEntropy(labelSmoothing: 0.1),
      prediction: [1, 2, 3, 0, -1, 0.5], predictionShape: [2, 3],
      target: ReferenceArray(integers: [2, 1], ValueType([2], .int64)),
      expected: [0.5076059644443804, 2.0207972720033953]),
    Case(
      name: "cross-entropy of probabilities", loss: .crossEntropy(),
      prediction: [1, 2, 3, 0, -1, 0.5], predictionShape: [2, 3],
      target: ReferenceArray([0.2, 0.3, 0.5, 1, 0, 0], ValueType([2, 3])),
      expected: [1.1076059644443804, 1.1041306053367284]),
    Case(
      name: "cross-entropy of labels along the last axis", loss: .crossEntropy(),
      prediction: [1, 2, 3, 0, -1, 0.5], predictionShape: [1, 2, 3],
      target: ReferenceArray(integers: [2, 1], ValueType([1, 2], .int64)),
      expected: [0.4076059644443803, 2.1041306053367284]),
    Case(
      name: "cross-entropy of labels along a chosen axis in the middle",
      loss: .crossEntropy(classAxis: 2), prediction: [1, 2, 3, 0, -1, 0.5],
      predictionShape: [1, 2, 3, 1],
      target: ReferenceArray(integers: [2, 1], ValueType([1, 2, 1], .int64)),
      expected: [0.4076059644443803, 2.1041306053367284]),
    Case(
      name: "cross-entropy of probabilities along the last axis",
      loss: .crossEntropy(classAxis: -1),
      prediction: [1, 2, 3, 0, -1, 0.5], predictionShape: [1, 2, 3],
      target: ReferenceArray([0.2, 0.3, 0.5, 1, 0, 0], ValueType([1, 2, 3])),
      expected: [1.1076059644443804, 1.1041306053367284]),
    Case(
      name: "mse", loss: .meanSquaredError, prediction: [1, -2], predictionShape: [2, 1],
      target: ReferenceArray([0.5, 1], ValueType([2, 1])), expected: [0.25, 9]),
    Case(
      name: "mae", loss: .meanAbsoluteError, prediction: [1, -2], predictionShape: [2, 1],
      target: ReferenceArray([0.5, 1], ValueType([2, 1])), expected: [0.5, 3]),
    Case(
      name: "huber", loss: .huber(), prediction: [1, -2, 2], predictionShape: [3, 1],
      target: ReferenceArray([0.5, 1, 1], ValueType([3, 1])), expected: [0.125, 2.5, 0.5]),
    Case(
      name: "huber with a delta of 2, without the last axis", loss: .huber(delta: 2),
      prediction: [1, -2, 2], predictionShape: [3, 1],
      target: ReferenceArray([0.5, 1, 1], ValueType([3])), expected: [0.125, 4, 0.5]),
    Case(
      name: "bce", loss: .binaryCrossEntropy, prediction: [1, -2, 800], predictionShape: [3, 1],
      target: ReferenceArray([0.5, 1, 0], ValueType([3, 1])),
      expected: [0.8132616875182228, 2.1269280110429727, 800]),
    Case(
      name: "bce of labels without the last axis", loss: .binaryCrossEntropy,
      prediction: [1, -2, 800], predictionShape: [3, 1],
      target: ReferenceArray(integers: [1, 1, 0], ValueType([3], .int64)),
      expected: [0.3132616875182228, 2.1269280110429727, 800]),
    Case(
      name: "mse of targets without the last axis", loss: .meanSquaredError, prediction: [1, -2],
      predictionShape: [2, 1], target: ReferenceArray([0.5, 1], ValueType([2])),
      expected: [0.25, 9]),
    Case(
      name: "mae of predictions without the last axis", loss: .meanAbsoluteError,
      prediction: [1, -2], predictionShape: [2],
      target: ReferenceArray([0.5, 1], ValueType([2, 1])), expected: [0.5, 3]),
  ]

  @Test(arguments: cases)
  func `gives PyTorch's losses before the mean`(_ lossCase: Case) throws {
    let builder = GraphBuilder()
    let type = ValueType(lossCase.predictionShape)
    let losses = try lossCase.loss.trace(
      builder.input("p", type), builder.input("t", lossCase.target.type))
    let values = try Interpreter(builder.result).run(
      inputs: [ReferenceArray(lossCase.prediction, type), lossCase.target], variables: [])[
        losses.id.index
      ].reals
    #expect(values.count == lossCase.expected.count)
    for (got, wanted) in zip(values, lossCase.expected) {
      #expect(abs(got - wanted) < 1e-9, "\(got), not \(wanted)")
    }
  }

  @Test func `a loss is found by its name`() throws {
    for name in ["cross-entropy", "mse", "mae", "huber", "bce"] {
      #expect(try Loss.named(name).name == name)
    }
    let error = #expect(throws: LossError.self) { try Loss.named("hinge") }
    #expect(
      error?.description
        == "loss: expected one of cross-entropy, mse, mae, huber, bce, got \"hinge\"")
  }

  @Test func `targets choose the loss where none is named`() {
    #expect(Loss.standard(for: .int64).name == "cross-entropy")
    #expect(Loss.standard(for: .uint8).name == "cross-entropy")
    #expect(Loss.standard(for: .float32).name == "mse")
  }

  @Test(
    arguments: [Loss.meanSquaredError, .meanAbsoluteError, .huber(), .binaryCrossEntropy].map(
      \.name))
  func `targets of another shape are refused, not broadcast`(name: String) throws {
    let loss = try Loss.named(name)
    let builder = GraphBuilder()
    let prediction = builder.input("p", ValueType([4, 3]))
    for shape: Shape in [[4], [3], [4, 1], [1, 3], [3, 4], [4, 3, 2], []] {
      let target = builder.input("t\(shape.rank)\(shape)", ValueType(shape))
      #expect(throws: GraphError.self) { try loss.trace(prediction, target) }
    }
  }

  @Test func `a loss without classes has no axis of them`() throws {
    let error = #expect(throws: LossError.self) {
      _ = try Loss.meanSquaredError.withClasses(along: 2)
    }
    #expect(
      error?.description
        == "class axis: expected a loss with classes, cross-entropy, got mse; omit the axis")
    #expect(try Loss.crossEntropy().withClasses(along: 2).targets == .classes(axis: 2))
  }
}
