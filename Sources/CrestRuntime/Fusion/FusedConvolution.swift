import CrestGraph
import CrestTensor

/// A convolution by Winograd's algorithm, or the gradient of the input of one, with all that its kernel
/// does on the way.
///
/// In this order: the image is computed while it is read, and kept if asked for; the windows are summed; the
/// addend is added; the sum is kept where the mask is positive. This is output 0. Of it the coefficients of
/// a normalisation are computed, or those of the gradients of normalisations whose result's gradient it
/// is; and the gradient of the filter, of the image and what the convolution read.
///
/// Numbers are places among the inputs or outputs. Inputs begin with the image and the filter.
struct FusedConvolution: CompiledOperation {
  /// A normalisation of the result, from scale and bias to mean, variance, factor and shift.
  struct Statistics: Hashable, Sendable {
    let epsilon: Double
    let reads: Int
    let writes: Int
  }

  /// The gradient of a normalisation, from x, scale, mean and variance to the outputs of
  /// ``NormalizationGradientCoefficients``.
  struct Gradient: Hashable, Sendable {
    let epsilon: Double
    let reads: Int
    let writes: Int
  }

  /// The gradient of the filter.
  struct FilterGradient: Hashable, Sendable {
    let shape: Shape
    var x: FusedImage
    let write: Int
  }

  /// How the window moves.
  let attributes: ConvAttributes
  /// The shape of the gradient that is computed; nil of a convolution.
  let inputShape: Shape?
  /// Outputs along each side of a tile.
  let tile: Int
  /// The image convolved: x, or dy.
  var image = FusedImage(at: 0)
  /// Where the image is kept.
  var keptImage: Int?
  var bias: Int?
  /// What is added to the sums.
  var addend: Int?
  /// What tells by its sign where the sums are kept.
  var mask: FusedImage?
  var statistics: Statistics?
  var gradients: [Gradient] = []
  var filterGradient: FilterGradient?

  /// The normalisations whose gradient one result can be: the sides of a block with a projection.
  static let mostGradients = 2

  /// The convolution, or the gradients, that it stands for.
  var name: String {
    inputShape == nil ? "Conv" : filterGradient == nil ? "ConvInputGradient" : "ConvGradients"
  }

  /// Whether nothing is done to the sums.
  var isPlain: Bool {
    addend == nil && mask == nil && statistics == nil && gradients.isEmpty
  }

  /// What it computes, one operation after the other, each applied by `apply`.
  private func meaning<Value, Failure: Error>(
    _ inputs: [Value],
    _ apply: (any GraphOperation, [Value]) throws(Failure) -> [Value]
  ) throws(Failure) -> [Value] {
    let image = try image.read(inputs, apply)
    let sums: any GraphOperation =
      if let inputShape {
        ConvInputGradient(attributes, inputShape: inputShape)
      } else {
        Conv(attributes)
      }
    var y = try apply(sums, [image, inputs[1]] + (bias.map { [inputs[$0]] } ?? []))[0]
    if let addend { y = try apply(Elementwise(.add), [y, inputs[addend]])[0] }
    if let mask {
      y = try apply(Elementwise(.reluMask), [y, try mask.read(inputs, apply)])[0]
    }
    var outputs = [0: y]
    if let keptImage { outputs[keptImage] = image }
    if let statistics {
      let parameters = inputs[statistics.reads..<statistics.reads + 2]
      let results = try apply(
        NormalizationCoefficients(epsilon: statistics.epsilon), [y] + parameters)
      for (place, result) in results.enumerated() { outputs[statistics.writes + place] = result }
    }
    for gradient in gradients {
      let statistics = inputs[gradient.reads + 1..<gradient.reads + 4]
      let results = try apply(
        NormalizationGradientCoefficients(epsilon: gradient.epsilon),
        [inputs[gradient.reads], y] + statistics)
      for (place, result) in results.enumerated() { outputs[gradient.writes + place] = result }
    }
    if let filterGradient {
      let operation = ConvFilterGradient(attributes, filterShape: filterGradient.shape)
      outputs[filterGradient.write] =
        try apply(operation, [try filterGradient.x.read(inputs, apply), image])[0]
    }
    return outputs.sorted { $0.key < $1.key }.map(\.value)
  }

  func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try meaning(inputs) { operation, inputs throws(OperationError) in
      try operation.outputTypes(for: inputs)
    }
  }

  func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .products(
      inputShape == nil ? outputs[0].shape : inputs[0].shape, terms: inputs[1].shape.dropFirst())
  }

  func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    try meaning(inputs) { operation, inputs throws(GraphError.IndexOutOfRange) in
      try operation.evaluate(inputs, random: random)
    }
  }
}

extension FusedConvolution: ImageReader {
  func reading(_ image: FusedImage, at place: Int) -> FusedConvolution? {
    var reader = self
    if self.image == FusedImage(at: place) {
      reader.image = image
    } else if mask == FusedImage(at: place), image.isOfOne, image.hasRelu {
      // Where a ReLU of one value let something through, that value alone tells.
      reader.mask = image
    } else if filterGradient?.x == FusedImage(at: place) {
      reader.filterGradient?.x = image
    } else {
      return nil
    }
    return reader
  }
}
