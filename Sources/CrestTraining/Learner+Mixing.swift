import CrestData
import CrestLayers
import CrestTensor

extension Learner {
  /// What the targets of mixed examples are for a loss, whose value must be that of both targets in their proportion.
  ///
  /// - Throws: ``LearnerError/mixing(name:reason:)`` when it isn't.
  static func mixedTargets(
    _ mixing: [Mixing], of loss: Loss, along axis: Loss.ClassAxis?, in model: Model,
    for dataset: any Dataset
  ) throws(LearnerError) -> MixedTargets {
    guard let choice = mixing.first else { return .values }
    func refuse(_ reason: String) -> LearnerError {
      .mixing(name: choice.name, reason: reason)
    }
    guard loss.traits.ignoredLabel == nil else {
      throw refuse("the loss \(loss.name) ignores a label, which has no part of a mixture")
    }
    switch (loss.targets, dataset.target) {
    case (.classes, .classes):
      let count = axis.map { model.outputShape[$0.axis - 1] }
      guard let count, model.outputShape.rank == 1 else {
        throw refuse(
          "it mixes one label an example, and the network predicts \(model.outputShape)")
      }
      return .probabilities(count: count)
    case (.binary, .classes): return .numbers
    case (.classes, .values), (.binary, .values), (.values, .values): return .values
    case (.signs, _), (.any, _), (.values, .classes):
      throw refuse(
        "the loss \(loss.name) isn't known to take mixtures; choose one of classes, of yes and no or of values"
      )
    }
  }
}
