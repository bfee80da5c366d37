public import CrestLayers
public import CrestRuntime
public import CrestTensor

extension Model {
  /// A model from an ONNX file (opset 1 to 28), with the file's parameters.
  ///
  /// - Parameters:
  ///   - path: The file's path; external data files are looked for in its folder.
  ///   - inputShapes: The shape of one example for inputs, by name, where the file leaves sizes open.
  ///   - selection: Which of the file's arrays are trained.
  ///   - headClasses: The outputs of a new last layer, which is drawn under `seed`; the file's own when
  ///     nil. See ``ONNXTemplate/init(_:inputShapes:selection:headClasses:)``.
  ///   - batchAxes: The axis of inputs, by name, along which the file has the examples of a batch; 0 for
  ///     others.
  ///   - seed: The seed of what is drawn.
  ///   - engine: The engine for its programs; nil makes one with all cores.
  /// - Throws: ``ONNXError``; `ModelError` when outputs don't follow the batch size, `EngineError` when
  ///   an engine can't be made.
  public convenience init(
    onnx path: String, inputShapes: [String: Shape] = [:],
    selection: ParameterSelection = ParameterSelection(), headClasses: Int? = nil,
    batchAxes: [String: Int] = [:],
    seed: UInt64 = 0, engine: Engine? = nil
  ) throws {
    let template = try ONNXTemplate(
      path: path, inputShapes: inputShapes, selection: selection, headClasses: headClasses,
      batchAxes: batchAxes)
    try self.init(template: template, seed: seed, engine: engine)
  }

  /// Resets batch norm's running statistics to mean 0 and variance 1 if an exporter only traced a
  /// new network (``TrainingReadiness/Note/tracedStatistics``); others stay.
  ///
  /// Names in `frozen` are left as they are: batch norm that stays in inference needs what the file has.
  ///
  /// PyTorch's export in training mode runs the network once on the example input, so that the file has
  /// a tenth of that input's statistics, with which training in PyTorch itself would not begin.
  public func restartTracedStatistics(except frozen: Set<String> = []) {
    guard let template = template as? ONNXTemplate,
      template.readiness.notes.contains(.tracedStatistics)
    else { return }
    for variable in template.trace.plan.variables where !frozen.contains(variable.name) {
      guard let start = variable.start, let entry = store.entry(named: variable.name) else {
        continue
      }
      let values = [Float](repeating: start, count: entry.shape.elementCount)
      store.write(Tensor(values, shape: entry.shape), to: entry)
    }
  }

  /// What the model's ONNX file says about training it; nil for other models.
  public var trainingReadiness: TrainingReadiness? { (template as? ONNXTemplate)?.readiness }
}
