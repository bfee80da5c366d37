import CrestData
import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor

extension Learner {
  /// Programs that compute the loss along the axis that was found, which data may have decided.
  static func programs(_ loss: Loss, _ axis: Loss.ClassAxis?, of model: Model)
    -> Program.Cache
  {
    model.cache(loss: axis.map { loss.withClasses(at: $0) } ?? loss)
  }

  /// The program for a batch of `count` examples.
  func request(
    isTraining: Bool, count: Int, reads: Set<Capture>, isDiagnosing: Bool = false
  ) -> Program.Request {
    let target = (isTraining ? trainLoader : validLoader).batchTarget
    return Program.Request(
      inputTypes: model.inputs.map { $0.batchType(count) },
      targetType: ValueType(Shape([count] + target.shape.dimensions), target.elementType),
      mode: isTraining ? .training : .inference, reads: reads,
      frozen: isTraining ? trained.frozen : [], isDiagnosing: isDiagnosing)
  }
}
