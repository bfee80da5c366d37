import CrestLayers
import CrestRuntime
import CrestTensor
public import CrestTraining

/// Combines several training batches into one optimiser step, like one batch of all their examples.
///
///     g = Σ nᵢ gᵢ / Σ nᵢ   over the batches i of a step, with nᵢ examples each
///
/// Of a loss with weights, nᵢ is the sum of those of a batch (`BatchContext.lossWeight`); of a loss that is a sum, g is the
/// sum of the gradients.
///
/// The last step of an epoch uses what is left, so that every epoch uses all its examples. Steps,
/// and with them schedules, count optimiser steps. Batch norm still sees each batch separately.
///
/// fastai's `GradientAccumulation` (which counts examples and carries the rest over into the next epoch),
/// Lightning's `accumulate_grad_batches`, Keras's `gradient_accumulation_steps`.
public final class GradientAccumulation: StatefulCallback {
  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The batches of the step so far.
    public fileprivate(set) var batches = 0
    /// Their examples, where all count alike; else 0.
    public fileprivate(set) var examples = 0
    /// The sums of their gradients, each times its weight; empty before the first.
    fileprivate var sums: [Float] = []
    /// The sum of their weights; nil where all examples count alike.
    fileprivate var weight: Double?

    private enum CodingKeys: CodingKey {
      case batches, examples, sums, weight
    }

    fileprivate init() {}

    /// Reads what was saved.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      batches = try container.decode(Int.self, forKey: .batches)
      sums = try container.decode([Float].self, forKey: .sums)
      if container.contains(.weight) {
        weight = try container.decode(Double.self, forKey: .weight)
      } else {
        examples = try container.decode(Int.self, forKey: .examples)
      }
    }

    /// Saves either the weight or the number of examples, so that neither is missed without a word.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(batches, forKey: .batches)
      try container.encode(sums, forKey: .sums)
      if let weight {
        try container.encode(weight, forKey: .weight)
      } else {
        try container.encode(examples, forKey: .examples)
      }
    }
  }

  /// The batches of a step.
  public let batches: Int
  /// All it remembers.
  public var state = State()

  /// Steps of `batches` batches.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` when `batches` is below 1.
  public init(batches: Int) throws(CallbackError) {
    try CallbackError.require(
      batches >= 1, "batches", batches, "at least 1", of: "GradientAccumulation")
    self.batches = batches
  }

  /// Resets before the fit, and accumulates before each optimiser step.
  public var hooks: [Hook] {
    [.beforeFit(reset), .beforeTrain(begin), .beforeStep(add), .afterBatch(forget)]
  }
  /// Before what changes the sum.
  public var order: Int { CallbackOrder.accumulation }
  /// How many batches make a step.
  public var settings: [String: String] { ["batches": "\(batches)"] }

  /// Sums of more batches than a step has, or of another model.
  public func objection(to state: State, in learner: Learner) -> String? {
    let count = learner.model.store.withBuffer(.gradients, \.count)
    guard (0..<batches).contains(state.batches), (0...1 << 40).contains(state.examples),
      state.sums.count == (state.batches == 0 ? 0 : count),
      state.weight.map({ $0 >= 0 && $0.isFinite }) ?? true
    else { return "sums of this model's gradients over fewer than \(batches) batches" }
    return nil
  }

  private func reset(_ fit: FitContext) throws {
    state = State()
    try fit.accumulate(batchesPerStep: batches)
  }

  /// A pass that was cancelled may have left a sum.
  private func begin(_ pass: PassContext) { state = State() }

  /// Sums of gradients at weights that were taken back.
  private func forget(_ batch: BatchContext) { if batch.hasGoneBack { state = State() } }

  private func add(_ batch: BatchContext) throws {
    let isLast = batch.index + 1 == batch.pass.batchCount
    if batches == 1 || state.batches == 0 && isLast { return }
    try batch.learner.model.store.withBuffer(.gradients) { gradients in
      let isSum = batch.learner.loss.reduction == .sum
      let weight = isSum ? 1 : batch.lossWeight.map { Float($0) } ?? Float(batch.count)
      if state.batches == 0 {
        state.sums = gradients.map { $0 * weight }
      } else {
        state.sums.withUnsafeMutableBufferPointer { sums in
          programmerError(
            unless: sums.count == gradients.count,
            "\(sums.count) sums of \(gradients.count) gradients")
          for index in sums.indices { sums[index] += gradients[index] * weight }
        }
      }
      state.batches += 1
      if let weight = batch.lossWeight {
        state.weight = (state.weight ?? 0) + weight
      } else {
        state.examples += batch.count
      }
      guard state.batches == batches || isLast else {
        throw Cancel(.step, reason: "\(state.batches) of \(batches) batches are accumulated")
      }
      let divisor = isSum ? 1 : state.weight.map { Float($0) } ?? Float(state.examples)
      // Where nothing has any weight, all gradients are 0.
      let scale = divisor == 0 ? 1 : 1 / divisor
      for (index, sum) in state.sums.enumerated() { gradients[index] = sum * scale }
    }
    state = State()
  }
}
