import CrestLayers
import CrestTensor
import Testing

/// A layer that doesn't take an input, and what it says.
struct LayerRefusal: Sendable, CustomTestStringConvertible {
  let layer: any Layer
  let input: Shape
  let message: String

  var testDescription: String { message }
}
