import CrestGraph
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import Testing

/// Native networks trained beside PyTorch: the same start, ten 1cycle steps, the same end.
@Suite struct TrainingParityTests {
  /// A network of ours and the fixture of the same one in PyTorch.
  struct Network: Sendable, CustomTestStringConvertible {
    let name: String
    let layer: @Sendable (_ classes: Int) -> any Layer

    var testDescription: String { name }
  }

  static let networks = [
    Network(name: "mlp") { MultilayerPerceptron(classes: $0, hidden: [32, 32]) },
    Network(name: "lenet") { LeNet(classes: $0) },
    Network(name: "resnet20") { ResNet(depth: 20, classes: $0) },
  ]

  @Test(arguments: networks)
  func `ten 1cycle steps are PyTorch's`(_ network: Network) throws {
    let parity = try ParityCase(network.name)
    let expected = parity.expected
    let model = try Model(
      Sequential([network.layer(expected.classes)]), input: Shape(expected.input))
    try start(model, parity)

    let optimizer = try SGD(
      momentum: 0.9, weightDecay: expected.weightDecay, decayKind: .l2, decayTargets: .all)
    let schedule = try OneCycle(maxLR: expected.maxLR, convention: .pytorch)
    var group = ParameterGroup(model.store, hyperparameters: optimizer.defaults)
    model.store.resetMoments(count: optimizer.momentCount)
    let program = try model.cache(loss: .crossEntropy()).program(
      Program.Request(
        inputTypes: [model.inputs[0].batchType(expected.batchSize)],
        targetType: ValueType([expected.batchSize], .int64), mode: .training))
    #expect(program.referenceNodes.isEmpty)

    let inputs = parity.inputs.array(as: Float.self)
    let labels = parity.labels
    let exampleSize = expected.input.reduce(1, *)
    for (step, wanted) in expected.steps.enumerated() {
      group.hyperparameters.learningRate = schedule.learningRate(
        step: step, total: expected.steps.count)
      group.hyperparameters.momentum = schedule.momentum(step: step, total: expected.steps.count)
      #expect(abs(group.hyperparameters.learningRate - wanted.learningRate) <= 1e-9)
      #expect(abs(group.hyperparameters.momentum - wanted.momentum) <= 1e-9)

      let rows = step * expected.batchSize..<(step + 1) * expected.batchSize
      try program.setInputs([
        Tensor(
          Array(inputs[rows.lowerBound * exampleSize..<rows.upperBound * exampleSize]),
          shape: Shape([expected.batchSize] + expected.input))
      ])
      try program.setTarget(Tensor(Array(labels[rows])))
      for stage in Graph.Stage.allCases {
        try program.run(stage, random: RandomKey(seed: 0, step: 0))
      }
      #expect(
        abs(Double(program.loss) - wanted.loss) <= 2e-5 * abs(wanted.loss),
        "step \(step): loss \(program.loss), not \(wanted.loss)")
      optimizer.step(model.store, [group], stepNumber: step + 1, engine: model.engine)
    }

    for variable in expected.tensors {
      let entry = try #require(model.store.entry(named: variable.name))
      let values = model.store.value(of: entry).array(as: Float.self)
      let kept = stride(from: 0, to: values.count, by: variable.every).map { values[$0] }
      let wanted = parity.weights(of: variable)
      try #require(kept.count == wanted.count)
      let worst = zip(kept, wanted).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(worst <= 1e-4, "\(variable.name) is off by \(worst)")
    }
    let logits = try model.predict(parity.evaluationInputs).doubles
    let wanted = expected.evaluation.flatMap(\.self)
    let scale = wanted.reduce(1) { max($0, abs($1)) }
    for (got, wanted) in zip(logits, wanted) { #expect(abs(got - wanted) <= 1e-4 * scale) }
  }

  /// Gives every parameter and statistic the fixture's start, checking that both sides have one.
  private func start(_ model: Model, _ parity: ParityCase) throws {
    let expected = parity.expected
    let entries = model.store.parameters + model.store.statistics
    #expect(Set(entries.map(\.name)) == Set(expected.tensors.map(\.name)))
    for (number, variable) in expected.tensors.enumerated() {
      let entry = try #require(model.store.entry(named: variable.name))
      #expect(entry.shape == Shape(variable.shape), "\(variable.name)")
      let value = parity.initialValue(ofVariable: number)
      expectSum(value.doubles, variable.initialSum, variable.name)
      model.store.write(value, to: entry)
    }
    expectSum(parity.inputs.doubles, expected.inputsSum, "inputs")
    expectSum(parity.labels.map(Double.init), expected.labelsSum, "labels")
    expectSum(parity.evaluationInputs.doubles, expected.evaluationSum, "evaluation inputs")
  }

  private func expectSum(_ values: [Double], _ sum: Double, _ what: String) {
    let size = values.reduce(0) { $0 + abs($1) }
    #expect(abs(values.reduce(0, +) - sum) <= 1e-12 * max(1, size), "\(what) start elsewhere")
  }
}
