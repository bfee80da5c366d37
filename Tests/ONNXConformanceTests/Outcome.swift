import CrestGraph
import CrestONNX
import CrestRuntime
import CrestTensor
import Foundation

/// What becomes of one of ONNX's tests.
enum Outcome: Equatable {
  /// Everything runs on kernels, and agrees.
  case passes
  /// It agrees, but no kernel serves these operations.
  case passesOnReference([String])
  /// The importer says what it can't take.
  case refused(String)
  /// It can't be asked for, with the reason.
  case excluded(String)
  /// It gives something else than it must.
  case wrong(String)

  /// Tests that nothing but one implementation can pass.
  private static let excluded: [String: String] = {
    let names = [
      "test_training_dropout", "test_training_dropout_default",
      "test_training_dropout_default_mask", "test_training_dropout_mask",
    ]
    return Dictionary(
      uniqueKeysWithValues: names.map { ("node/" + $0, "needs the numbers of NumPy's generator") })
  }()

  /// By how much results may differ in tests that aren't exact themselves, relative to the largest
  /// magnitude: what these expect was computed with 3.1415 for π.
  private static let tolerances: [String: Double] = {
    let windows = ["blackman", "hamming", "hann"].flatMap {
      name in
      ["", "_expanded", "_symmetric", "_symmetric_expanded"].map { "node/test_\(name)window\($0)" }
    }
    return Dictionary(uniqueKeysWithValues: windows.map { ($0, 1e-4) })
  }()

  /// Runs a test on the reference, and on kernels of each engine.
  init(_ test: BackendTest, engines: [Engine]) throws {
    if let reason = Self.excluded[test.name] {
      self = .excluded(reason)
      return
    }
    let model = try test.model()
    var byReference: Set<String> = []
    for folder in try test.dataSets() {
      do {
        let run = try TestRun(model, folder, tolerance: Self.tolerances[test.name] ?? 1e-5)
        byReference.formUnion(try run.check(engines))
      } catch let error as ONNXError {
        self = .refused(Self.reason(error))
        return
      } catch let difference as Difference {
        self = .wrong(difference.description)
        return
      }
    }
    self = byReference.isEmpty ? .passes : .passesOnReference(byReference.sorted())
  }

  /// The importer's reason without the path, which is another on each system.
  private static func reason(_ error: ONNXError) -> String {
    switch error {
    case .unsupported(_, let operations):
      let names = Set(
        operations.map { operation in
          let name = operation.domain.isEmpty ? "" : operation.domain + "."
          return name + operation.operation + (operation.reason.map { " (\($0))" } ?? "")
        })
      return "no " + names.sorted().joined(separator: ", ")
    case .invalid(_, let problem):
      return "\(problem.place): expected \(problem.expected), got \(problem.got)"
    case .unsupportedElementType(let place, let type):
      return "\(place.field): elements of \(type)"
    default: return "\(error)".replacing(BackendTest.folder + "/", with: "")
    }
  }
}

/// A result that isn't what it must be.
struct Difference: Error, CustomStringConvertible {
  let description: String
}

/// A model for the inputs in a folder, and the outputs that must come of them.
private struct TestRun {
  let template: ONNXSpecialization
  let inputs: [Tensor]
  let outputs: [Tensor]
  let mode: Graph.ExecutionMode
  let tolerance: Double

  init(_ proto: ModelProto, _ folder: String, tolerance: Double) throws {
    var given: [String: Tensor] = [:]
    for (number, input) in proto.graph.inputs.enumerated() {
      let path = "\(folder)/input_\(number).pb"
      // The importer says of inputs of other types that it takes none.
      guard case .tensor(let type, _) = input.type, type.elementType != nil,
        FileManager.default.fileExists(atPath: path)
      else { continue }
      given[input.name] = try BackendTest.tensor(path)
    }
    let template = try ONNXSpecialization(proto, inputs: given)
    inputs = template.sample.inputs.compactMap { given[$0.name] }
    outputs = try proto.graph.outputs.indices.map {
      try BackendTest.tensor("\(folder)/output_\($0).pb")
    }
    mode = proto.isForTraining(given) ? .training : .inference
    self.template = template
    self.tolerance = tolerance
  }

  /// Compares what the reference and the programs give; returns the operations without a kernel.
  func check(_ engines: [Engine]) throws -> Set<String> {
    let types = template.sample.inputs.map { template.sample.type(of: $0.value) }
    let builder = GraphBuilder()
    try builder.replay(template.sample, inputTypes: types, mode: mode)
    let graph = builder.result
    let variables = graph.variables.map {
      ReferenceArray($0.initialValue(Philox(seed: 0, stream: 0)))
    }
    let values = try Interpreter(graph).run(
      inputs: inputs.map(ReferenceArray.init), variables: variables)
    try compare(graph.outputs.map { values[$0.value.index].tensor }, "the reference")

    var byReference: Set<String> = []
    for engine in engines {
      let program = try Program(
        template, Program.Request(inputTypes: types, targetType: nil, mode: mode),
        store: ParameterStore(template.sample, seed: 0), engine: engine, loss: nil)
      try program.setInputs(inputs)
      try program.run(.forward, random: RandomKey(seed: 0, step: 0))
      try compare(program.outputs(), engine.instructionSet.rawValue)
      byReference.formUnion(program.referenceNodes.map(\.operation))
    }
    return byReference
  }

  private func compare(_ results: [Tensor], _ place: String) throws {
    guard results.count == outputs.count else {
      throw Difference(description: "\(place): \(results.count) outputs, not \(outputs.count)")
    }
    for (number, (got, wanted)) in zip(results, outputs).enumerated() {
      if let difference = got.difference(from: wanted, tolerance) {
        throw Difference(description: "\(place), output \(number): \(difference)")
      }
    }
  }
}

extension ModelProto {
  /// Whether a node says that it trains: what a run does is decided by its mode.
  fileprivate func isForTraining(_ inputs: [String: Tensor]) -> Bool {
    graph.nodes.contains { node in
      let says = node.attributes.contains { attribute in
        if case .int(1) = attribute.value { attribute.name == "training_mode" } else { false }
      }
      let flag = node.operation == "Dropout" && node.inputs.count == 3 ? node.inputs[2] : ""
      return says || inputs[flag]?.integers == [1]
    }
  }
}

extension Tensor {
  /// How this differs from what it must be; nil when it doesn't.
  ///
  /// Floats may differ by a tolerance of the largest magnitude, at least of 1; those of half the width
  /// by what they round to.
  fileprivate func difference(from wanted: Tensor, _ tolerance: Double) -> String? {
    guard elementType == wanted.elementType, shape == wanted.shape else {
      return "\(self), not \(wanted)"
    }
    guard elementType.isFloat else {
      let place = zip(integers ?? [], wanted.integers ?? []).enumerated().first { $1.0 != $1.1 }
      return place.map { "element \($0.offset) is \($0.element.0), not \($0.element.1)" }
    }
    let tolerance =
      switch elementType {
      case .float16: 0x1p-10
      case .bfloat16: 0x1p-7
      default: tolerance
      }
    let limit = wanted.doubles.reduce(1) { $1.isFinite ? max($0, $1.magnitude) : $0 } * tolerance
    for (place, (got, wanted)) in zip(doubles, wanted.doubles).enumerated() {
      let agrees = got == wanted || got.isNaN && wanted.isNaN || (got - wanted).magnitude <= limit
      if !agrees { return "element \(place) is \(got), not \(wanted) within \(limit)" }
    }
    return nil
  }
}
