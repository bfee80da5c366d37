// A layer of one's own, with a parameter.
import Crest
import Foundation

// LayerScale (Touvron et al. 2021): each feature times a learned factor.
struct LayerScale: Layer {
  let name: String? = "layer_scale"
  let start: Float

  func trace(_ x: Symbol) throws -> Symbol {
    let factor = try x.parameter(
      "factor", [x.shape.last ?? 1], role: .normalizationScale, .constant(start))
    return try x * factor
  }
}

let model = try Model(input: [8]) {
  Dense(16)
  LayerScale(start: 0.1)
  ReLU()
  Dense(3)
}
print(try model.summary())
