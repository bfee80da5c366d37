import ArgumentParser
import Crest

/// A network that both sides train.
enum Network: String, CaseIterable, ExpressibleByArgument {
  case mlp, lenet, resnet20, resnet56

  /// The shape of an image.
  var imageShape: Shape {
    switch self {
    case .mlp, .lenet: [1, 28, 28]
    case .resnet20, .resnet56: [3, 32, 32]
    }
  }

  /// A model to be trained on all threads the engine has.
  func model(_ engine: Engine) throws -> Model {
    switch self {
    case .mlp:
      try Model(input: imageShape, engine: engine) {
        Flatten()
        Dense(512)
        ReLU()
        Dense(512)
        ReLU()
        Dense(10)
      }
    case .lenet: try Model(input: imageShape, engine: engine) { LeNet(classes: 10) }
    case .resnet20, .resnet56:
      try Model(input: imageShape, engine: engine) {
        ResNet(depth: self == .resnet20 ? 20 : 56, classes: 10)
      }
    }
  }

  /// The examples of an epoch, so many that it takes about a second.
  var epochExamples: Int {
    switch self {
    case .mlp: 25_600
    case .lenet: 5120
    case .resnet20: 1536
    case .resnet56: 640
    }
  }
}

/// A row of the comparison.
struct Workload: ExpressibleByArgument, CustomStringConvertible {
  let network: Network
  let batchSize: Int

  /// The rows, as in `resnet20/512`.
  static let all = [
    Workload(network: .mlp, batchSize: 128), Workload(network: .lenet, batchSize: 128),
    Workload(network: .resnet20, batchSize: 128), Workload(network: .resnet20, batchSize: 512),
    Workload(network: .resnet56, batchSize: 128),
  ]

  init(network: Network, batchSize: Int) {
    self.network = network
    self.batchSize = batchSize
  }

  init?(argument: String) {
    let parts = argument.split(separator: "/")
    guard parts.count == 2, let network = Network(rawValue: String(parts[0])),
      let batchSize = Int(parts[1]), batchSize > 0
    else { return nil }
    self.init(network: network, batchSize: batchSize)
  }

  var description: String { "\(network.rawValue)/\(batchSize)" }

  /// The batches of an epoch, at least twelve: each epoch begins without a batch made ahead.
  var epochSteps: Int { max(12, network.epochExamples / batchSize) }

  /// Noise and labels: what is in the images makes no difference to how long a step takes.
  func examples(_ count: Int) -> (images: Tensor, labels: Tensor) {
    let size = network.imageShape.elementCount
    let random = Philox(seed: 7, stream: 0, step: 0)
    var images = Tensor(zeros: Shape([count] + network.imageShape.dimensions))
    images.withMutableElements(as: Float.self) { values in
      for index in values.indices { values[index] = random.uniform(UInt64(index)) * 2 - 1 }
    }
    let labels = (0..<count).map { Int64(random.integer(below: 10, UInt64(count * size + $0))) }
    return (images, Tensor(labels))
  }

  /// A training step of the model on a batch, compiled.
  func trainingProgram(
    _ model: Model
  ) throws -> (program: Program, batch: (images: Tensor, labels: Tensor)) {
    let batch = examples(batchSize)
    let request = Program.Request(
      inputTypes: [ValueType(batch.images.shape)],
      targetType: ValueType([batchSize], .int64), mode: .training)
    let program = try Program(
      model.template, request, store: model.store, engine: model.engine,
      loss: Loss.crossEntropy().trace)
    return (program, batch)
  }
}

/// What is timed.
enum Scope: String, CaseIterable, ExpressibleByArgument {
  /// A step of training on a batch that lies in memory.
  case step
  /// An epoch: loader, callbacks and metrics too.
  case epoch
}
