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
        Program.Request(
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

  struct End: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable (Symbol) throws -> Symbol
    /// What cross-entropy and bce are to be told of, of a model of this library, which leaves nothing to its loss.
    var crossEntropy: String?
    var binary: String?
    /// Which of them a model from a file leaves its end to.
    var leaves: [String] = []
  }

  static let ends = [
    End(
      testDescription: "softmax", make: { try $0.softmax(axis: 1) }, crossEntropy: "Softmax",
      binary: "Softmax", leaves: ["cross-entropy"]),
    End(
      testDescription: "softmax in float",
      make: { try ($0 * 1).softmax(axis: 1).clipped(minimum: 1e-7, maximum: 1) },
      crossEntropy: "Softmax", binary: "Softmax", leaves: ["cross-entropy"]),
    End(
      testDescription: "exponential of log-softmax", make: { try $0.logSoftmax(axis: 1).exp() },
      crossEntropy: "Softmax", binary: "Softmax", leaves: ["cross-entropy"]),
    End(
      testDescription: "softmax written out",
      make: {
        let power = try $0.exp()
        return try power / power.sum(axes: [1], keepingDimensions: true)
      }, crossEntropy: "Softmax", binary: "Softmax", leaves: ["cross-entropy"]),
    End(
      testDescription: "log-softmax", make: { try $0.logSoftmax(axis: 1) }, binary: "LogSoftmax log"
    ),
    End(
      testDescription: "logarithm of softmax", make: { try $0.softmax(axis: 1).log() },
      binary: "LogSoftmax log"),
    End(
      testDescription: "sigmoid", make: { try $0.sigmoid() }, crossEntropy: "Sigmoid",
      binary: "Sigmoid", leaves: ["bce"]),
    End(
      testDescription: "sigmoid written out", make: { try 1 / (1 + (-$0).exp()) },
      crossEntropy: "Sigmoid", binary: "Sigmoid", leaves: ["bce"]),
    End(
      testDescription: "sigmoid written out by a reciprocal",
      make: { try ((-1 * $0).exp() + 1).reciprocal() }, crossEntropy: "Sigmoid", binary: "Sigmoid",
      leaves: ["bce"]),
    End(
      testDescription: "logarithm of sigmoid", make: { try $0.sigmoid().log() },
      crossEntropy: "LogSigmoid log", binary: "LogSigmoid log"),
    End(
      testDescription: "hard sigmoid", make: { try $0.hardSigmoid() },
      crossEntropy: "HardSigmoid", binary: "HardSigmoid"),
    End(
      testDescription: "hard sigmoid by relu6",
      make: { try ($0 + 3).clipped(minimum: 0, maximum: 6) / 6 }, crossEntropy: "HardSigmoid",
      binary: "HardSigmoid"),
    End(
      testDescription: "a part of a hard sigmoid, reshaped",
      make: { try $0.hardSigmoid().reshaped(to: [-1, 1, 4]).squeezed(axes: [1]) },
      crossEntropy: "HardSigmoid", binary: "HardSigmoid"),
    End(
      testDescription: "the second part of a softmax",
      make: { try $0.softmax(axis: 1).split(count: 2, axis: 1)[1] }, crossEntropy: "Softmax",
      binary: "Softmax"),
    // What is proved to lie from 0 to 1 by the ranges of its parts.
    End(
      testDescription: "the rest of a sigmoid", make: { try 1 - $0.sigmoid() },
      crossEntropy: "Sub 0…1", binary: "Sub 0…1"),
    End(
      testDescription: "a shifted tanh", make: { try ($0.tanh() + 1) / 2 }, crossEntropy: "Div 0…1",
      binary: "Div 0…1"),
    End(
      testDescription: "the mean of two softmaxes",
      make: { try ($0.softmax(axis: 1) + ($0 * 2).softmax(axis: 1)) * 0.5 },
      crossEntropy: "Mul 0…1",
      binary: "Mul 0…1"),
    End(
      testDescription: "both probabilities of two classes",
      make: {
        let p = try $0.sum(axes: [1], keepingDimensions: true).sigmoid()
        return try (1 - p).concatenated(with: [p, p, 1 - p], axis: 1)
      }, crossEntropy: "Concat 0…1", binary: "Concat 0…1"),
    End(
      testDescription: "shares of sigmoids",
      make: {
        let p = try $0.sigmoid()
        return try p / p.sum(axes: [1], keepingDimensions: true)
      }, crossEntropy: "Div 0…1", binary: "Div 0…1"),
    End(
      testDescription: "a sigmoid by powers",
      make: {
        let power = try $0.exp()
        return try power / (power + 1)
      }, crossEntropy: "Div 0…1", binary: "Div 0…1"),
    End(
      testDescription: "logits held from 0 to 1",
      make: { try $0.clipped(minimum: 0, maximum: 1) }, crossEntropy: "Clip 0…1", binary: "Clip 0…1"
    ),
    End(
      testDescription: "the second part of a sigmoid",
      make: { try $0.sigmoid().split(count: 2, axis: 1)[1] * 1 }, crossEntropy: "Mul 0…1",
      binary: "Mul 0…1"),
    // What has nothing to do with probabilities.
    End(testDescription: "twice a sigmoid", make: { try $0.sigmoid() * 2 }),
    End(testDescription: "a rectified value", make: { try $0.relu() }),
    End(testDescription: "logits", make: { $0 }),
    End(testDescription: "a quotient", make: { try $0 / 3 }),
    End(testDescription: "scaled logits", make: { try 2 * $0 + 0.5 }),
    End(testDescription: "an exponential", make: { try $0.exp() }),
    End(testDescription: "clipped logits", make: { try $0.clipped(minimum: -30, maximum: 30) }),
  ]

  @Test(arguments: ends)
  func `probabilities that a loss takes for logits are named, or left to it`(end: End) throws {
    let engine = try Engine(threadCount: 1)
    let own = try Model(
      inputs: [.init(shape: [5])], engine: engine, trace: { try end.make(Dense(4)($0[0])) })
    let foreign = try Model(template: Foreign(sample: own.graph), engine: engine)
    for (loss, expected) in [
      (Loss.crossEntropy(classAxis: 1), end.crossEntropy), (.binaryCrossEntropy, end.binary),
    ] {
      let axis = try own.classAxis(of: loss, target: ValueType([], .int64))
      func name(_ model: Model) -> String? {
        model.probabilitiesTakenForLogits(by: loss, classAxis: axis).map {
          $0.operation + ($0.kind == .logarithms ? " log" : $0.kind == .fractions ? " 0…1" : "")
        }
      }
      #expect(name(own) == expected, "\(loss.name)")
      let isLeft = end.leaves.contains(loss.name)
      #expect(foreign.predictsProbabilities(of: loss, classAxis: axis) == isLeft, "\(loss.name)")
      #expect(name(foreign) == (isLeft ? nil : expected), "\(loss.name)")
    }
    #expect(own.probabilitiesTakenForLogits(by: .meanSquaredError, classAxis: nil) == nil)
  }

  @Test func `a log-softmax along another axis than that of the classes is named`() throws {
    let model = try Model(
      inputs: [.init(shape: [3, 5])], engine: Engine(threadCount: 1),
      trace: { try Dense(4)($0[0]).logSoftmax(axis: 2) })
    for (axis, expected) in [(1, "LogSoftmax"), (2, nil)] as [(Int, String?)] {
      let loss = Loss.crossEntropy(classAxis: axis)
      let found = try model.classAxis(of: loss, target: ValueType(model.outputShape))
      #expect(
        model.probabilitiesTakenForLogits(by: loss, classAxis: found)?.operation == expected)
    }
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
        Program.Request(
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
