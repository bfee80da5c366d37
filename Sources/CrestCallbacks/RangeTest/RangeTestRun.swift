import CrestOptimizers
import CrestTraining

/// Trains with a rate that rises linearly from about 0, and measures the network on held-out examples on the way.
final class RangeTestRun: Callback {
  /// What a curve is made of.
  struct Plan {
    /// The rate of the last step.
    let maximum: Double
    let stepCount: Int
    let pointCount: Int
    let chance: Double
    /// Accuracy, or what stands for it, of the network as it is; not finite when it has diverged.
    let accuracy: (Learner) throws -> Double
  }

  private let plan: Plan
  private var stepsDone = 0
  private var points: [RangeTest.Curve.Point] = []

  init(_ plan: Plan) { self.plan = plan }

  /// The curve; points that were not reached count as diverged.
  var curve: RangeTest.Curve {
    let rest = (points.count..<plan.pointCount).map { place in
      RangeTest.Curve.Point(learningRate: rate(ofPoint: place), accuracy: .nan)
    }
    return RangeTest.Curve(points + rest, chance: plan.chance)
  }

  var hooks: [Hook] {
    [
      .beforeFit { _ in (self.stepsDone, self.points) = (0, []) },
      .beforeBatch(setRate), .afterLoss(check), .afterBatch(measure),
      .beforeValidate { _ in throw Cancel(.validate, reason: "a range test measures by itself") },
    ]
  }
  var order: Int { CallbackOrder.check }
  var owns: Set<Hyperparameter.Part> { [.base(.learningRate)] }

  private func rate(ofPoint place: Int) -> Double {
    plan.maximum * Double(place + 1) / Double(plan.pointCount)
  }

  /// The number of steps at the end of which a point is measured.
  private func steps(ofPoint place: Int) -> Int {
    plan.stepCount * (place + 1) / plan.pointCount
  }

  private func setRate(_ batch: BatchContext) {
    guard batch.isTraining else { return }
    batch.learner[.base(.learningRate)] =
      plan.maximum * Double(min(stepsDone + 1, plan.stepCount)) / Double(plan.stepCount)
  }

  private func check(_ batch: BatchContext) throws {
    if try batch.hasDiverged(isFirst: stepsDone == 0) {
      throw Cancel(.fit, reason: "the loss diverged")
    }
  }

  private func measure(_ batch: BatchContext) throws {
    guard batch.isTraining, batch.outcome.isFinished else { return }
    stepsDone += 1
    guard stepsDone == steps(ofPoint: points.count) else { return }
    let accuracy = try plan.accuracy(batch.learner)
    points.append(.init(learningRate: rate(ofPoint: points.count), accuracy: accuracy))
    if !accuracy.isFinite { throw Cancel(.fit, reason: "the held-out loss diverged") }
    if points.count == plan.pointCount { throw Cancel(.fit, reason: "all rates were tried") }
    if isLost { throw Cancel(.fit, reason: "the network is at chance") }
  }

  /// Whether it had learned something, and the last three points are at chance: higher rates won't bring it back.
  private var isLost: Bool {
    let best = points.map(\.accuracy).max() ?? plan.chance
    let height = best - plan.chance
    return height >= 0.1 && points.count >= 3
      && points.suffix(3).allSatisfy { ($0.accuracy - plan.chance) / height < 0.1 }
  }
}
