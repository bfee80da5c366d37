import Crest
import Foundation

/// A graph that is being traced, with an input `x`.
func tracing(_ shape: Shape, _ elementType: ElementType = .float32) -> (GraphBuilder, x: Symbol) {
  let builder = GraphBuilder()
  return (builder, builder.input("x", ValueType(shape, elementType)))
}

func oneThread() throws -> Engine { try Engine(threadCount: 1) }

/// A model of four features and three classes.
func model(_ layer: some Layer = Dense(3)) throws -> Model {
  try Model(layer, input: [4], engine: oneThread())
}

/// Eight examples of four features and three classes.
func examples(name: String = "examples") -> TensorExamples {
  TensorExamples(
    name: name, inputs: [("input", Tensor(zeros: [8, 4]))],
    targets: Tensor((0..<8).map { Int64($0 % 3) }), classNames: ["a", "b", "c"])
}

func data() -> DataSplit { DataSplit(train: examples(), valid: examples()) }

/// A fit of one epoch of two batches, in which the hooks misbehave.
func fit(
  _ hooks: Hook..., name: String = "Careless", reads: Set<Capture> = [],
  owns: Set<Hyperparameter.Part> = [],
  beside others: [any Callback] = []
) throws {
  let careless = Careless(hooks, name, reads, owns)
  let learner = try Learner(model(), data: data(), batchSize: 4, prefetch: 0)
  try learner.fit(epochs: 1, callbacks: others + [careless])
}

/// A callback that does what it is told.
final class Careless: Callback {
  let hooks: [Hook]
  let name: String
  let reads: Set<Capture>
  let owns: Set<Hyperparameter.Part>
  let reports = ["own"]

  init(_ hooks: [Hook], _ name: String, _ reads: Set<Capture>, _ owns: Set<Hyperparameter.Part>) {
    (self.hooks, self.name, self.reads, self.owns) = (hooks, name, reads, owns)
  }
}

/// Runs a program for a graph of one input [2, 4].
func program(
  mode: Graph.ExecutionMode = .inference, target: ValueType? = nil, reads: Set<Capture> = [],
  loss: Program.LossTrace? = nil, isDiagnosing: Bool = false, store: ParameterStore? = nil
) throws -> Program {
  let model = try model()
  return try Program(
    model.template,
    Program.Request(
      inputTypes: [ValueType([2, 4])], targetType: target, mode: mode, reads: reads,
      isDiagnosing: isDiagnosing), store: store ?? model.store, engine: oneThread(), loss: loss)
}

/// Lends a folder of checkpoints, which is removed if the program ever gets so far.
func withFolder(_ body: (CheckpointFolder) throws -> Void) throws {
  let url = FileManager.default.temporaryDirectory.appending(path: "crest-misuse-\(UUID())")
  defer { try? FileManager.default.removeItem(at: url) }
  try body(CheckpointFolder(url.path))
}

/// What a hook keeps for another one.
final class Kept<Value> {
  var value: Value?
}
