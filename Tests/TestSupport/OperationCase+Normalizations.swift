import CrestGraph
import CrestTensor

extension OperationCase {
  /// Batch norms of every rank, and softmaxes along every axis.
  static let normalizations: [OperationCase] =
    [
      ("images", [4, 3, 2, 3]), ("vectors", [6, 5]), ("sequences", [3, 2, 5]),
      ("volumes", [2, 2, 2, 2, 3]), ("one value per channel", [1, 3, 1, 1]),
      ("batch of 0", [0, 3, 2, 2]),
    ].flatMap { variant, x in batchNorms(variant, Shape(x)) }
    + [
      ("rows", 1, [4, 7]), ("channels", 1, [2, 3, 2, 2]), ("first axis", 0, [5, 3]),
      ("last of three", 2, [2, 3, 4]), ("one class", 1, [3, 1]), ("batch of 0", 1, [0, 4]),
    ].flatMap { variant, axis, shape in softmaxes(variant, axis, Shape(shape)) }
    + wholeRows.flatMap { layerNorms($0.0, $0.1, Shape($0.2)) }

  /// The axis from which on whole rows are normalised.
  private static let wholeRows: [(String, Int, [Int])] = [
    ("rows", 1, [4, 7]), ("tokens", 2, [2, 3, 40]), ("two axes", 1, [3, 4, 5]),
    ("one column", 1, [3, 1]), ("batch of 0", 1, [0, 4]),
  ]

  private static func layerNorms(_ variant: String, _ axis: Int, _ shape: Shape) -> [OperationCase]
  {
    let x = CaseInput(shape)
    let sizes = Shape(Array(shape[axis...]))
    let scale = CaseInput(sizes, .uniform(0.5...2))
    let normalization = LayerNormalization(axis: axis, epsilon: 1e-3)
    return [
      OperationCase(normalization, variant, [x, scale, CaseInput(sizes)]),
      OperationCase(
        LayerNormalizationGradient(normalization), variant, [x, scale, x],
        differentiation: .refused),
      OperationCase(RMSNormalization(axis: axis, epsilon: 1e-3), variant, [x, scale]),
    ]
  }

  private static func batchNorms(_ variant: String, _ x: Shape) -> [OperationCase] {
    let channels: Shape = [x[1]]
    let statistics = [CaseInput(channels), CaseInput(channels, .uniform(0.5...2))]
    let affine = [CaseInput(channels, .uniform(0.5...2)), CaseInput(channels)]
    var cases = [
      OperationCase(
        BatchNormalization(epsilon: 1e-3), variant, [CaseInput(x)] + affine + statistics,
        differentiation: .refused),
      OperationCase(
        BatchNormInference(epsilon: 1e-3), variant, [CaseInput(x)] + affine + statistics),
    ]
    guard x[0] > 0 else { return cases }
    cases += [
      // One value per channel is its own mean: y is the bias, whatever x is.
      OperationCase(
        BatchNormTraining(epsilon: 1e-3), variant, [CaseInput(x)] + affine,
        differentiation: .outputs([0])),
      OperationCase(
        BatchNormTrainingGradient(epsilon: 1e-3), variant,
        [CaseInput(x), CaseInput(x), affine[0]] + statistics, differentiation: .refused),
    ]
    return cases
  }

  private static func softmaxes(_ variant: String, _ axis: Int, _ shape: Shape) -> [OperationCase] {
    [
      OperationCase(Softmax(axis: axis), variant, [CaseInput(shape)]),
      OperationCase(Softmax(.log, axis: axis), variant, [CaseInput(shape)]),
      OperationCase(
        SoftmaxGradient(axis: axis), variant,
        [CaseInput(shape, .uniform(0...1)), CaseInput(shape)], differentiation: .refused),
      OperationCase(
        SoftmaxGradient(.log, axis: axis), variant,
        [CaseInput(shape, .uniform(-4...0)), CaseInput(shape)], differentiation: .refused),
    ]
  }
}
