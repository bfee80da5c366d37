import CrestGraph
import CrestTensor
import Foundation
import Testing

/// The reference against the committed results of `Tests/Fixtures/make_operations.py`.
@Suite struct PyTorchTests {
  struct Array: Decodable {
    let shape: [Int]
    let elements: [Double]

    var reference: ReferenceArray { ReferenceArray(elements, ValueType(Shape(shape), .float64)) }
  }

  struct Record: Decodable {
    let inputs: [Array]
    let output: Array
    let weights: Array
    let gradients: [Array]
  }

  typealias Trace = @Sendable ([Symbol]) throws -> Symbol

  static let traces: [String: Trace] = [
    elementwise, others, activations, reductions, choices, recurrent,
  ].reduce([:]) { $0.merging($1) { first, _ in first } }

  private static let elementwise: [String: Trace] = [
    "add": { try $0[0] + $0[1] },
    "subtract": { try $0[0] - $0[1] },
    "multiply": { try $0[0] * $0[1] },
    "divide": { try $0[0] / $0[1] },
    "negate": { try -$0[0] },
    "exp": { try $0[0].exp() },
    "log": { try $0[0].log() },
    "squareRoot": { try $0[0].squareRoot() },
    "reciprocal": { try $0[0].reciprocal() },
    "absolute": { try $0[0].absolute() },
    "sign": { try $0[0].sign() },
    "relu": { try $0[0].relu() },
    "sigmoid": { try $0[0].sigmoid() },
    "tanh": { try $0[0].tanh() },
    "softplus": { try $0[0].softplus() },
    "power": { try $0[0].power($0[1]) },
    "maximum": { try $0[0].maximum($0[1]) },
    "minimum": { try $0[0].minimum($0[1]) },
    "select": { inputs in
      let condition = inputs[0].builder.constant(Tensor([1, 0, 1] as [Double]))
      return try inputs[0].selected(where: condition, else: inputs[1])
    },
    "squaredError": { try $0[0].squaredError($0[1]) },
    "binaryCrossEntropy": { try $0[0].binaryCrossEntropy(ofLogitsWith: $0[1]) },
  ]

  private static let others: [String: Trace] = [
    "sum": { try $0[0].sum(axes: [1]) },
    "mean": { try $0[0].mean(axes: [0, 2], keepingDimensions: true) },
    "max": { try $0[0].max(axes: [1]) },
    "min": { try $0[0].min(axes: [0], keepingDimensions: true) },
    "flattened": { try $0[0].flattened() },
    "concatenated": { try $0[0].concatenated(with: [$0[1]], axis: 1) },
    "sliced": {
      try $0[0].sliced(starts: [1, -2], ends: [5, .max], axes: [0, -1], steps: [2, 1])
    },
    "padded": { try $0[0].padded(before: [0, 2], after: [1, -1], value: 0.5) },
    "matMul": { try $0[0].matMul($0[1]) },
    "gemm": {
      try $0[0].gemm($0[1], $0[2], alpha: 2, beta: 0.5, transposingA: true, transposingB: true)
    },
    "conv": {
      try $0[0].conv(
        $0[1], bias: $0[2],
        ConvAttributes(
          strides: [2, 1], dilations: [1, 2], padsBefore: [1, 1], padsAfter: [1, 1], groups: 2))
    },
    "conv1": {
      try $0[0].conv(
        $0[1],
        ConvAttributes(strides: [2], dilations: [1], padsBefore: [2], padsAfter: [1]))
    },
    "conv3": {
      try $0[0].conv(
        $0[1],
        ConvAttributes(
          strides: [1, 1, 1], dilations: [1, 1, 1], padsBefore: [0, 0, 0], padsAfter: [0, 0, 0]))
    },
    "batchNormTraining": {
      try $0[0].builder.apply(BatchNormTraining(epsilon: 1e-3), $0)[0]
    },
    "batchNormInference": {
      try $0[0].builder.apply(BatchNormInference(epsilon: 1e-3), $0)[0]
    },
    "maxPool": {
      try $0[0].maxPool(
        PoolAttributes(
          kernel: [3, 2], strides: [2, 2], padsBefore: [1, 0], padsAfter: [1, 0], ceilMode: true))
    },
    "maxPoolTies": { try $0[0].maxPool(PoolAttributes(kernel: [2, 2], strides: [1, 1])) },
    "averagePool": { try $0[0].averagePool(averagePool(countsPadding: false)) },
    "averagePoolPadded": { try $0[0].averagePool(averagePool(countsPadding: true)) },
    "globalAveragePool": { try $0[0].globalAveragePool() },
    "softmax": { try $0[0].softmax(axis: 1) },
    "logSoftmax": { try $0[0].logSoftmax(axis: 0) },
    "crossEntropyLabels": { inputs in
      let labels = inputs[0].builder.constant(Tensor([2, 0, 1, 1] as [Int64]))
      return try inputs[0].crossEntropy(labels: labels, smoothing: 0.2)
    },
    "crossEntropyProbabilities": {
      try $0[0].crossEntropy(probabilities: $0[1], smoothing: 0.2)
    },
  ]

  private static func averagePool(countsPadding: Bool) -> PoolAttributes {
    PoolAttributes(
      kernel: [3, 3], strides: [2, 2], padsBefore: [1, 1], padsAfter: [1, 1], ceilMode: true,
      countsPadding: countsPadding)
  }

  private static func records() throws -> [String: Record] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/operations/pytorch.json")
    return try JSONDecoder().decode([String: Record].self, from: Data(contentsOf: file))
  }

  @Test func `every record is traced and every trace has a record`() throws {
    #expect(try Self.records().keys.sorted() == Self.traces.keys.sorted())
  }

  @Test(arguments: Self.traces.keys.sorted())
  func `values and gradients are PyTorch's`(name: String) throws {
    let record = try #require(try Self.records()[name])
    let trace = try #require(Self.traces[name])
    let builder = GraphBuilder()
    let inputs = record.inputs.enumerated().map { number, input in
      builder.input("input\(number)", input.reference.type)
    }
    let output = try trace(inputs)
    let weights = builder.constant(record.weights.reference.tensor)
    let gradients = try builder.gradients(of: (output * weights).sum(), withRespectTo: inputs)
    let results = try Interpreter(builder.result).run(
      inputs: record.inputs.map(\.reference), variables: [])
    compare(results[output.id.index], record.output, "output")
    for (number, expected) in record.gradients.enumerated() {
      guard let gradient = gradients[number] else {
        #expect(expected.elements.allSatisfy { $0 == 0 }, "gradient \(number) is missing")
        continue
      }
      compare(results[gradient.id.index], expected, "gradient \(number)")
    }
  }

  private func compare(_ result: ReferenceArray, _ expected: Array, _ what: String) {
    #expect(result.shape.dimensions == expected.shape, "\(what)")
    for (element, (got, wanted)) in zip(result.reals, expected.elements).enumerated() {
      #expect(
        (got - wanted).magnitude <= 1e-12 * max(wanted.magnitude, 1),
        "element \(element) of \(what) is \(got), not \(wanted)")
    }
  }
}
