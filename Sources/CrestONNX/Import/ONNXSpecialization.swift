public import CrestGraph
public import CrestTensor

/// A model from an ONNX file for given inputs: of any shape, with or without a batch, as ONNX
/// Runtime takes them.
///
/// A model may take as inputs what a graph must know before it runs, such as the sizes of a
/// reshape. These inputs become constants, so that the graph is valid for these values only.
///
/// ```swift
/// let file = try ONNXFile(path: "model.onnx")
/// let template = try ONNXSpecialization(file, inputs: ["x": x])
/// let y = try Predictor(template, engine: Engine()).predict(template.inputs, batchSize: 64)
/// ```
public struct ONNXSpecialization: GraphTemplate {
  /// The graph for the inputs.
  public let sample: Graph
  /// The inputs that didn't become constants, in the graph's order, each in the element type of the model's.
  public let inputs: [Tensor]
  /// The number of rows, when the file is for batches of another size than the inputs; nil otherwise.
  public let fixedBatchSize: Int?
  /// No: it predicts.
  public var leavesFinalActivationToLoss: Bool { false }
  private let trace: ONNXTrace
  private let settled: [String: Tensor]

  /// Checks and traces a model.
  ///
  /// - Parameters:
  ///   - file: The model's file.
  ///   - inputs: A value for each input, by name. Numbers of another element type than the model's
  ///     are converted if each is exact in it.
  /// - Throws: ``ONNXError``.
  public init(_ file: ONNXFile, inputs: [String: Tensor]) throws(ONNXError) {
    let model = file.model
    try model.checkOperations()
    var values: [Tensor] = []
    for input in model.inputs { values.append(try Self.value(of: input, in: inputs, model)) }
    let reader = TensorReader(model.proto)
    try reader.checkSideFiles(of: model.proto.externalTensors)
    let plan = try ParameterPlan(model, reader, ParameterSelection())
    trace = ONNXTrace(model: model, plan: plan, reader: reader, head: nil)
    let settledNames: Set<String>
    do throws(ONNXError) {
      (sample, settledNames) = try trace.graph(settledBy: values)
      fixedBatchSize = nil
      settled = inputs.filter { settledNames.contains($0.key) }
    } catch {
      // A file that is for one batch size only is tried with that.
      guard case .invalid = error, let size = Self.declaredRowCount(model, values) else {
        throw error
      }
      let types = values.map { value in
        ValueType(Shape([size] + value.shape.dimensions.dropFirst()), value.elementType)
      }
      do throws(ONNXError) {
        sample = try trace.graph(types)
      } catch _ {
        throw error
      }
      fixedBatchSize = size
      (settled, settledNames) = ([:], [])
    }
    self.inputs = zip(model.inputs, values).filter { !settledNames.contains($0.0.name) }.map(\.1)
  }

  package init(_ proto: ModelProto, inputs: [String: Tensor]) throws(ONNXError) {
    try self.init(ONNXFile(proto), inputs: inputs)
  }

  /// The value of an input in the element type and with the sizes that the file declares; the first size
  /// may be another.
  private static func value(
    of input: ValueInfoProto, in inputs: [String: Tensor], _ model: CheckedModel
  ) throws(ONNXError) -> Tensor {
    func problem(expected: String, got: String, _ advice: String? = nil) -> ONNXError {
      .invalid(
        file: model.file,
        ONNXError.ModelProblem(
          place: "input \"\(input.name)\"", expected: expected, got: got, advice: advice))
    }
    guard let value = inputs[input.name], case .tensor(let dataType, let declared) = input.type,
      let elementType = dataType.elementType
    else {
      throw problem(
        expected: "a tensor of one of the types \(ElementTypeNames.all)", got: input.type.name)
    }
    let sizes = declared?.map { size -> Int? in
      if case .size(let size) = size, size > 0 { Int(size) } else { nil }
    }
    if let sizes {
      let fits =
        sizes.count == value.shape.rank
        && zip(sizes, value.shape).dropFirst().allSatisfy { $0 == nil || $0 == $1 }
      guard fits else {
        throw problem(
          expected: "\(elementType) ["
            + sizes.map { $0.map(String.init) ?? "?" }.joined(separator: ", ") + "]",
          got: "\(value)", "give an array that fits the model")
      }
    }
    do throws(InexactElement) {
      return try value.converted(to: elementType)
    } catch {
      throw problem(
        expected: "\(elementType) elements", got: "\(value), \(error)",
        "give an array of \(elementType)")
    }
  }

  /// The first size that the file declares for all inputs, when the values' are another.
  private static func declaredRowCount(_ model: CheckedModel, _ values: [Tensor]) -> Int? {
    let declared = model.inputs.map { input -> Int? in
      guard case .tensor(_, let sizes) = input.type, case .size(let size)? = sizes?.first,
        size > 0, size <= InputTypes.batchLimit
      else { return nil }
      return Int(size)
    }
    let given = Set(values.map(\.shape.first))
    guard let size = declared.first ?? nil, declared.allSatisfy({ $0 == size }), given.count == 1,
      given.first != size
    else { return nil }
    return size
  }

  /// The graph for inputs of other sizes, with the same constants.
  public func graph(for inputTypes: [ValueType]) throws -> Graph {
    if inputTypes == sample.inputs.map({ sample.type(of: $0.value) }) { return sample }
    return try trace.graph(inputTypes, settled: settled)
  }
}
