import Crest

let graphMisuses: [Misuse] = twoGraphMisuses + builderMisuses + referenceArrayMisuses

private let twoGraphMisuses: [Misuse] = [
  Misuse("graph.operand-of-another", says: "an input of Add() is of another graph") {
    _ = try tracing([2]).x + tracing([2]).x
  },
  Misuse("graph.operands-of-another", says: "is of another graph") {
    _ = try tracing([2]).x.concatenated(with: [tracing([2]).x], axis: 0)
  },
  Misuse("graph.output-of-another", says: "output y belongs to another graph") {
    GraphBuilder().output("y", tracing([2]).x)
  },
  Misuse("graph.layer-of-another", says: "layer block belongs to another graph") {
    _ = GraphBuilder().scoped("block") { tracing([2]).x }
  },
  Misuse("graph.value-of-another", says: "%5 is not a value of this graph, which has 1") {
    let (builder, x) = tracing([2])
    var last = x
    for _ in 0..<5 { last = try last.relu() }
    _ = (builder, tracing([2]).0.symbol(last.id))
  },
  Misuse("graph.type-of-anothers-value", says: "%1 is not a value of this graph, which has 0") {
    _ = GraphBuilder().result.type(of: try tracing([2]).x.relu().id)
  },
  Misuse("graph.update-of-another", says: "%0 is a value of another graph") {
    let (_, x) = tracing([2])
    _ = GraphBuilder().update(of: x)
  },
  Misuse("graph.statistic-of-another", says: "%0 is a value of another graph") {
    let (builder, x) = tracing([2])
    let statistic = try GraphBuilder().statistic("mean", [2]) { _ in Tensor(zeros: [2]) }
    builder.update(statistic, to: x)
  },
  Misuse("graph.gradients-of-another", says: "%0 is a value of another graph") {
    _ = try GraphBuilder().gradients(of: tracing([]).x, withRespectTo: [])
  },
  Misuse("graph.einsum-of-another", says: "%0 is a value of another graph") {
    _ = try GraphBuilder().einsum("ij->ji", [tracing([2, 3]).x])
  },
  Misuse("graph.gradients-by-another", says: "%0 is a value of another graph") {
    let (builder, x) = tracing([])
    _ = try builder.gradients(of: x, withRespectTo: [tracing([2]).x])
  },
]

private let builderMisuses: [Misuse] = [
  Misuse("graph.update-of-an-input", says: "%0 is not a running statistic") {
    let (builder, x) = tracing([2])
    builder.update(x, to: x)
  },
  Misuse("graph.update-of-a-parameter", says: "%1 is not a running statistic") {
    let (builder, x) = tracing([2])
    let weight = try builder.parameter("weight", [2], role: .weight) { _ in Tensor(zeros: [2]) }
    builder.update(weight, to: x)
  },
  Misuse(
    "graph.update-to-another-type", says: "a statistic of float32 [3] can't become float32 [2]"
  ) {
    let (builder, x) = tracing([2])
    let mean = try builder.statistic("mean", [3]) { _ in Tensor(zeros: [3]) }
    builder.update(mean, to: x)
  },
  Misuse("graph.replay", says: "2 input types for 1 inputs") {
    let (builder, _) = tracing([2])
    let types = [ValueType([2]), ValueType([2])]
    try GraphBuilder().replay(builder.result, inputTypes: types, mode: .inference)
  },
  Misuse("graph.gradients-of-a-vector", says: "the loss has shape [2], not []") {
    let (builder, x) = tracing([2])
    _ = try builder.gradients(of: x.relu(), withRespectTo: [x])
  },
]

private let referenceArrayMisuses: [Misuse] = [
  Misuse("reference-array.integers-of-floats", says: "int64 is not a float type") {
    _ = ReferenceArray([1], ValueType([1], .int64))
  },
  Misuse("reference-array.count", says: "1 elements for [2]") {
    _ = ReferenceArray([1], ValueType([2]))
  },
  Misuse("reference-array.floats-of-integers", says: "float32 is a float type") {
    _ = ReferenceArray(integers: [1], ValueType([1]))
  },
  Misuse("reference-array.integer-count", says: "3 elements for [2]") {
    _ = ReferenceArray(integers: [1, 2, 3], ValueType([2], .int8))
  },
  Misuse("reference-array.reals", says: "int64 [1] holds no floats") {
    _ = ReferenceArray(integers: [1], ValueType([1], .int64)).reals
  },
  Misuse("reference-array.integers", says: "float32 [1] holds no integers") {
    _ = ReferenceArray([1], ValueType([1])).integers
  },
]
