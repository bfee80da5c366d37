import CrestLayers
import CrestRuntime
import CrestTensor
public import CrestTraining

/// Measures the gradients of each layer every few optimiser steps: norm, largest size, and how many aren't finite.
///
///     norm    √Σ g²      largest    max |g|
///
/// over those of a layer's parameters that are finite, as the optimiser gets them but for clipping; 0 of frozen ones. The norm of
/// all together is among the reports of steps, as `gradient_norm`. Up to 512 steps are kept, evenly spread over the fit
/// (``steps``); a file has all of them, as lines of JSON:
///
///     {"largest":0.021,"layer":"conv1","nonfinite":0,"norm":0.13,"step":0}
///
/// Lightning's `grad_norm`.
public final class GradientStatistics: StatefulCallback {
  /// The gradients of a layer.
  public struct Layer: Sendable, Hashable {
    /// The layer's path, as in `block1.conv`.
    public let path: String
    /// The root of the sum of squares.
    public let norm: Double
    /// The largest size.
    public let largest: Float
    /// How many are infinite or not numbers.
    public let nonFiniteCount: Int
  }

  /// A step.
  public struct Step: Sendable, Hashable {
    /// Its index in the fit, from 0.
    public let step: Int
    /// Its layers, in the order of their parameters.
    public let layers: [Layer]

    /// The norm of all gradients together.
    public var norm: Double {
      layers.reduce(0) { $0 + $1.norm * $1.norm }.squareRoot()
    }
  }

  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    fileprivate var rows = StatisticsRows()
  }

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
  /// Where the gradients of each layer lie.
  private var ranges: [[Range<Int>]] = []

  /// Measures every `every` steps, and writes to the file at `path`.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless `every` is at least 1.
  public init(every: Int = 1, path: String? = nil) throws(CallbackError) {
    try CallbackError.require(
      every >= 1, "every", every, "at least 1 step", of: "GradientStatistics")
    self.every = every
    self.path = path
    file = StatisticsFile(path: path)
  }

  /// Measures before each optimiser step.
  public var hooks: [Hook] {
    [
      .beforeFit(begin), .beforeEpoch { [self] in file.flush(&state.rows.log, of: $0.fit) },
      .beforeStep(measure),
    ]
  }
  /// After what adds gradients up, and before what clips them.
  public var order: Int { CallbackOrder.gradients }
  /// The norm of all gradients.
  public var stepReports: [String] { ["gradient_norm"] }
  /// How often.
  public var settings: [String: String] { ["every": "\(every)"] }

  /// Rows that don't agree.
  public func objection(to state: State, in learner: Learner) -> String? {
    let (paths, _) = Self.layers(of: learner)
    return state.rows.isConsistent(size: Layer.size) && state.rows.paths == paths
      ? nil : "rows of the layers of this model"
  }

  /// Finds a file that is missing, truncated or another run's.
  ///
  /// - Throws: As ``StepLogger/prepare(for:)``.
  public func prepare(for state: State) throws { try file.check(has: state.rows.log, for: name) }

  /// The paths of the layers that have parameters, and where these lie.
  private static func layers(of learner: Learner) -> (paths: [String], ranges: [[Range<Int>]]) {
    var (paths, ranges): ([String], [[Range<Int>]]) = ([], [])
    for entry in learner.model.store.parameters {
      let path = entry.name.split(separator: ".").dropLast().joined(separator: ".")
      if path == paths.last {
        ranges[ranges.count - 1].append(entry.range)
      } else {
        paths.append(path)
        ranges.append([entry.range])
      }
    }
    return (paths, ranges)
  }

  private func begin(_ fit: FitContext) throws {
    state = State()
    (state.rows.paths, ranges) = Self.layers(of: fit.learner)
    try file.open()
  }

  private func measure(_ batch: BatchContext) {
    guard batch.step.isMultiple(of: every) else { return }
    let numbers = batch.learner.model.store.withBuffer(.gradients) { gradients in
      ranges.map { Layer.numbers(of: gradients, in: $0) }
    }
    state.rows.add(batch.step, numbers.flatMap(\.self))
    let norm = numbers.reduce(0) { $0 + $1[0] * $1[0] }.squareRoot()
    batch.report(norm, as: "gradient_norm")
    for (path, numbers) in zip(state.rows.paths, numbers) {
      let layer = Layer(path, numbers[...])
      file.write(
        .object([
          "step": .integer(batch.step), "layer": .text(path), "norm": .number(layer.norm),
          "largest": .number(Double(layer.largest)), "nonfinite": .integer(layer.nonFiniteCount),
        ]), to: &state.rows.log, of: batch.fit)
    }
  }
}

extension GradientStatistics.Layer {
  /// The numbers of a layer in a row.
  fileprivate static let size = 3

  /// Reads a layer's part of a row.
  fileprivate init(_ path: String, _ numbers: ArraySlice<Double>) {
    self.path = path
    norm = numbers[numbers.startIndex]
    largest = Float(numbers[numbers.startIndex + 1])
    // A saved number may be any.
    nonFiniteCount = Int(exactly: numbers[numbers.startIndex + 2]) ?? 0
  }

  /// A layer's part of a row.
  fileprivate static func numbers(
    of gradients: UnsafeMutableBufferPointer<Float>, in ranges: [Range<Int>]
  ) -> [Double] {
    var (squares, largest, nonFinite) = (0.0, Float.zero, 0)
    for range in ranges {
      for gradient in gradients[range] {
        guard gradient.isFinite else {
          nonFinite += 1
          continue
        }
        squares += Double(gradient) * Double(gradient)
        largest = max(largest, abs(gradient))
      }
    }
    return [squares.squareRoot(), Double(largest), Double(nonFinite)]
  }
}
