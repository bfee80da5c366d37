import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import Foundation
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

  @Test func `a final activation is seen behind what arranges or clips it`() throws {
    let engine = try Engine(threadCount: 1)
    let ends: [(String, @Sendable (Symbol) throws -> Symbol)] = [
      ("as it is", { try $0.sigmoid() }),
      ("reshaped", { try $0.sigmoid().reshaped(to: [-1, 2, 2]) }),
      ("squeezed", { try $0.unsqueezed(axes: [1]).sigmoid().squeezed(axes: [1]) }),
      ("clipped", { try $0.sigmoid().clipped(minimum: 1e-7, maximum: 1 - 1e-7) }),
      ("transposed", { try $0.unsqueezed(axes: [1]).sigmoid().transposed([0, 2, 1]) }),
    ]
    for (name, end) in ends {
      let model = try Model(
        template: Foreign(
          sample: Model(
            inputs: [.init(shape: [5])], seed: 2, engine: engine,
            trace: { try end(Dense(4, name: "dense")($0[0])) }
          ).template.sample), seed: 2, engine: engine)
      #expect(model.predictsProbabilities(of: .binaryCrossEntropy, classAxis: nil), "\(name)")
      let target = Shape([3] + model.outputShape.dimensions)
      let program = try model.cache(loss: .binaryCrossEntropy).program(
        ProgramRequest(
          inputTypes: [ValueType([3, 5])], targetType: ValueType(target), mode: .inference))
      try program.setInputs([Tensor((0..<15).map { Float($0) / 7 - 1 }, shape: [3, 5])])
      try program.setTarget(Tensor([Float](repeating: 0.25, count: 12), shape: target))
      try program.run(.forward, random: RandomKey(seed: 0, step: 0))
      try program.run(.loss, random: RandomKey(seed: 0, step: 0))
      let probabilities = try model.predict(
        Tensor((0..<15).map { Float($0) / 7 - 1 }, shape: [3, 5])
      ).doubles
      let expected = probabilities.reduce(0) { $0 - 0.25 * log($1) - 0.75 * log(1 - $1) } / 12
      #expect(abs(Double(program.loss) - expected) < 1e-5, "\(name)")
    }
  }

  @Test func `probabilities that a loss takes for logits are named`() throws {
    let engine = try Engine(threadCount: 1)
    let model = try Model(input: [5], engine: engine) {
      Dense(2)
      CrestLayers.Softmax()
    }
    #expect(
      model.probabilitiesTakenForLogits(by: .crossEntropy(classAxis: 1), classAxis: nil) == nil)
    #expect(
      model.probabilitiesTakenForLogits(by: .binaryCrossEntropy, classAxis: nil) == "Softmax")
    #expect(model.probabilitiesTakenForLogits(by: .meanSquaredError, classAxis: nil) == nil)
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
