import CrestTensor

/// What a node computes: a shape rule, a meaning in plain `Double` arithmetic and a gradient.
///
/// An operation is a value that holds its attributes, so two nodes with equal operations and inputs
/// compute the same. Names and attributes are ONNX's where ONNX has the operator. One file holds
/// one operation with the `Symbol` method that traces it.
package protocol GraphOperation: Sendable, Hashable {
  /// The ONNX operator's name, or our own where ONNX has none; the type's name unless it says otherwise.
  var name: String { get }

  /// The types of the outputs for inputs of these types: the shape rule.
  ///
  /// - Throws: ``OperationError`` when the inputs don't fit the operation.
  func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType]

  /// How the outputs depend on each example of a batch, given how the inputs do: whether examples
  /// are computed independently, and along which axis they lie.
  ///
  /// What is said must hold for inputs of any values; where it isn't known, the operation refuses.
  ///
  /// - Throws: ``Graph/RowMixing`` when examples depend on each other, or may do so.
  func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow

  /// The reference meaning: floats in `Double`, integers in `Int64`. Simple, obviously right, slow.
  ///
  /// - Throws: ``GraphError/IndexOutOfRange`` when an input that chooses by index asks for what isn't there.
  func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray]

  /// Traces the gradient of the loss with respect to each input; nil where it is zero or not asked.
  ///
  /// - Throws: ``GraphError`` when the operation has no gradient.
  func gradients(_ context: GradientContext) throws -> [Symbol?]

  /// Traces what stands in for this operation in `mode`; nil when it stays as it is.
  ///
  /// For operations whose meaning differs between training and inference.
  func expanded(_ inputs: [Symbol], mode: Graph.ExecutionMode) throws -> [Symbol]?

  /// Traces the same by operations that ONNX has had since opset 17, which files are written with; nil when it is
  /// one of them.
  func decomposed(_ inputs: [Symbol]) throws -> [Symbol]?

  /// What a run asks for that a graph or numbers from elsewhere could abuse.
  ///
  /// Has no default: such graphs are computed ahead, and indices trusted, as far as this answer is right. A
  /// ``BoundedOperation`` asks for nothing.
  func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands

  /// How the numbers of the outputs follow from those of input 0.
  var outputNumbers: OutputNumbers { get }

  /// How output 0 arranges the elements of input 0; nil where it computes others.
  var arrangement: Arrangement? { get }

  /// What a weight of `rank` axes is used for when it is input `place`; nil where nothing is known.
  func weightUse(_ place: Int, rank: Int) -> WeightUse?

  /// Whether it leaves the scale of its first input roughly as it is, as initialisers take it.
  var keepsScale: Bool { get }

  /// Traces something simpler that gives the same numbers of these inputs; nil when there is nothing.
  func simplified(_ inputs: [Symbol]) throws -> [Symbol]?

  /// The numbers that output 0 can have, from those that the inputs can.
  func valueRange(_ inputs: [ClosedRange<Double>], _ types: [ValueType]) -> ClosedRange<Double>

  /// The stream of the random numbers that it draws under the random key; nil when it draws none.
  var randomStream: UInt32? { get }
}

extension GraphOperation {
  /// No operation is replaced unless it says so.
  package func expanded(_ inputs: [Symbol], mode: Graph.ExecutionMode) throws -> [Symbol]? { nil }

  /// No operation is taken apart unless it says so.
  package func decomposed(_ inputs: [Symbol]) throws -> [Symbol]? { nil }

  /// No operation arranges elements only unless it says so.
  package var arrangement: Arrangement? { nil }

  /// No operation says anything of weights unless it does.
  package func weightUse(_ place: Int, rank: Int) -> WeightUse? { nil }

  /// No operation keeps it unless it says so.
  package var keepsScale: Bool { false }

  /// No operation has a simpler form unless it says so.
  package func simplified(_ inputs: [Symbol]) throws -> [Symbol]? { nil }

  /// New ones, unless it says otherwise.
  package var outputNumbers: OutputNumbers { .new }

  /// That of the first input where its numbers are kept or picked; else any, unless it says so.
  package func valueRange(
    _ inputs: [ClosedRange<Double>], _ types: [ValueType]
  ) -> ClosedRange<Double> { outputNumbers == .new ? .anyNumber : inputs[0] }

  /// No operation is random unless it says so.
  package var randomStream: UInt32? { nil }

  /// Whether two runs on equal inputs may differ, by the random key.
  package var isRandom: Bool { randomStream != nil }

  /// Refuses: an operation is differentiable only when it says how.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    throw GraphError(
      path: context.path, operation: name,
      expected: "an operation with a gradient", got: "\(name), which has none",
      advice: "don't let the loss depend on parameters through it")
  }

  package var name: String { String(describing: Self.self) }
}

/// How the numbers of an operation's outputs follow from those of its first input.
package enum OutputNumbers: Sendable {
  /// They are the same, moved, repeated or in another type.
  case kept
  /// They are some of them, or lie between them.
  case within
  /// They are others.
  case new
}

extension GraphError {
  /// An index out of range that was found in a run, because shapes alone can't show it.
  public struct IndexOutOfRange: Error, Equatable, Sendable, CustomStringConvertible {
    /// The index.
    public let index: Int64
    /// Its place among the indices, in row-major order.
    public let place: Int
    /// The size of the indexed axis.
    public let size: Int
    /// Whether negative indices count from the end.
    public let countsFromEnd: Bool

    /// As in `expected an index in -3..<3 as element 5, got 7`.
    public var description: String { "expected \(expected), got \(index)" }

    /// What would have named something.
    var expected: String {
      "an index in \(countsFromEnd ? -size : 0)..<\(size) as element \(place)"
    }

    /// An index at a place that is not in -size ..< size, or 0 ..< size where none counts from the end.
    public init(index: Int64, place: Int, size: Int, countsFromEnd: Bool = true) {
      self.countsFromEnd = countsFromEnd
      self.index = index
      self.place = place
      self.size = size
    }
  }
}

/// The key of a step's random numbers: with a stream, it fixes every draw of the step.
public struct RandomKey: Sendable, Hashable {
  /// The run's seed.
  public var seed: UInt64
  /// The optimiser step.
  public var step: UInt32

  /// The key of one step of a run.
  public init(seed: UInt64, step: UInt32) {
    self.seed = seed
    self.step = step
  }
}

/// What an operation's gradient is traced from.
package struct GradientContext {
  /// The layer of the node that is differentiated.
  package let path: String
  /// What the node read.
  package let inputs: [Symbol]
  /// What the node made.
  package let outputs: [Symbol]
  /// The gradient of the loss with respect to each output; nil where the loss doesn't depend on it.
  package let outputGradients: [Symbol?]
  /// Whether the gradient of each input is asked for.
  package let isNeeded: [Bool]

  /// The graph that is differentiated, and grows by its gradients.
  var builder: GraphBuilder { inputs[0].builder }

  /// The gradient of the only output that matters.
  ///
  /// - Precondition: the loss depends on output 0, which holds for operations with one output.
  package var outputGradient: Symbol {
    guard let gradient = outputGradients[0] else {
      programmerError("the loss does not depend on output 0 of \(path)")
    }
    return gradient
  }
}

/// Why inputs don't fit an operation; the builder adds where.
package struct OperationError: Error, Equatable, Sendable {
  /// What was expected.
  package let expected: String
  /// What was there.
  package let got: String
  /// What to do about it.
  package let advice: String?

  /// An error from its parts.
  package init(expected: String, got: String, advice: String? = nil) {
    self.expected = expected
    self.got = got
    self.advice = advice
  }

  /// Refuses another number of inputs than `count`.
  static func check(_ inputs: [ValueType], count: ClosedRange<Int>) throws(OperationError) {
    guard count.contains(inputs.count) else {
      let wanted =
        count.count == 1 ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
      let unit = count == 1...1 ? "input" : "inputs"
      throw OperationError(expected: "\(wanted) \(unit)", got: "\(inputs.count)")
    }
  }

  /// Refuses inputs whose element types differ.
  static func checkSameElementType(_ inputs: [ValueType]) throws(OperationError) {
    guard inputs.allSatisfy({ $0.elementType == inputs[0].elementType }) else {
      throw OperationError(
        expected: "inputs of one element type",
        got: inputs.map(\.description).joined(separator: ", "), advice: "cast them first")
    }
  }

  /// Refuses booleans.
  static func checkNumber(_ input: ValueType) throws(OperationError) {
    guard input.elementType != .bool else {
      throw OperationError(
        expected: "a float or integer input", got: "\(input)", advice: "cast it first")
    }
  }

  /// Refuses an input that isn't of a float type.
  static func checkFloat(_ input: ValueType, _ what: String = "input") throws(OperationError) {
    guard input.elementType.isFloat else {
      throw OperationError(
        expected: "a float \(what)", got: "\(input)", advice: "cast it first")
    }
  }
}

extension GraphOperation {
  /// The reference meaning in a node at a path.
  ///
  /// - Throws: ``GraphError`` when an index names nothing.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey, path: String
  ) throws(GraphError) -> [ReferenceArray] {
    do {
      return try evaluate(inputs, random: random)
    } catch {
      throw GraphError(
        path: path, operation: name, expected: error.expected, got: "\(error.index)")
    }
  }
}

/// A graph that can't be built: where, what was expected, what was got, what to do.
public struct GraphError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The layer's path, as in `block1.conv`.
  public let path: String
  /// The operation's name.
  public let operation: String
  /// What was expected.
  public let expected: String
  /// What was there.
  public let got: String
  /// What to do about it.
  public let advice: String?

  /// An error from its parts.
  public init(
    path: String, operation: String, expected: String, got: String, advice: String? = nil
  ) {
    self.path = path
    self.operation = operation
    self.expected = expected
    self.got = got
    self.advice = advice
  }

  /// As in `layer "conv1" (Conv): expected 3 channels, got 1; …`.
  public var description: String {
    let place = path.isEmpty ? operation : "layer \"\(path)\" (\(operation))"
    let end = advice.map { "; \($0)" } ?? ""
    return "\(place): expected \(expected), got \(got)\(end)"
  }
}

/// What an operation uses a weight for.
package enum WeightUse: Sendable, Hashable {
  /// A table from which rows are chosen by their index.
  case table
  /// The filters of a convolution, with its outputs along an axis.
  case filter(outputAxis: Int)
  /// A matrix that multiplies, with its outputs along an axis.
  case matrix(outputAxis: Int)
}
