import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime

extension Learner {
  /// The layers, parameters and operations without a kernel of the model, then how it is trained.
  ///
  /// - Throws: What the compiler throws when the model can't be compiled.
  public func summary() throws -> String {
    let numbers = [
      ("data", data.train.name),
      ("examples", "\(data.train.count) for training, \(data.valid.count) for validation"),
      ("loss", lossText),
      ("optimizer", optimizer.name),
      ("metrics", metrics.isEmpty ? "none" : metricNames.joined(separator: ", ")),
      ("frozen", frozenSummary),
      ("batch size", "\(trainLoader.batchSize)"),
      ("seed", "\(seed)"),
    ]
    let width = 12
    let lines = numbers.map { name, value in
      name + String(repeating: " ", count: width - name.count) + value
    }
    return try model.summary() + "\n\n" + lines.joined(separator: "\n")
  }

  /// The loss with all that decides its values.
  var lossText: String {
    var settings = loss.settings.map { "\($0.key) \($0.value)" }.sorted()
    // Axis 1 is ONNX's and isn't mentioned.
    if let axis = classAxis?.axis, axis != 1 { settings.append("classes along axis \(axis)") }
    return ([loss.name] + settings).joined(separator: ", ")
  }

  private var frozenSummary: String {
    let names = frozen
    let count = model.store.parameters.count { names.contains($0.name) }
    return count == 0 ? "none" : "\(count) of \(model.store.parameters.count) parameters"
  }

  /// The training loop of a fit as a tree: phases, stages, and under each hook its callbacks in the order
  /// they are called.
  ///
  /// fastai's `show_training_loop`.
  ///
  /// - Parameter callbacks: Callbacks of the fit, beside the learner's own.
  /// - Returns: The tree, a line each, without a line feed at the end.
  /// - Throws: ``LearnerError/callbackAddedTwice(_:)``.
  public func describe(callbacks: [any Callback] = []) throws(LearnerError) -> String {
    LoopDescription(try CallbackRoles.ordered(self.callbacks + callbacks)).text
  }
}

/// The training loop, written out.
private struct LoopDescription {
  private let names: [String]
  private var lines: [String] = []
  private var depth = 0

  var text: String { lines.joined(separator: "\n") }

  init(_ callbacks: [any Callback]) {
    names = callbacks.map(\.name)
    let hooks = HookTable(callbacks)
    phase("Fit", hooks.fit) { tree in
      tree.phase("Epoch", hooks.epoch) { tree in
        tree.phase("Train", hooks.train) { tree in
          tree.phase("Batch", hooks.batch) { tree in
            tree.prediction(hooks)
            tree.phase("Backward", hooks.backward) { $0.line("gradients") }
            tree.phase("Step", hooks.step) { $0.line("optimizer") }
          }
        }
        tree.phase("Validate", hooks.validate) { tree in
          tree.phase("Batch", hooks.batch) { $0.prediction(hooks) }
        }
      }
    }
  }

  private mutating func prediction(_ hooks: HookTable) {
    line("forward")
    hook("afterPrediction", hooks.afterPrediction)
    line("loss")
    hook("afterLoss", hooks.afterLoss)
  }

  private mutating func phase<Context>(
    _ name: String, _ hooks: PhaseHooks<Context>, _ body: (inout LoopDescription) -> Void
  ) {
    line(name.lowercased())
    depth += 1
    hook("before\(name)", hooks.before)
    body(&self)
    hook("after\(name)", hooks.after)
    depth -= 1
  }

  private mutating func hook<Context>(_ name: String, _ hooks: [BoundHook<Context>]) {
    if hooks.isEmpty { return }
    line("\(name): \(hooks.map { names[$0.callback] }.joined(separator: ", "))")
  }

  private mutating func line(_ text: String) {
    lines.append(String(repeating: "  ", count: depth) + text)
  }
}
