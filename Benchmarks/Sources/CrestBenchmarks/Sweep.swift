import ArgumentParser
import Crest
import CrestTestSupport
import Foundation

/// Prints how near each kernel comes to what the machine can do.
struct Sweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Prints how near each kernel comes to what the machine can do, for every instruction set.",
    discussion: """
      The floor is the larger of two times: the operations, over the measured peak of multiply-adds of the \
      instruction set; and the bytes read and written, over the measured speed of copying as many. The share \
      is the floor over the time. Winograd's kernels count the products they need, a fourth of the direct ones for tiles of \
      4 × 4 of windows of 3 × 3. What is written in place or stays in a cache can beat a copy. Copies that bring a lone operation's images channels-last and back are left out.
      """)

  @Option(help: "Repetitions, of which the least time counts.", transform: atLeastOne)
  var steps = 15
  @Option(help: "Threads.", transform: atLeastOne)
  var threads = 1
  @Option(
    parsing: .upToNextOption, help: "Instruction sets; all that the CPU has when none is given.",
    transform: instructionSet)
  var isa: [Engine.InstructionSet] = []
  @Option(help: "Only kernels whose name contains this.")
  var only: String?

  func run() throws {
    print(try Machine.description(threads: threads) + "\n")
    let peaks = Peaks(threads: threads)
    let sets = isa.isEmpty ? Engine.InstructionSet.available : isa
    for set in sets {
      let rate = peaks.operationsPerSecond(set) / 1e9
      print("Peak of \(set): \(Int(rate)) GFLOP/s.")
    }
    for footprint in [256 << 10, 4 << 20, 128 << 20] {
      let rate = peaks.bytesPerSecond(footprint: footprint) / 1e9
      print("Copying within \(footprint >> 10) KiB: \(Int(rate)) GB/s.")
    }
    print("\n| kernel | inputs | bound by |" + sets.map { " \($0) µs: floor / time |" }.joined())
    print("|---|---|---|" + sets.map { _ in "---|" }.joined())
    // Where an algorithm doesn't serve, asking for it gives the same kernel again.
    var seen: Set<String> = []
    for sweepCase in try SweepCase.all() {
      let calls = try sets.map { try measure(sweepCase, $0, peaks) }
      guard seen.insert("\(calls[0].name) \(sweepCase.sizes)").inserted else { continue }
      printRow(sweepCase.sizes, calls)
    }
    let updates = try sets.map { try measureUpdates($0, peaks) }
    for number in updates[0].indices {
      printRow("[\(Self.updatedCount)]", updates.map { $0[number] })
    }
  }

  /// A kernel's time beside the least it could take.
  private struct Call {
    let name: String
    let seconds: Double
    /// By operations and by bytes.
    let floors: (computing: Double, moving: Double)

    var floor: Double { max(floors.computing, floors.moving) }
  }

  private func printRow(_ sizes: String, _ calls: [Call]) {
    if let only, !calls[0].name.contains(only) { return }
    let isComputing = calls.allSatisfy { $0.floors.computing > $0.floors.moving }
    let cells = calls.map { call in
      let share = Int((call.floor / call.seconds * 100).rounded())
      return
        " \((call.floor * 1e6).rounded(to: 1)) / \((call.seconds * 1e6).rounded(to: 1)), \(share) % |"
    }
    print(
      "| \(calls[0].name) | \(sizes) | \(isComputing ? "operations" : "bytes") |" + cells.joined())
    fflush(nil)
  }

  private func floors(
    operations: Double, bytes: Double, _ set: Engine.InstructionSet, _ peaks: Peaks
  ) -> (computing: Double, moving: Double) {
    (
      operations / peaks.operationsPerSecond(set),
      bytes / peaks.bytesPerSecond(footprint: Int(bytes))
    )
  }

  private func measure(
    _ sweepCase: SweepCase, _ set: Engine.InstructionSet, _ peaks: Peaks
  ) throws -> Call {
    let builder = GraphBuilder()
    let symbols = sweepCase.inputs.enumerated().map { builder.input("input\($0)", $1) }
    let outputs = try sweepCase.trace(builder, symbols)
    for (number, output) in outputs.enumerated() { builder.output("output\(number)", output) }
    let graph = builder.result
    let engine = try Engine(
      threadCount: threads, instructionSet: set, convolutions: sweepCase.convolutions)
    let program = try Program(
      graph,
      Program.Request(inputTypes: sweepCase.inputs, targetType: nil, mode: .training),
      store: ParameterStore(graph, seed: 0), engine: engine, loss: nil)
    try program.setInputs(sweepCase.inputs.map(noise))

    let isCopy = graph.isCopy
    let calls = program.profile(repetitions: steps, random: RandomKey(seed: 0, step: 0))
      .filter { isCopy || $0.kernel.name != "copy" }
    guard let name = calls.max(by: { $0.seconds < $1.seconds })?.kernel.name else {
      throw ValidationError("\(graph.operationNames) runs on no kernel")
    }
    let bytes = (sweepCase.inputs + outputs.map(\.type)).reduce(0.0) {
      $0 + Double($1.shape.elementCount * $1.elementType.byteCount)
    }
    let tile = [2, 4].first { name.contains("winograd \($0)×\($0)") }
    let reduction = tile.map { winogradReduction(tile: $0, kernel: sweepCase.kernel) } ?? 1
    return Call(
      name: name, seconds: calls.reduce(0) { $0 + $1.seconds },
      floors: floors(
        operations: (sweepCase.products ?? 0) * 2 / reduction, bytes: bytes, set, peaks))
  }

  private static let updatedCount = 1 << 20

  /// The optimisers' kernels, which no graph has.
  private func measureUpdates(_ set: Engine.InstructionSet, _ peaks: Peaks) throws -> [Call] {
    let engine = try Engine(threadCount: threads, instructionSet: set)
    let model = try Model(input: [1024], engine: engine) { Dense(1024, bias: false) }
    let rules: [(String, UpdateRule)] = [
      ("SGD", .sgd(momentum: 0.9, nesterov: false)),
      ("Adam", .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 1)),
    ]
    return rules.map { name, rule in
      model.store.resetMoments(count: rule.momentCount)
      let times = (0..<steps).map { _ in
        let start = ContinuousClock.now
        model.store.update(
          0..<Self.updatedCount, learningRate: 1e-3, decay: .l2(1e-4), by: rule, on: engine)
        return start.duration(to: .now) / .seconds(1)
      }
      // Parameters and moments are read and written, gradients read.
      let bytes = Double(Self.updatedCount * 4 * (3 + 2 * rule.momentCount))
      return Call(
        name: name, seconds: times.min() ?? .nan,
        floors: floors(operations: 0, bytes: bytes, set, peaks))
    }
  }

  @Sendable private static func instructionSet(_ name: String) throws -> Engine.InstructionSet {
    guard let set = Engine.InstructionSet(rawValue: name),
      Engine.InstructionSet.available.contains(set)
    else {
      throw EngineError.instructionSetUnavailable(name)
    }
    return set
  }

  private func noise(_ type: ValueType) -> Tensor {
    guard type.elementType == .float32 else {
      return Tensor(zeros: type.shape, elementType: type.elementType)
    }
    let random = Philox(seed: 3, stream: 0)
    var tensor = Tensor(zeros: type.shape)
    tensor.withMutableElements(as: Float.self) { values in
      // Positive, so that logarithms are finite.
      for index in values.indices { values[index] = random.uniform(UInt64(index)) + 0.5 }
    }
    return tensor
  }
}
