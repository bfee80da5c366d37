public import CrestGraph

extension Program {
  /// Traces the loss of each prediction, unreduced: a value of any shape, of which the program takes
  /// the mean.
  public typealias LossTrace = @Sendable (_ prediction: Symbol, _ target: Symbol) throws -> Symbol
}

/// What is read from a program between its stages.
///
/// Only what is declared is kept: the compiler fuses and overwrites everything else. Gradients of
/// parameters are always in the store.
public enum Capture: Sendable, Hashable {
  /// The model's first output.
  case predictions
  /// The loss of each prediction, unreduced.
  case losses
  /// The output of the layer at a path, as in `block1.conv`.
  case activation(String)
}

extension Program {
  /// What a program is compiled for.
  public struct Request: Sendable, Hashable {
    /// The types of the inputs, batch included, in the graph's order.
    public var inputTypes: [ValueType]
    /// The type of the target; nil for a program that only predicts.
    public var targetType: ValueType?
    /// Training, with gradients and statistics, or inference.
    public var mode: Graph.ExecutionMode
    /// What is read between stages.
    public var reads: Set<Capture>
    /// The names of parameters without a gradient, and of running statistics that stay as they are: batch
    /// norm computes with them as in inference.
    public var frozen: Set<String>
    /// Whether every value is kept, unfused, so that ``Program/firstNonFinite()`` can check it.
    public var isDiagnosing: Bool

    /// A request from its parts.
    public init(
      inputTypes: [ValueType], targetType: ValueType?, mode: Graph.ExecutionMode,
      reads: Set<Capture> = [],
      frozen: Set<String> = [], isDiagnosing: Bool = false
    ) {
      self.inputTypes = inputTypes
      self.targetType = targetType
      self.mode = mode
      self.reads = reads
      self.frozen = frozen
      self.isDiagnosing = isDiagnosing
    }
  }
}

/// A program that can't be compiled or fed as asked.
public enum ProgramError: Error, Equatable, Sendable, CustomStringConvertible {
  /// An activation of a layer the graph doesn't have.
  case unknownLayer(String, known: [String])
  /// Another number of inputs than the graph has.
  case inputCount(expected: Int, got: Int)
  /// An input or target of another type than the program was compiled for.
  case type(name: String, expected: ValueType, got: ValueType)
  /// An index that a model's table has no row for, such as a token beyond its vocabulary.
  case index(Int64, name: String, place: Int, size: Int)
  /// An index that the graph computes from its inputs and that is out of range.
  case computedIndex(operation: String, path: String, GraphError.IndexOutOfRange)
  /// A class label the model has no output for.
  case label(Int64, index: Int, classCount: Int)
  /// More memory for the values of a batch than the process may take.
  case tooLarge(byteCount: Int, memory: Int)

  /// What, expected, got and what to do.
  public var description: String {
    switch self {
    case .unknownLayer(let path, let known):
      "activation \"\(path)\": expected a layer of the model, one of "
        + "\(known.joined(separator: ", ")); correct the name"
    case .inputCount(let expected, let got):
      "inputs: expected \(expected), got \(got); give one tensor for each input of the model"
    case .type(let name, let expected, let got):
      "\(name): expected \(expected), got \(got); give a batch of the compiled shape and type"
    case .index(let index, let name, let place, let size):
      "\(name): expected indices from \(-size) to \(size - 1), got \(index) as element \(place); "
        + "give data made for this model's table"
    case .computedIndex(let operation, let path, let error):
      "\(path.isEmpty ? operation : "layer \"\(path)\" (\(operation))"): \(error); give data for "
        + "which the model's indices are in range"
    case .label(let label, let index, let classCount):
      "label \(index) of the batch: expected a class from 0 to \(classCount - 1), got \(label); "
        + "give the model as many classes as the data"
    case .tooLarge(let byteCount, let memory):
      "the values of a batch take \(byteCount) bytes, expected at most the \(memory) "
        + "that this process may take; use a smaller batch, model or input, or raise its limit"
    }
  }
}
