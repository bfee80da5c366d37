import CrestGraph
import CrestTensor

/// The gradient of a convolution's filter by Winograd's algorithm, from images that are computed while they are
/// read.
///
/// Inputs begin with x and dy.
struct FusedFilterGradient: CompiledOperation {
  /// The gradient that it stands for.
  let gradient: ConvFilterGradient
  /// Outputs of the convolution along each side of a tile.
  let tile: Int
  var x = FusedImage(at: 0)
  var dy = FusedImage(at: 1)

  var name: String { gradient.name }

  func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try gradient.outputTypes(for: Array(inputs[..<2]))
  }

  func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    gradient.demands(inputs, outputs)
  }

  func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    func apply(
      _ operation: any GraphOperation, _ inputs: [ReferenceArray]
    ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
      try operation.evaluate(inputs, random: random)
    }
    return try apply(gradient, [x.read(inputs, apply), dy.read(inputs, apply)])
  }
}

extension FusedFilterGradient: ImageReader {
  func reading(_ image: FusedImage, at place: Int) -> FusedFilterGradient? {
    var reader = self
    if x == FusedImage(at: place) {
      reader.x = image
    } else if dy == FusedImage(at: place) {
      reader.dy = image
    } else {
      return nil
    }
    return reader
  }
}
