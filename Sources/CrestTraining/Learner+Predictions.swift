public import CrestData
import CrestGraph
import CrestLayers
import CrestPlatform
import CrestRuntime
public import CrestTensor

extension Learner {
  /// What the model makes of examples, beside what is right (fastai `get_preds`).
  public struct Predictions: Sendable {
    /// The model's output, [N, …]: logits unless the model ends in an activation.
    public let outputs: Tensor
    /// The output after the activation that the loss includes, [N, …]: softmax or sigmoid; nil where it includes none.
    public let probabilities: Tensor?
    /// The targets, [N, …].
    public let targets: Tensor
    /// The loss of each example, of one with several predictions their mean; where classes have weights, times those.
    public let losses: [Float]
    /// The names of the classes; nil where targets are values.
    public let classNames: [String]?
    fileprivate let classAxis: Int?

    /// The most probable class of each example; nil where an example has no class, or several.
    public var labels: [Int]? {
      guard let classAxis, classAxis == 1, outputs.shape.rank == 2 else { return nil }
      let count = outputs.shape[1]
      let values = outputs.array(as: Float.self)
      return (0..<outputs.shape[0]).map { row in
        values[row * count..<(row + 1) * count].enumerated().max { $0.element < $1.element }?
          .offset ?? 0
      }
    }

    /// The examples with the largest losses, the largest first (fastai `top_losses`).
    ///
    /// - Parameter count: At most how many.
    /// - Returns: Their indices in the set; of equal losses the first comes first, and a loss that is not a number before
    ///   all others.
    public func topLosses(_ count: Int) -> [Int] {
      programmerError(unless: count >= 0, "the \(count) largest losses")
      func key(_ example: Int) -> Float { losses[example].isNaN ? .infinity : losses[example] }
      return Array(
        losses.indices.sorted { (key($1), $0) < (key($0), $1) }.prefix(count))
    }
  }

  /// What the model makes of one example (fastai `Learner.predict`).
  public struct Answer: Sendable {
    /// The name of the most probable class; nil where the model gives no classes, or their names aren't known.
    public let className: String?
    /// The number of the most probable class; nil where the model gives no classes.
    public let label: Int?
    /// The probabilities of the classes, or of yes for each output; nil where the model gives values.
    public let probabilities: [Float]?
    /// The model's output, without the batch.
    public let output: Tensor
  }

  /// Predicts for all examples of a set, and keeps what is right and the losses.
  ///
  /// - Parameter dataset: The examples; those of validation when nil.
  /// - Returns: Outputs, probabilities, targets and losses in the order of the set.
  /// - Throws: As ``evaluate(on:augmentations:requiringFinite:)``; ``LearnerError/examples(expected:got:)`` for a loss
  ///   that isn't of single examples.
  public func predictions(of dataset: (any Dataset)? = nil) throws -> Predictions {
    var (outputs, targets, losses): ([Tensor], [Tensor], [Float]) = ([], [], [])
    _ = try evaluate(
      on: dataset, augmentations: nil, requiringFinite: false, reads: [.predictions, .losses]
    ) { batch, program in
      let rows = 0..<batch.count
      outputs.append(program.read(.predictions).slice(rows, along: 0))
      targets.append(batch.targets.slice(rows, along: 0))
      let all = program.read(.losses).array(as: Float.self)
      guard all.count % batch.size == 0, !all.isEmpty else {
        throw LearnerError.examples(
          expected: "a loss of each example", got: "\(all.count) losses for \(batch.size) examples")
      }
      let size = all.count / batch.size
      losses += rows.map { row in
        all[row * size..<(row + 1) * size].reduce(0, +) / Float(size)
      }
    }
    let joined = Tensor(joining: outputs, along: 0)
    return Predictions(
      outputs: joined, probabilities: probabilities(of: joined),
      targets: Tensor(joining: targets, along: 0), losses: losses,
      classNames: data.train.target.classNames, classAxis: classAxis?.axis)
  }

  /// Predicts for one example as it is stored, and says it in the terms of the data.
  ///
  /// - Parameter example: Of the shape of the model's input, `float32` or `uint8`, before the data set's preprocessing.
  /// - Returns: The class and its name, probabilities and the output.
  /// - Throws: ``LearnerError/examples(expected:got:)`` when it isn't what the model takes.
  public func answer(for example: Tensor) throws -> Answer {
    let batch = example.reshaped(to: Shape([1] + example.shape.dimensions))
    let output = try predict(batch)
    let probabilities = probabilities(of: output)
    let isOneClass = classAxis?.axis == 1 && output.shape.rank == 2
    let values = (probabilities ?? output).array(as: Float.self)
    let label = isOneClass ? values.enumerated().max { $0.element < $1.element }?.offset : nil
    let names = data.train.target.classNames ?? model.classNames
    return Answer(
      className: label.flatMap { label in names.flatMap { label < $0.count ? $0[label] : nil } },
      label: label, probabilities: probabilities?.array(as: Float.self),
      output: output.reshaped(to: Shape(Array(output.shape.dropFirst()))))
  }

  /// Outputs after the activation that the loss includes; nil where it includes none.
  private func probabilities(of outputs: Tensor) -> Tensor? {
    guard outputs.elementType == .float32,
      let activation = loss.activation(classAxis: classAxis?.axis)
    else { return nil }
    if model.predictsProbabilities(of: loss, classAxis: classAxis) { return outputs }
    var values = outputs.array(as: Float.self)
    switch activation {
    case .sigmoid:
      for place in values.indices { values[place] = 1 / (1 + exp(-values[place])) }
    case .softmax(let axis):
      let count = outputs.shape[axis]
      let inner = outputs.shape.dimensions[(axis + 1)...].reduce(1, *)
      let outer = outputs.shape.dimensions[..<axis].reduce(1, *)
      for start in 0..<outer {
        for offset in 0..<inner {
          let places = (0..<count).map { (start * count + $0) * inner + offset }
          let most = places.map { values[$0] }.max() ?? 0
          for place in places { values[place] = exp(values[place] - most) }
          let sum = places.reduce(0) { $0 + values[$1] }
          for place in places { values[place] /= sum }
        }
      }
    }
    return Tensor(values, shape: outputs.shape)
  }
}
