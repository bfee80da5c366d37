import CrestGraph
import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor

/// All that happens to a model from elsewhere: read, copied, imported, traced for another batch, compiled,
/// trained for a step, asked, and written back.
package struct ModelJourney {
  /// How far a model came.
  package enum Stage: Int, CaseIterable, Sendable {
    /// No well-formed model.
    case refusedByReader
    /// No model that can be run.
    case refusedByImporter
    /// Imported, but not for the batch, or too large to be run here.
    case imported
    /// Run.
    case run
  }

  /// A fault of ours: the file is not to blame.
  package struct Fault: Error, CustomStringConvertible {
    package let description: String
  }

  private let engine: Engine
  /// What small models need: what no kernel serves takes the reference a microsecond an element.
  private static let byteLimit = 1 << 19
  private static let nodeLimit = 4000

  package init() throws { engine = try Engine(threadCount: 1) }

  /// Takes the model at `path` as far as it goes; what is written goes to `copy`.
  ///
  /// - Throws: ``Fault`` when something else than the file is at fault.
  package func run(_ path: String, copy: String) throws -> Stage {
    let proto: ModelProto
    do throws(ONNXError) { proto = try ModelProto(path: path) } catch { return .refusedByReader }
    let all = try ModelSplice(proto).content.bytes()
    guard proto.source.withBytes({ $0.elementsEqual(all) }) else {
      throw Fault(description: "a copy has other bytes")
    }
    let template: ONNXTemplate
    do throws(ONNXError) { template = try ONNXTemplate(proto) } catch { return .refusedByImporter }
    do {
      try run(template, proto.source, copy: copy)
      return .run
    } catch is ONNXError, is GraphError, is ModelError, is ProgramError, is TooLarge {
      return .imported
    }
  }

  private struct TooLarge: Error {}

  private func run(
    _ template: ONNXTemplate, _ source: ByteSource, copy: String
  ) throws {
    let batch = template.fixedBatchSize ?? 3
    let types = template.sample.inputs.map { input in
      let type = template.sample.type(of: input.value)
      return ValueType(Shape([batch] + type.shape.dropFirst()), type.elementType)
    }
    try check(template.graph(for: types))
    let model = try Model(template: template, engine: engine)
    try model.exportONNX(to: copy, keepsTrainingNodes: true)
    try expectSameBytes(source, copy)
    let inputs = types.map { Tensor(zeros: $0.shape, elementType: $0.elementType) }
    let prediction = try model.predict(inputs)
    if prediction.elementType == .float32 {
      try train(model, inputs, types, target: ValueType(prediction.shape))
    }
    try model.exportONNX(to: copy)
    _ = try ONNXTemplate(path: copy)
  }

  private func check(_ graph: Graph) throws {
    var byteCount = 0
    for value in graph.values {
      byteCount += value.type.shape.elementCount * value.type.elementType.byteCount
    }
    guard byteCount <= Self.byteLimit, graph.nodes.count <= Self.nodeLimit else {
      throw TooLarge()
    }
  }

  private func expectSameBytes(_ source: ByteSource, _ copy: String) throws {
    let written = try ByteSource(path: copy)
    let isSame = source.withBytes { old in written.withBytes { old.elementsEqual($0) } }
    guard isSame else {
      throw Fault(description: "an export of what nothing changed has other bytes")
    }
  }

  private func train(
    _ model: Model, _ inputs: [Tensor], _ types: [ValueType], target: ValueType
  ) throws {
    let program = try model.cache(loss: .meanSquaredError).program(
      Program.Request(inputTypes: types, targetType: target, mode: .training))
    try program.setInputs(inputs)
    try program.setTarget(Tensor(zeros: target.shape))
    for stage in [Graph.Stage.forward, .loss, .backward] {
      try program.run(stage, random: RandomKey(seed: 0, step: 0))
    }
  }
}
