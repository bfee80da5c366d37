import CrestGraph
import CrestLayers
public import CrestRuntime
public import CrestTensor

/// What can be found out about an ONNX file without running it on data, even if it can't be
/// imported.
public struct ONNXInspection: Sendable {
  /// An input or output as the file declares it.
  public struct Port: Sendable, Equatable {
    /// The name.
    public let name: String
    /// The type of the elements, or what it is if it isn't a tensor.
    public let elementType: String
    /// The sizes, numbers, names, or `?` where nothing is said; nil when not even their count is.
    public let shape: [String]?
  }

  /// The nodes of one operation.
  public struct OperationUse: Sendable, Equatable {
    /// The operation, with its domain unless that is ONNX's own.
    public let name: String
    /// How many nodes there are.
    public let count: Int
    /// The opsets that have the form which is used; nil when it can't be imported.
    public let opsets: ClosedRange<Int64>?
    /// What computes it; nil if unknown, or if nothing is left to compute at run time.
    public let forward: Service?
    /// What computes its gradient; nil when that isn't known, or it needs none.
    public let backward: Service?
  }

  /// What computes nodes.
  public enum Service: String, Sendable, Equatable {
    /// Kernels of the engine's instruction set.
    case kernel
    /// The slow reference.
    case reference
    /// Kernels for some nodes, the slow reference for others.
    case both
  }

  /// Arrays of one kind.
  public struct Arrays: Sendable, Equatable {
    /// None.
    public init() {}

    /// How many there are.
    public var count = 0
    /// The numbers in all of them.
    public var elementCount = 0
    /// The bytes of these numbers; types without a fixed size, such as strings, aren't counted.
    public var byteCount = 0
  }

  /// The file's name.
  public let file: String
  /// The size of the file, without external data files.
  public let byteCount: Int
  /// The version of the file format.
  public let irVersion: Int64
  /// The operator sets by domain, ONNX's own as `ai.onnx`.
  public let opsets: [(domain: String, version: Int64)]
  /// The program that wrote it, with its version; empty when it doesn't say.
  public let producer: String
  /// The keys of its metadata.
  public let metadataKeys: [String]
  /// The preprocessing of its inputs; nil if unknown.
  public let preprocessing: Preprocessing?
  /// The class names; nil if unknown.
  public let classNames: [String]?
  /// The axis of a batch of predictions along which its classes lie; nil when nothing says so.
  public let classAxis: Int?
  /// The inputs without a value in the file.
  public let inputs: [Port]
  /// The outputs.
  public let outputs: [Port]
  /// The operations by name.
  public let operations: [OperationUse]
  /// The nodes whose operations can't be imported.
  public let unsupported: [ONNXError.UnsupportedOperation]
  /// Every array, in the file's order.
  public let arrays: [ArrayUse]
  /// How many arrays there are of each kind; one that is untied counts once for each place.
  public let counts: [ArrayKind: Arrays]
  /// What matters for training.
  public let readiness: TrainingReadiness
  /// How it behaves differently from predictions here when run as it is; nil if it doesn't.
  public let trainingMode: TrainingReadiness.Note?
  /// Why the file can't be imported as it is, as an ``ONNXError`` or `ModelError`; nil when it can.
  public let problem: (any Error)?
  /// Why it can only predict; nil when it can be trained, or not even be imported.
  public let trainingProblem: String?
  /// The floating-point operations of one example's products (`Graph.productWork`), forward; nil when the
  /// file can't be imported.
  public let workPerExample: Double?
  /// The instruction set of the kernels.
  public let instructionSet: Engine.InstructionSet

  /// Looks at a file.
  ///
  /// - Parameters:
  ///   - file: The file.
  ///   - inputShapes: The shape of one example for inputs, by name, where the file leaves sizes open.
  ///   - engine: Whose kernels are asked; one with a single thread when nil.
  /// - Throws: ``ONNXError`` when external data files can't be read, `EngineError` when an engine
  ///   can't be made, and what the compiler throws. What keeps the file from being imported is
  ///   ``problem`` instead.
  public init(
    _ file: ONNXFile, inputShapes: [String: Shape] = [:], engine: Engine? = nil
  ) throws {
    let model = file.model
    let engine = try engine ?? Engine(threadCount: 1)
    let plan = try ParameterPlan(model, TensorReader(model.proto), ParameterSelection())
    self.file = model.file
    byteCount = model.proto.source.byteCount
    irVersion = model.proto.irVersion
    opsets = model.proto.opsets.map { ($0.domain.isEmpty ? "ai.onnx" : $0.domain, $0.version) }
    producer = [model.proto.producerName, model.proto.producerVersion]
      .filter { !$0.isEmpty }.joined(separator: " ")
    metadataKeys = model.proto.metadata.map(\.key)
    inputs = model.inputs.map(Port.init)
    outputs = model.outputs.map(Port.init)
    unsupported = model.unsupportedOperations
    arrays = plan.rows.map(ArrayUse.init)
    counts = Self.counts(plan)
    instructionSet = engine.instructionSet
    trainingMode = file.trainingMode

    var service: KernelService?
    var work: Double?
    var problem: (any Error)?
    var readiness: TrainingReadiness?
    var known: ONNXFile.Metadata?
    do {
      known = try ONNXFile.Metadata(model)
      let template = try ONNXTemplate(file, inputShapes: inputShapes)
      readiness = template.readiness
      let graph = template.sample
      let batch = graph.inputs.first.map { graph.type(of: $0.value).shape[0] } ?? 1
      work = (graph.productWork / Double(batch)).rounded()
      service = try KernelService(Model(template: template, engine: engine))
    } catch {
      problem = error
    }
    self.problem = problem
    preprocessing = known?.preprocessing
    classNames = known?.classNames
    classAxis = known?.classAxis
    self.readiness =
      readiness
      ?? TrainingReadiness(
        notes: model.notes(plan: plan, declaredBatch: nil, isFrozen: nil) + plan.notes)
    workPerExample = work
    trainingProblem = service?.trainingProblem
    operations = Self.operations(model, service)
  }

  private static func counts(_ plan: ParameterPlan) -> [ArrayKind: Arrays] {
    var counts: [ArrayKind: Arrays] = [:]
    for variable in plan.variables {
      counts[variable.role == nil ? .statistic : .trained, default: Arrays()].add(variable.source)
    }
    for row in plan.rows {
      if row.original != nil { counts[.trained, default: Arrays()].add(row.array.proto) }
      guard case .fixed(let reason) = row.decision else { continue }
      counts[reason.isNoteworthy ? .notTrained : .constant, default: Arrays()].add(row.array.proto)
    }
    return counts
  }

  private static func operations(
    _ model: CheckedModel, _ service: KernelService?
  ) -> [OperationUse] {
    let opset = model.opsets[""] ?? 0
    return Dictionary(grouping: model.nodes, by: \.fullOperation).map { name, nodes in
      let places = nodes.map { $0.place(opset: opset) }
      let form = OperatorTable.find(nodes[0], opsets: model.opsets)
      let known = ONNXFile.ImportedOperator.all.first { $0.name == nodes[0].operation }
      return OperationUse(
        name: name, count: nodes.count,
        opsets: form == nil ? nil : known?.forms.first { $0.contains(opset) },
        forward: service?.service(of: places, .forward),
        backward: service?.service(of: places, .backward))
    }.sorted { $0.name < $1.name }
  }
}

extension ONNXInspection.Arrays {
  fileprivate mutating func add(_ tensor: TensorProto) {
    count += 1
    elementCount += tensor.shape.elementCount
    byteCount += tensor.byteCount ?? 0
  }
}

extension ONNXInspection.Port {
  fileprivate init(_ value: ValueInfoProto) {
    name = value.name
    switch value.type {
    case .unknown: (elementType, shape) = ("unknown", nil)
    case .other(let name): (elementType, shape) = (name, nil)
    case .tensor(let type, let sizes):
      elementType = type.name
      shape = sizes?.map { size in
        switch size {
        case .unknown: "?"
        case .size(let number): "\(number)"
        case .parameter(let name): name
        }
      }
    }
  }
}

extension NodeProto {
  /// The operation, with its domain unless that is ONNX's own.
  fileprivate var fullOperation: String {
    domain.isEmpty || domain == "ai.onnx" ? operation : "\(domain).\(operation)"
  }
}
