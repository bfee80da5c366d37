import CrestLayers
public import CrestRuntime
import CrestTensor
public import CrestTraining

/// Measures the activations of layers every few training steps: mean, standard deviation, the share near zero, and a
/// histogram.
///
/// Layers whose share near zero comes close to 1 are dead; a deviation that grows and collapses again and again shows a
/// learning rate that is too high. Layers are named by their paths, as in `conv1`. What is measured stays visible, so
/// that training does the same with other kernels: its last bits may differ from those without. Up to 512 steps are
/// kept, evenly spread over the fit (``steps``); a file has all of them, as lines of JSON:
///
///     {"deviation":0.5,"histogram":[…],"layer":"conv1","mean":0.1,"near_zero":0.4,"step":0}
///
/// fastai's `ActivationStats` (whose share near zero counts all below 0.05, negative ones included).
public final class ActivationStats: StatefulCallback {
  /// The activations of a layer.
  public struct Layer: Sendable, Hashable {
    /// The layer's path.
    public let path: String
    /// Their mean.
    public let mean: Double
    /// Their standard deviation, with n - 1; 0 of a single one.
    public let deviation: Double
    /// The part that lies from -0.05 to 0.05.
    public let nearZero: Double
    /// How many lie in each fortieth of 0 to 10; others aren't counted.
    public let histogram: [Int]
  }

  /// A step.
  public struct Step: Sendable, Hashable {
    /// Its index in the fit, from 0.
    public let step: Int
    /// Its layers, as they were named.
    public let layers: [Layer]
  }

  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    fileprivate var rows = StatisticsRows()
    /// The last step that was measured; -1 before the first.
    fileprivate var lastStep = -1
  }

  /// The paths of the layers.
  public let layers: [String]
  /// The steps from one measurement to the next.
  public let every: Int
  /// The file; nil for none.
  public let path: String?
  /// All it remembers.
  public var state = State()
  /// The steps of the last fit that are kept.
  public var steps: [Step] {
    state.rows.layers(size: Layer.size) { Layer($0, $1) }.map { Step(step: $0, layers: $1) }
  }
  private let file: StatisticsFile

  /// Measures layers every `every` steps, and writes to the file at `path`.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless there are layers, each once, and
  ///   `every` is at least 1. A fit throws `ProgramError` for a layer that the model doesn't have.
  public init(
    _ layers: [String], every: Int = 10, path: String? = nil
  ) throws(CallbackError) {
    let name = "ActivationStats"
    try CallbackError.require(
      !layers.isEmpty && Set(layers).count == layers.count, "layers",
      layers.isEmpty ? "empty" : layers.joined(separator: ", "), "paths of layers, each once",
      of: name)
    try CallbackError.require(every >= 1, "every", every, "at least 1 step", of: name)
    self.layers = layers
    self.every = every
    self.path = path
    file = StatisticsFile(path: path)
  }

  /// Measures when the model has predicted.
  public var hooks: [Hook] {
    [
      .beforeFit(begin), .beforeEpoch { [self] in file.flush(&state.rows.log, of: $0.fit) },
      .afterPrediction(measure),
    ]
  }
  /// With what records.
  public var order: Int { CallbackOrder.recorder }
  /// The layers' outputs.
  public var reads: Set<Capture> { Set(layers.map { .activation($0) }) }
  /// Which layers, and how often.
  public var settings: [String: String] {
    ["layers": layers.joined(separator: ", "), "every": "\(every)"]
  }

  /// Rows that don't agree.
  public func objection(to state: State, in learner: Learner) -> String? {
    state.rows.isConsistent(size: Layer.size) && state.rows.paths == layers && state.lastStep >= -1
      ? nil : "rows of the layers \(layers.joined(separator: ", "))"
  }

  /// Finds a file that is missing, truncated or another run's.
  ///
  /// - Throws: As ``StepLogger/prepare(for:)``.
  public func prepare(for state: State) throws { try file.check(has: state.rows.log, for: name) }

  private func begin(_ fit: FitContext) throws {
    state = State()
    state.rows.paths = layers
    try file.open()
  }

  private func measure(_ batch: BatchContext) {
    // Of several batches that make a step, the first.
    guard batch.isTraining, batch.step.isMultiple(of: every), state.lastStep != batch.step else {
      return
    }
    state.lastStep = batch.step
    let numbers = layers.map { Layer.numbers(of: batch.read(.activation($0)).doubles) }
    state.rows.add(batch.step, numbers.flatMap(\.self))
    for (path, numbers) in zip(layers, numbers) {
      let layer = Layer(path, numbers[...])
      file.write(
        .object([
          "step": .integer(batch.step), "layer": .text(path), "mean": .number(layer.mean),
          "deviation": .number(layer.deviation), "near_zero": .number(layer.nearZero),
          "histogram": .list(layer.histogram.map { .integer($0) }),
        ]), to: &state.rows.log, of: batch.fit)
    }
  }
}

extension ActivationStats.Layer {
  private static let bins = 40
  /// The numbers of a layer in a row.
  fileprivate static let size = 3 + bins

  /// Reads a layer's part of a row.
  fileprivate init(_ path: String, _ numbers: ArraySlice<Double>) {
    let begin = numbers.startIndex
    self.path = path
    mean = numbers[begin]
    deviation = numbers[begin + 1]
    nearZero = numbers[begin + 2]
    // A saved number may be any.
    histogram = numbers.dropFirst(3).map { Int(exactly: $0) ?? 0 }
  }

  /// A layer's part of a row.
  fileprivate static func numbers(of values: [Double]) -> [Double] {
    let count = Double(max(values.count, 1))
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    var histogram = [Double](repeating: 0, count: bins)
    for value in values where value >= 0 && value <= 10 {
      histogram[min(Int(value * Double(bins) / 10), bins - 1)] += 1
    }
    return [
      mean, values.count > 1 ? (squares / (count - 1)).squareRoot() : 0,
      Double(values.count { abs($0) <= 0.05 }) / count,
    ] + histogram
  }
}
