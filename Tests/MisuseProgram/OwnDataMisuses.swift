import Crest

/// Data sets and transforms of one's own that don't keep their word.
let ownDataMisuses: [Misuse] = [
  Misuse("dataset.own-negative-count", says: "a data set of -1 examples") {
    _ = try DataLoader(Liar(count: -1))
  },
  Misuse("dataset.own-negative-count-divided", says: "a data set of -5 examples") {
    _ = try DataSplit(dividing: Liar(count: -5))
  },
  Misuse("dataset.own-label-count", says: "2 labels for the 8 examples of liar") {
    _ = try DataSplit(dividing: Liar(labels: [0, 1]))
  },
  Misuse("dataset.own-label-count-of-a-part", says: "2 labels for the 8 examples of liar") {
    _ = Subset(Liar(labels: [0, 1]), indices: [7], name: "part").labels
  },
  Misuse("dataset.own-label", says: "label 0 of liar is 9, not in 0 ..< 3") {
    _ = try DataSplit.Description(
      describing: DataSplit(measuringOn: Liar(labels: [9, 0, 0, 0, 0, 0, 0, 0])))
  },
  Misuse("dataset.own-preprocessing", says: "channel 3 of a preprocessing of 3 channels") {
    _ = try DataSplit.Description(
      describing: DataSplit(
        measuringOn: Liar(
          preprocessing: .cifar10, shape: [5, 2, 2], labels: [Int64](repeating: 0, count: 8))))
  },
  Misuse(
    "dataset.own-input-shape", says: "input x of the batch is float32 [4, 2], not float32 [4, 4]"
  ) {
    let loader = try DataLoader(Liar { $0.inputs[0] = Tensor(zeros: [4, 2]) }, batchSize: 4)
    _ = try loader.batches(epoch: 0).next()
  },
  Misuse("dataset.own-input-type", says: "input x of the batch is int8 [4, 4], not float32 [4, 4]")
  {
    let liar = Liar { $0.inputs[0] = Tensor(zeros: [4, 4], elementType: .int8) }
    _ = try DataLoader(liar, batchSize: 4, prefetch: 0).batches(epoch: 0).next()
  },
  Misuse("dataset.own-inputs", says: "2 inputs of the batch for the 1 of liar") {
    let liar = Liar { $0.inputs.append($0.inputs[0]) }
    _ = try DataLoader(liar, batchSize: 4, prefetch: 0).batches(epoch: 0).next()
  },
  Misuse("dataset.own-targets", says: "the targets of the batch are int64 [3], not int64 [4]") {
    let liar = Liar { $0.targets = Tensor(zeros: [3], elementType: .int64) }
    _ = try DataLoader(liar, batchSize: 4, prefetch: 0).batches(epoch: 0).next()
  },
  Misuse(
    "dataset.own-targets-described", says: "the targets of the batch are int64 [3], not int64 [8]"
  ) {
    let liar = Liar(labels: [Int64](repeating: 0, count: 8)) {
      $0.targets = Tensor(zeros: [3], elementType: .int64)
    }
    _ = try DataSplit.Description(describing: DataSplit(measuringOn: liar))
  },
  Misuse(
    "dataset.own-targets-in-labels", says: "the targets of the batch are float32 [8], not int64 [8]"
  ) {
    _ = try DataSplit(dividing: Unlabelled())
  },
  Misuse(
    "dataset.own-count-changes", says: "growing has 2 examples, and had 8 when the epoch began"
  ) {
    let growing = Growing()
    let batches = try DataLoader(growing, batchSize: 1, prefetch: 0).batches(epoch: 0)
    growing.count = 2
    while try batches.next() != nil {}
  },
]

/// A data set that isn't what it says.
private struct Liar: Dataset {
  let name = "liar"
  var count = 8
  var preprocessing = Preprocessing.identity
  var shape: Shape = [4]
  var labels: [Int64]? = nil
  var change: @Sendable (inout Batch) -> Void = { _ in }

  var inputs: [Field] { [Field(name: "x", elementType: .float32, shape: shape)] }
  var target: Target { .classes(names: ["a", "b", "c"], shape: []) }
  func write(_ examples: ArraySlice<Int>, into batch: inout Batch) { change(&batch) }
}

/// A data set whose size changes.
private final class Growing: Dataset, @unchecked Sendable {
  let name = "growing"
  var count = 8
  let inputs = [Field(name: "x", elementType: .float32, shape: [4])]
  let target = Target.values(shape: [])
  func write(_ examples: ArraySlice<Int>, into batch: inout Batch) {}
}

/// A data set of classes that writes values.
private struct Unlabelled: Dataset {
  let count = 8
  let inputs = [Field(name: "x", elementType: .float32, shape: [4])]
  let target = Target.classes(names: ["a"], shape: [])
  func write(_ examples: ArraySlice<Int>, into batch: inout Batch) {
    batch.targets = Tensor(zeros: [examples.count])
  }
}
