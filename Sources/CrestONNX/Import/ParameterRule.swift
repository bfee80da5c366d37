import CrestGraph
import CrestTensor

/// An array in a file: an initializer, or the tensor of a `Constant` node.
struct FileArray: Sendable {
  /// Its place among the arrays.
  let place: Int
  let name: String
  let proto: TensorProto
  let isConstantNode: Bool

  /// Whether its elements are floats.
  var isFloat: Bool { proto.dataType.elementType?.isFloat ?? false }

  /// The arrays of a model that may be trained, or could if they were of another type.
  static func all(in model: CheckedModel) -> [FileArray] {
    var arrays = model.proto.graph.initializers.enumerated().map {
      FileArray(place: $0, name: $1.name, proto: $1, isConstantNode: false)
    }
    for node in model.nodes where node.operation == "Constant" && node.outputs.count == 1 {
      // One that isn't as it should be stays a node, which is refused with its reason.
      guard node.inputs.isEmpty, node.attributes.count == 1, node.attributes[0].name == "value",
        case .tensor(let tensor) = node.attributes[0].value,
        tensor.dataType.elementType?.isFloat ?? false, tensor.shape.elementCount > 1
      else { continue }
      arrays.append(
        FileArray(
          place: arrays.count, name: node.outputs[0], proto: tensor, isConstantNode: true))
    }
    return arrays
  }
}

/// The rule which arrays of a file are parameters; `docs/onnx.md` has it in words.
struct ParameterRule {
  /// What becomes of an array.
  enum Decision: Equatable, Sendable {
    /// It is trained; with what that was assumed from, where the file can't tell.
    case trained(TrainingReadiness.AssumedReason?)
    /// It is a running statistic.
    case statistic
    /// It stays as it is.
    case fixed(TrainingReadiness.FixedReason)
  }

  private let isFromPyTorch: Bool
  private let nodes: [NodeProto]
  private let program: ExportedProgram
  private let names: Set<String>
  /// Whether initializers hold what is learned, so that `Constant` nodes hold what the program states.
  private let keepsWeightsInInitializers: Bool

  init(
    _ model: CheckedModel, _ program: ExportedProgram, _ uses: ParameterUses, _ arrays: [FileArray]
  ) {
    self.program = program
    nodes = model.nodes
    names = Set(arrays.map(\.name))
    isFromPyTorch = model.proto.producerName == "pytorch"
    keepsWeightsInInitializers = arrays.contains { array in
      !array.isConstantNode && array.isFloat && array.proto.shape.elementCount > 1
        && uses.edges[array.name]?.contains { $0.uses.contains(where: \.isLearnedPlace) } ?? false
    }
  }

  /// What becomes of an array by how it is used, before its elements are looked at; nil when they matter.
  func decide(_ array: FileArray, _ uses: Set<ArrayUse>) -> Decision? {
    if uses.contains(where: { if case .statistic = $0.slot { true } else { false } }) {
      return array.proto.dataType.elementType == .float32
        ? .statistic : .fixed(.elementType(array.proto.dataType.name))
    }
    guard array.isFloat else { return .fixed(.integers) }
    if uses.contains(where: { $0.slot == .setting }) { return .fixed(.setting) }
    guard uses.contains(where: \.hasGradient) else { return .fixed(.noGradient) }
    guard array.proto.dataType.elementType == .float32 else {
      return .fixed(.elementType(array.proto.dataType.name))
    }
    return nil
  }

  /// What becomes of an array of `float32` that a gradient reaches.
  func decide(
    _ array: FileArray, _ uses: Set<ArrayUse>, _ value: Tensor, at places: [InputEdge]
  ) -> Decision {
    let uses = uses.filter(\.hasGradient)
    let readers = places.map { nodes[$0.node] }
    switch array.isConstantNode ? nil : program.origin(of: array.name, readBy: readers) {
    case .own(.buffer): return .fixed(.buffer)
    case .own(.constant): return .fixed(.literal)
    case .own(.parameter):
      // Tables that a program keeps among its parameters without training them.
      let isTable =
        !uses.contains(where: \.isLearnedPlace) && ArrayValues(value).reasonToFix == .sinusoids
      return isTable ? .fixed(.sinusoids) : .trained(nil)
    case .merged: return .trained(.merged)
    case .computed:
      let isSetting = value.elementCount <= 1 && !uses.contains(where: \.isLearnedPlace)
      return isSetting ? .fixed(.computedScalar) : .trained(.computed)
    case nil: break
    }
    return decide(array, uses, value, readBy: readers)
  }

  /// What becomes of an array of which the file doesn't say what it is in the program.
  private func decide(
    _ array: FileArray, _ uses: Set<ArrayUse>, _ value: Tensor, readBy readers: [NodeProto]
  ) -> Decision {
    if uses.allSatisfy({ $0.path.contains(.angle) }) { return .fixed(.frequencies) }
    if uses.allSatisfy({ $0.path.contains(.root) }) { return .fixed(.variance) }
    if isPowerIteration(array.name) { return .fixed(.powerIteration) }
    let isLiteral =
      array.isConstantNode && keepsWeightsInInitializers
      || isFromPyTorch && ArrayNames.isLiteral(array.name)
    let learned = uses.filter(\.isLearnedPlace)
    if !learned.isEmpty {
      if isLiteral { return .fixed(.literal) }
      return reasonToFix(array, learned, value).map { .fixed($0) }
        ?? .trained(reasonToDoubt(array, uses, learned, value))
    }
    let isMadeUp = isFromPyTorch && ArrayNames.isMadeUp(array.name)
    if value.elementCount <= 1 {
      guard isFromPyTorch, !array.isConstantNode, !isLiteral else { return .fixed(.scalar) }
      let isBound = uses.allSatisfy { $0.operation == "Clip" }
      if isBound, isMadeUp || ArrayNames.isJoinedBound(array.name) {
        // The older exporter states bounds in the program's text, and makes initializers of learned ones only.
        let isLearned =
          array.name.hasPrefix("onnx::") || readers.contains(where: program.readsParameter)
        return .fixed(isLearned ? .computedScalar : .scalar)
      }
      if isMadeUp { return .fixed(ArrayNames.isComputed(array.name) ? .computedScalar : .scalar) }
      return .trained(.scalar)
    }
    if isLiteral { return .fixed(value.hasEqualElements ? .scalar : .literal) }
    // A table of several axes that is added to an input is learned for its places, unlike a mean image.
    let isPlaces =
      value.shape.count(where: { $0 > 1 }) > 1 && uses.allSatisfy { $0.operation == "Add" }
    if !isPlaces, uses.allSatisfy(\.preparesInput) { return .fixed(.inputNormalization) }
    if let reason = ArrayValues(value).reasonToFix { return .fixed(reason) }
    if ArrayNames.isStatistic(array.name) { return .fixed(.statisticName) }
    guard isMadeUp else {
      let isMatrix = value.shape.count(where: { $0 > 1 }) > 1
      return .trained(
        uses.contains(where: \.scalesOutput)
          ? .outputScaling : isMatrix && ArrayValues(value).isPattern ? .pattern : nil)
    }
    // As where a program fills a new tensor, part by part or as the state that a layer begins with.
    let isFilled =
      value.hasEqualElements
      && uses.allSatisfy { $0.isCombined || ["GRU", "LSTM", "RNN"].contains($0.operation) }
    return isFilled ? .fixed(.filled) : .trained(.computed)
  }

  /// Why an array isn't learned although it stands where what is learned does; nil when it is.
  private func reasonToFix(
    _ array: FileArray, _ learned: Set<ArrayUse>, _ value: Tensor
  ) -> TrainingReadiness.FixedReason? {
    let isMadeUp = isFromPyTorch && ArrayNames.isMadeUp(array.name)
    let slots = Set(learned.map(\.slot))
    // A normalisation over groups is written as one over instances, with a scale of its own after it.
    if isMadeUp,
      slots.isSubset(of: [.parameter(.normalizationScale), .parameter(.normalizationShift)])
    {
      return value.hasEqualElements ? .filled : nil
    }
    guard slots == [.parameter(.weight)] else { return nil }
    // Few arrays are looked at: the larger ones are matrices of weights.
    if value.shape.count(where: { $0 > 1 }) == 1 {
      return ArrayValues(value).reasonToFixSeries
    }
    if learned.allSatisfy({ $0.operation == "Conv" }) {
      return ArrayValues(value).isRepeatedFilter ? .filter : nil
    }
    return isMadeUp && ArrayValues(value).reasonToFix == .identity ? .identity : nil
  }

  /// Why an array may not be learned that stands where what is learned does; nil when nothing speaks for it.
  private func reasonToDoubt(
    _ array: FileArray, _ uses: Set<ArrayUse>, _ learned: Set<ArrayUse>, _ value: Tensor
  ) -> TrainingReadiness.AssumedReason? {
    // What stands under Gemm in PyTorch's older files has its name, unless it was computed with.
    if isFromPyTorch, ArrayNames.isComputed(array.name) || array.name.hasPrefix("onnx::Gemm_"),
      learned.contains(where: { $0.slot == .parameter(.weight) })
    {
      return .computed
    }
    if uses.contains(where: \.scalesOutput) { return .outputScaling }
    guard learned.allSatisfy({ $0.slot == .parameter(.weight) }) else { return nil }
    let values = ArrayValues(value)
    if learned.contains(where: { $0.operation == "Gather" }) {
      return values.hasOneZeroRow ? .paddingRow : nil
    }
    return values.isPattern ? .pattern : values.hasManyZeros ? .zeros : nil
  }

  private func isPowerIteration(_ name: String) -> Bool {
    guard ArrayNames.isPowerIteration(name), let end = name.lastIndex(where: { "._".contains($0) })
    else { return false }
    let stem = name.hasSuffix("._u") || name.hasSuffix("._v") ? nil : String(name[..<end])
    return stem.map { names.contains($0 + "_orig") } ?? true
  }
}

extension Tensor {
  /// Whether all elements of a `float32` tensor have the same bits.
  var hasEqualElements: Bool {
    withElements(as: Float.self) { elements in
      elements.allSatisfy { $0.bitPattern == elements[0].bitPattern }
    }
  }
}
