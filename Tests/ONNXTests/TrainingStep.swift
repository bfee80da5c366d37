import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor

/// A model on one batch, always with the same dropout.
struct TrainingStep {
  let model: Model
  private let program: Program
  private let random = RandomKey(seed: 3, step: 0)

  init(_ model: Model, _ batches: [Tensor], target: Tensor, loss: Loss) throws {
    self.model = model
    program = try model.cache(loss: loss).program(
      Program.Request(
        inputTypes: batches.map { ValueType($0.shape, $0.elementType) },
        targetType: ValueType(target.shape, target.elementType), mode: .training))
    try program.setInputs(batches)
    try program.setTarget(target)
  }

  /// The loss with the present parameters.
  func loss() throws -> Float {
    try program.run(.forward, random: random)
    try program.run(.loss, random: random)
    return program.loss
  }

  /// The gradient of each parameter, after ``loss()``.
  func gradients() throws -> [Tensor] {
    try program.run(.backward, random: random)
    return model.store.parameters.map(model.store.gradient(of:))
  }

  /// The value of each parameter.
  var parameters: [Tensor] { model.store.parameters.map(model.store.value(of:)) }

  /// Sets each parameter to its value plus `scale` times its gradient.
  func move(_ values: [Tensor], along gradients: [Tensor], by scale: Float) {
    for (entry, (value, gradient)) in zip(model.store.parameters, zip(values, gradients)) {
      let moved = zip(value.array(as: Float.self), gradient.array(as: Float.self))
        .map { $0 + scale * $1 }
      model.store.write(Tensor(moved, shape: entry.shape), to: entry)
    }
  }

  /// A step of plain descent; returns the loss before it.
  @discardableResult
  func take(rate: Float) throws -> Float {
    let loss = try loss()
    move(parameters, along: try gradients(), by: -rate)
    return loss
  }
}
