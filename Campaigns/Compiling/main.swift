import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor

/// How long networks of many layers take to be traced, checked and compiled for a step of training: the numbers of
/// layers, each with batch norm.
let counts = CommandLine.arguments.dropFirst().map { text -> Int in
  guard let count = Int(text), count > 0 else {
    fatalError("expected numbers of layers, got \(text)")
  }
  return count
}

func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = ContinuousClock.now
  try body()
  return (ContinuousClock.now - start) / .seconds(1)
}

func rounded(_ seconds: Double) -> String { "\((seconds * 1000).rounded() / 1000) s" }

for count in counts.isEmpty ? [1000, 3000, 10_000] : counts {
  var layers: [any Layer] = []
  for _ in 0..<count { layers += [Dense(8), BatchNorm(), ReLU()] as [any Layer] }
  var model: Model?
  let tracing = try seconds {
    model = try Model(
      Sequential(layers + [Dense(4)]), input: [8], engine: Engine(threadCount: 1))
  }
  guard let model else { fatalError("no model") }
  let rows = try seconds { _ = try model.rowMixing() }
  let cache = model.cache(loss: .crossEntropy())
  var program: Program?
  let compiling = try seconds {
    program = try cache.program(
      Program.Request(
        inputTypes: [model.inputs[0].batchType(32)], targetType: ValueType([32], .int64),
        mode: .training))
  }
  let all = tracing + rows + compiling
  print(
    "\(count) layers: traced in \(rounded(tracing)), rows proved in \(rounded(rows)), compiled in "
      + "\(rounded(compiling)); \((all / Double(count) * 1e6).rounded()) µs a layer, \(program?.kernelUses.count ?? 0) "
      + "kernel calls, an arena of \(program?.arenaByteCount ?? 0) bytes")
}
