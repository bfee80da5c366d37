import CrestGraph
import CrestTensor
import CrestTestSupport
import Testing

/// An operation, inputs, and along which of their axes the examples of a batch lie.
private struct RowCase: CustomTestStringConvertible, Sendable {
  let operation: OperationCase
  var testDescription: String { operation.description }

  /// The graph in inference, and values for its inputs.
  func traced(seed: UInt64) throws -> (graph: Graph, inputs: [ReferenceArray]) {
    let values = operation.inputs.enumerated().map { number, input in
      input.sample(.float32, Philox(seed: seed, stream: UInt32(number)))
    }
    let builder = GraphBuilder()
    let symbols = values.enumerated().map { builder.input("input\($0)", $1.type) }
    for (number, output) in try operation.trace(builder, symbols).enumerated() {
      builder.output("output\(number)", output)
    }
    let replayed = GraphBuilder()
    try replayed.replay(builder.result, inputTypes: values.map(\.type), mode: .inference)
    return (replayed.result, values)
  }

  /// Each way to have examples along an axis of some inputs, with their number.
  static func axes(of inputs: [ReferenceArray]) -> [(axes: [Int?], count: Int)] {
    let counts = Set(inputs.flatMap { Array($0.shape) }).filter { $0 >= 2 }.sorted()
    return counts.flatMap { count in
      var ways: [[Int?]] = [[]]
      for input in inputs {
        let own = input.shape.indices.filter { input.shape[$0] == count }
        ways = ways.flatMap { way in ([nil] + own.map { $0 }).map { way + [$0] } }
      }
      return ways.filter { $0.contains { $0 != nil } }.prefix(40).map { ($0, count) }
    }
  }
}

@Suite struct `What operations say of rows` {
  private static let cases = OperationCase.all.map { RowCase(operation: $0) }

  /// Puts other examples in the place of some, and looks at the outputs.
  @Test(arguments: cases) private func `holds for any values`(_ rowCase: RowCase) throws {
    let (graph, inputs) = try rowCase.traced(seed: 1)
    let others = try rowCase.traced(seed: 2).inputs
    func run(_ inputs: [ReferenceArray]) throws -> [ReferenceArray] {
      let values = try Interpreter(graph).run(inputs: inputs, variables: [])
      return graph.outputs.map { values[$0.value.index] }
    }
    let before = try run(inputs)
    for (axes, count) in RowCase.axes(of: inputs) {
      let analysis = RowAnalysis(graph, axes: axes, count: count)
      guard analysis.outputs.contains(where: { if case .mixed = $0 { false } else { true } }) else {
        continue
      }
      // Another example at place 1; and examples 0 and 1 exchanged.
      let changed = try run(
        inputs.indices.map { input in
          axes[input].map { inputs[input].taking([1], from: others[input], along: $0) }
            ?? inputs[input]
        })
      let exchanged = try run(
        inputs.indices.map { input in
          axes[input].map { inputs[input].exchangingFirst(along: $0) } ?? inputs[input]
        })
      for (output, rows) in analysis.outputs.enumerated() {
        let (old, new, other) = (before[output], changed[output], exchanged[output])
        switch rows {
        case .mixed: continue
        case .shared:
          #expect(old.sameBits(as: new) { _ in true }, "output \(output) of \(axes)")
          #expect(old.sameBits(as: other) { _ in true }, "output \(output) of \(axes)")
        case .along(let axis, let inner):
          #expect(old.shape[axis] % (count * inner) == 0, "output \(output) of \(axes)")
          func example(_ index: [Int]) -> Int { index[axis] / inner % count }
          #expect(
            old.sameBits(as: new) { example($0) != 1 },
            "output \(output) of \(axes): example 1 is in others")
          let restored = other.mappingIndex { index in
            var index = index
            let example = example(index)
            if example < 2 { index[axis] += (1 - 2 * example) * inner }
            return index
          }
          #expect(
            old.sameBits(as: restored) { _ in true },
            "output \(output) of \(axes): the place of an example matters")
        }
      }
    }
  }

  /// Operations of which nothing is proved, whatever the axis; a mask of dropout is the same for all in
  /// inference.
  private static let unproved: Set<String> = [
    "AveragePoolGradient", "BatchNormTraining", "BatchNormTrainingGradient", "ConvFilterGradient",
    "CTCLoss", "CTCLossGradient", "CrossEntropyLabels", "CrossEntropyLabelsGradient",
    "CrossEntropyProbabilities", "CrossEntropyProbabilitiesGradient", "DropoutMask",
    "GatherElementsGradient",
    "GatherGradient", "LayerNormalizationGradient", "LogSoftmaxGradient", "MaxPoolGradient",
    "MaxPoolIndices", "ScatterND", "OneHotLabels", "RandomNormalLike", "SliceGradient",
    "SoftmaxGradient",
  ]

  @Test func `proves something of all that a network is made of`() throws {
    var proved: Set<String> = []
    for rowCase in Self.cases where !proved.contains(rowCase.operation.operation) {
      let (graph, inputs) = try rowCase.traced(seed: 1)
      for (axes, count) in RowCase.axes(of: inputs) {
        let rows = RowAnalysis(graph, axes: axes, count: count).outputs
        if rows.contains(where: { if case .along = $0 { true } else { false } }) {
          proved.insert(rowCase.operation.operation)
        }
      }
    }
    #expect(Set(OperationCase.all.map(\.operation)).subtracting(proved) == Self.unproved)
  }
}

@Suite struct `The form of one example` {
  private static func analysis(
    _ count: Int, _ trace: (Symbol) throws -> Symbol
  ) throws -> RowAnalysis {
    let builder = GraphBuilder()
    builder.output("y", try trace(builder.input("x", ValueType([count, 3]))))
    return RowAnalysis(builder.result, axes: [0], count: count)
  }

  private static func isSame(_ trace: (Symbol) throws -> Symbol) throws -> Bool {
    let forms = try [3, 64, 65].map { try analysis($0, trace).form(ofOutput: 0) }
    return forms[0] != nil && forms.allSatisfy { $0 == forms[0] }
  }

  @Test func `is the same for any number of examples`() throws {
    #expect(try Self.isSame { try $0.relu() })
    #expect(try Self.isSame { try $0.reshaped(to: [-1]).reshaped(to: [-1, 3]).softmax() })
    // What a transposed convolution is made of.
    #expect(
      try Self.isSame { x in
        let filter = x.builder.constant(Tensor([1, 2] as [Float], shape: [1, 1, 2]))
        let gradient = ConvInputGradient(
          ConvAttributes(strides: [1], dilations: [1], padsBefore: [0], padsAfter: [0]),
          inputShape: [x.shape[0], 1, 4])
        return try x.builder.apply(gradient, [x.reshaped(to: [-1, 1, 3]), filter])[0]
      })
    // A state that begins at zero for each example, computed by a graph for few and not by one for many.
    #expect(
      try Self.isSame { x in
        let zeros = try x.builder.filled([x.shape[0], 3])
        return try x.shape[0] < 64
          ? x + x.builder.constant(Tensor(zeros: zeros.shape)) : x + zeros
      })
    #expect(
      try Self.isSame { x in
        let token = x.builder.constant(Tensor([1, 2] as [Float], shape: [1, 2]))
        return try x.concatenated(with: [token.expanded(to: [x.shape[0], 2])], axis: 1)
      })
  }

  @Test func `is another where the number of examples has a part in it`() throws {
    #expect(try !Self.isSame { try $0 / Double($0.shape[0]) })
    #expect(
      try !Self.isSame { x in
        let ones = try x.builder.filled([x.shape[0]], with: Tensor(scalar: 1 as Float))
        return try x * ones.sum()
      })
    #expect(try !Self.isSame { try $0.shape[0] < 64 ? $0.relu() : $0.sigmoid() })
    #expect(
      try !Self.isSame { x in
        try x + x.builder.constant(Tensor([Float(x.shape[0]), 1, 1], shape: [1, 3]))
      })
  }
}

extension ReferenceArray {
  /// The array with other elements at some places along an axis.
  fileprivate func taking(
    _ places: [Int], from other: ReferenceArray, along axis: Int
  ) -> ReferenceArray {
    merging(other) { places.contains($0[axis]) }
  }

  /// The array with the first two places along an axis exchanged.
  fileprivate func exchangingFirst(along axis: Int) -> ReferenceArray {
    mappingIndex { index in
      var index = index
      if index[axis] < 2 { index[axis] = 1 - index[axis] }
      return index
    }
  }

  fileprivate func mappingIndex(_ place: ([Int]) -> [Int]) -> ReferenceArray {
    let strides = shape.strides
    let order = (0..<shape.elementCount).map { element in
      zip(place(index(element)), strides).reduce(0) { $0 + $1.0 * $1.1 }
    }
    switch elements {
    case .reals(let reals): return ReferenceArray(order.map { reals[$0] }, type)
    case .integers(let integers):
      return ReferenceArray(
        Tensor(wrapping: order.map { integers[$0] }, to: type.elementType, shape: shape))
    }
  }

  private func merging(
    _ other: ReferenceArray, where isTaken: ([Int]) -> Bool
  ) -> ReferenceArray {
    let taken = (0..<shape.elementCount).map { isTaken(index($0)) }
    switch (elements, other.elements) {
    case (.reals(let own), .reals(let others)):
      return ReferenceArray(taken.indices.map { taken[$0] ? others[$0] : own[$0] }, type)
    case (.integers(let own), .integers(let others)):
      let merged = taken.indices.map { taken[$0] ? others[$0] : own[$0] }
      return ReferenceArray(Tensor(wrapping: merged, to: type.elementType, shape: shape))
    default: preconditionFailure("\(type) and \(other.type)")
    }
  }

  /// Whether the elements at the places chosen are the same, NaN included.
  fileprivate func sameBits(as other: ReferenceArray, where isChosen: ([Int]) -> Bool) -> Bool {
    guard shape == other.shape else { return false }
    let chosen = (0..<shape.elementCount).filter { isChosen(index($0)) }
    switch (elements, other.elements) {
    case (.reals(let own), .reals(let others)):
      return chosen.allSatisfy { own[$0] == others[$0] || own[$0].isNaN && others[$0].isNaN }
    case (.integers(let own), .integers(let others)):
      return chosen.allSatisfy { own[$0] == others[$0] }
    default: return false
    }
  }

  private func index(_ element: Int) -> [Int] {
    zip(shape.strides, shape).map { element / Swift.max($0, 1) % Swift.max($1, 1) }
  }
}
