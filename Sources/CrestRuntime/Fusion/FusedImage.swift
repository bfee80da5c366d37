import CCrestKernels
import CrestGraph
import CrestTensor

/// How a node reads an image: as it lies in memory, or as a ``ChannelAffine`` that is computed while it is read.
struct FusedImage: Hashable, Sendable {
  /// The places among the node's inputs of the image, or of the inputs of the map.
  let places: [Int]
  /// Whether the map has a ReLU.
  let hasRelu: Bool

  /// The image at a place, as it lies.
  init(at place: Int) {
    places = [place]
    hasRelu = false
  }

  /// The image that a map makes of inputs at these places.
  init(_ map: ChannelAffine, of places: [Int]) {
    self.places = places
    hasRelu = map.hasRelu
  }

  /// Whether it is computed.
  var isComputed: Bool { places.count > 1 }
  /// Whether it is made of one value.
  var isOfOne: Bool { places.count <= 3 }

  /// What is read, traced by what `apply` makes of an operation.
  func read<Value, Failure: Error>(
    _ inputs: [Value],
    _ apply: (any GraphOperation, [Value]) throws(Failure) -> [Value]
  ) throws(Failure) -> Value {
    let values = places.map { inputs[$0] }
    return isComputed ? try apply(ChannelAffine(hasRelu: hasRelu), values)[0] : values[0]
  }

  /// What a kernel is given.
  func affine(_ call: KernelCall) -> ck_affine {
    func read(_ part: Int) -> UnsafePointer<Float>? {
      places.indices.contains(part) ? UnsafePointer(call.read(places[part])) : nil
    }
    return ck_affine(
      x: call.read(places[0]), scale: read(1), shift: read(2), second: read(3),
      second_scale: read(4),
      relu: hasRelu)
  }
}

/// An operation whose kernel computes images while it reads them.
protocol ImageReader: GraphOperation {
  /// The same, reading an image at one place as `image`; nil when it can't.
  func reading(_ image: FusedImage, at place: Int) -> Self?
}
