package import CrestData
package import CrestLayers
import CrestRuntime
import CrestTensor

/// Small sets of random examples that a linear model can learn.
package enum TinyData {
  /// `count` examples of four numbers and, of three classes, the one whose weights they agree with most.
  package static func classes(_ count: Int, seed: UInt64 = 7, name: String = "tiny")
    -> TensorExamples
  {
    let features = features(count, seed: seed)
    let labels = (0..<count).map { example in
      Int64((0..<3).max { score(features, example, $0) < score(features, example, $1) } ?? 0)
    }
    return TensorExamples(
      name: name, inputs: [("input", Tensor(features, shape: [count, 4]))],
      targets: Tensor(labels), classNames: ["a", "b", "c"])
  }

  /// `count` examples of four numbers and three linear functions of them.
  package static func values(_ count: Int, seed: UInt64 = 7, name: String = "tiny")
    -> TensorExamples
  {
    let features = features(count, seed: seed)
    let targets = (0..<count).flatMap { example in (0..<3).map { score(features, example, $0) } }
    return TensorExamples(
      name: name, inputs: [("input", Tensor(features, shape: [count, 4]))],
      targets: Tensor(targets, shape: [count, 3]))
  }

  /// Two parts of classes: 22 examples to learn from and 9 to measure by.
  package static func split(train: Int = 22, valid: Int = 9) -> DataSplit {
    DataSplit(train: classes(train), valid: classes(valid, seed: 8, name: "tiny (validation)"))
  }

  private static func features(_ count: Int, seed: UInt64) -> [Float] {
    let generator = Philox(seed: seed, stream: Philox.Stream.split)
    return (0..<UInt64(count * 4)).map { 2 * generator.uniform($0) - 1 }
  }

  private static func score(_ features: [Float], _ example: Int, _ output: Int) -> Float {
    (0..<4).reduce(0) { sum, feature in
      sum + features[4 * example + feature] * Float((feature * 5 + output * 3) % 7 - 3)
    }
  }
}

/// Small models of four numbers to three.
package enum TinyModel {
  /// Two dense layers with batch norm and dropout: everything that has state or draws numbers.
  package static func full(threads: Int = 1) throws -> Model {
    try Model(input: [4], engine: Engine(threadCount: threads)) {
      Dense(8)
      BatchNorm()
      ReLU()
      Dropout(0.25)
      Dense(3)
    }
  }

  /// One dense layer.
  package static func linear() throws -> Model {
    try Model(input: [4], engine: Engine(threadCount: 1)) { Dense(3) }
  }
}
