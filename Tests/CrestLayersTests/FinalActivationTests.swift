import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import Testing

/// A graph as if it came from a file, whose final activation a loss may include.
private struct Foreign: GraphTemplate {
  let sample: Graph
  var fixedBatchSize: Int? { nil }
  var leavesFinalActivationToLoss: Bool { true }
  func graph(for inputTypes: [ValueType]) throws -> Graph { sample }
}

@Suite struct FinalActivationTests {
  @Test func `a final activation that the loss includes is not applied twice`() throws {
    try expectOneActivation(
      .crossEntropy(), CrestLayers.Softmax(), target: Tensor([0, 3, 1] as [Int64]))
    try expectOneActivation(
      .binaryCrossEntropy, CrestLayers.Sigmoid(),
      target: Tensor([Float](repeating: 0.25, count: 12), shape: [3, 4]))
  }

  @Test func `a final softmax along the last axis says where the classes are`() throws {
    let engine = try Engine(threadCount: 1)
    let template = Foreign(
      sample: try Model(
        Sequential([Dense(4, name: "dense"), CrestLayers.Softmax(axis: -1)]), input: [4, 5],
        seed: 2, engine: engine
      ).template.sample)
    let model = try Model(template: template, seed: 2, engine: engine)
    let axis = try model.classAxis(of: .crossEntropy(), target: ValueType([4], .int64))
    #expect(axis?.axis == 2)
    #expect(axis?.alternative == 1)
    #expect(model.predictsProbabilities(of: .crossEntropy(), classAxis: axis))
    #expect(!model.predictsProbabilities(of: .binaryCrossEntropy, classAxis: nil))
  }

  private func expectOneActivation(
    _ loss: Loss, _ activation: any Layer, target: Tensor
  ) throws {
    let engine = try Engine(threadCount: 1)
    let logits = try Model(Dense(4, name: "dense"), input: [5], seed: 2, engine: engine)
    let whole = try Model(
      template: Foreign(
        sample: Model(
          Sequential([Dense(4, name: "dense"), activation]), input: [5], seed: 2, engine: engine
        ).template.sample), seed: 2, engine: engine)
    let batch = Tensor((0..<15).map { Float($0) / 7 - 1 }, shape: [3, 5])
    let losses = try [logits, whole].map { model in
      let program = try model.cache(loss: loss).program(
        ProgramRequest(
          inputTypes: [ValueType([3, 5])], targetType: ValueType(target.shape, target.elementType),
          mode: .inference))
      try program.setInputs([batch])
      try program.setTarget(target)
      try program.run(.forward, random: RandomKey(seed: 0, step: 0))
      try program.run(.loss, random: RandomKey(seed: 0, step: 0))
      return program.loss
    }
    #expect(losses[0] == losses[1])
    let predictions = try [logits.predict(batch), whole.predict(batch)]
    #expect(predictions[0] != predictions[1])
  }
}
