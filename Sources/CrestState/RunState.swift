public import CrestTensor

/// Everything a run needs to resume bit for bit, gathered from its parts.
///
/// | field | what it holds |
/// |---|---|
/// | `model` | parameters and running statistics, bit for bit; the graph's fingerprint, the ONNX source's |
/// | `optimizer` | name, settings and moments |
/// | `run` | the seed, and how many steps, batches and epochs there were in all fits |
/// | `training` | groups of parameters, their weight decay, what is frozen |
/// | `loader` | batch size, shuffling and transforms |
/// | `data` | the fingerprints of both parts; preprocessing, class names and, of several axes, that of the classes |
/// | `engine` | the instruction set, on which bits depend |
/// | `loss` | its name |
/// | `fit` | the running fit: epochs, steps, hyperparameters, where it is, what was summed up so far |
/// | `callbacks` | settings and state of every `StatefulCallback`, by its name |
///
/// Outside a fit, `fit` is null. A state for sharing has `model` and what `predict` needs of `data` only.
public struct RunState: Sendable, Equatable {
  /// The fields.
  public var fields: StateValue

  /// A state of these fields.
  public init(_ fields: StateValue) { self.fields = fields }

  /// The paths of all single values and arrays, sorted.
  public var leaves: [StateValue.Path] { fields.leaves }

  /// Parameters and running statistics by name.
  public var weights: [String: Tensor] {
    var weights: [String: Tensor] = [:]
    for part in Self.weightPlaces {
      guard case .fields(let entries) = fields[StateValue.Path(part)] else { continue }
      for case (let name, .array(let tensor)) in entries { weights[name] = tensor }
    }
    return weights
  }

  /// Whether it holds all of a run, and not the weights only.
  public var isComplete: Bool { fields["run"] != nil }

  static let weightPlaces = [["model", "parameters"], ["model", "statistics"]]
  /// What the names of tensors that aren't weights begin with.
  static let prefix = "crest."

  /// What the tensor at `path` is called in a file: weights under their own names, for other tools.
  static func tensorName(_ path: StateValue.Path) -> String {
    weightPlaces.contains(Array(path.components.dropLast()))
      ? path.components.last ?? "" : prefix + path.description
  }

  /// What the passes of an epoch are called in a state, in their order.
  package static let passNames = ["training", "validation"]

  /// Where in all fits the state is: of two of one run, the later is the greater.
  var progress: [Int] {
    func number(_ path: String...) -> Int {
      if case .integer(let value) = fields[StateValue.Path(path)] { value } else { 0 }
    }
    let purpose =
      switch fields[StateValue.Path(["fit", "position", "pass"])] {
      case .text(Self.passNames[0]): 0
      case .text(Self.passNames[1]): 1
      default: 2
      }
    return [number("run", "epochsBegun"), purpose, number("fit", "position", "batch")]
  }
}
