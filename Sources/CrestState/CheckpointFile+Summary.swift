public import CrestTensor

extension CheckpointFile {
  /// What a checkpoint holds, in words: for `crest inspect`.
  public struct Summary: Sendable {
    /// Whether the run can be resumed; otherwise only its weights can be used.
    public let isComplete: Bool
    /// The number of parameters.
    public let parameterCount: Int
    /// The number of running statistics.
    public let statisticCount: Int
    /// The optimiser steps taken; nil for weights alone.
    public let stepsTaken: Int?
    /// The epochs begun; nil for weights alone.
    public let epochsBegun: Int?
    /// The names of all fields, as `skipping` takes them.
    public let fieldNames: [String]
    /// The preprocessing; nil if unknown.
    public let preprocessing: Preprocessing?
    /// The class names; nil if there are none or they are unknown.
    public let classNames: [String]?
    /// The axis of a batch of predictions along which the classes lie; nil when it doesn't say so.
    public let classAxis: Int?
    private let state: RunState

    /// Reads and verifies a checkpoint.
    ///
    /// - Throws: ``CheckpointError``.
    public init(_ path: String) throws(CheckpointError) {
      let state = try CheckpointFile.read(path)
      do throws(StateError) {
        try self.init(state)
      } catch {
        throw .unsuitable(path: path, error)
      }
    }

    /// A summary of a state.
    ///
    /// - Throws: ``StateError`` when what it says of its data is invalid.
    public init(_ state: RunState) throws(StateError) {
      preprocessing = try state.preprocessing()
      classNames = try state.classNames()
      classAxis = try state.classAxis()
      self.state = state
      func count(_ part: String) -> Int {
        guard case .fields(let entries) = state.fields[StateValue.Path(["model", part])] else {
          return 0
        }
        return entries.values.reduce(0) { sum, value in
          if case .array(let tensor) = value { sum + tensor.elementCount } else { sum }
        }
      }
      func number(_ path: String...) -> Int? {
        if case .integer(let value) = state.fields[StateValue.Path(path)] { value } else { nil }
      }
      isComplete = state.isComplete
      parameterCount = count("parameters")
      statisticCount = count("statistics")
      stepsTaken = number("run", "stepsTaken")
      epochsBegun = number("run", "epochsBegun")
      fieldNames = state.leaves.map(\.description)
    }

    /// A line for each thing worth knowing, then one for each array and value.
    public var lines: [String] {
      let kind = isComplete ? "a run that can be resumed" : "weights"
      var lines = [
        "\(kind): \(parameterCount) parameters, \(statisticCount) running statistics"
      ]
      if let stepsTaken, let epochsBegun {
        lines.append("saved after \(stepsTaken) steps, in epoch \(epochsBegun)")
      }
      if let preprocessing { lines.append("preprocessing: \(preprocessing)") }
      if let classAxis {
        lines.append("the classes are along axis \(classAxis) of the predictions")
      }
      let width = min(fieldNames.map(\.count).max() ?? 0, 60)
      for path in state.leaves {
        guard let value = state.fields[path] else { continue }
        let name = path.description
        let padding = String(repeating: " ", count: max(width - name.count, 0) + 2)
        lines.append(name + padding + value.shortText)
      }
      return lines
    }
  }
}

extension StateValue {
  /// The value for a reader: of an array its type and shape.
  fileprivate var shortText: String {
    switch self {
    case .array(let tensor): tensor.typeDescription
    default: json { _, tensor in tensor.typeDescription }
    }
  }
}
