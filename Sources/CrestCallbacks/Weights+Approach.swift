import CrestRuntime
import CrestTensor
import CrestTraining

extension ParameterStore.Weights {
  /// Moves towards what `store` holds now: a ← decay · a + (1 - decay) · now.
  mutating func approach(_ store: ParameterStore, decay: Float) {
    Self.approach(&parameters, .parameters, of: store, decay: decay)
    Self.approach(&statistics, .statistics, of: store, decay: decay)
  }

  /// Moves values towards those of a buffer.
  static func approach(
    _ values: inout [Float], _ buffer: ParameterStore.Buffer, of store: ParameterStore,
    decay: Float
  ) {
    store.withBuffer(buffer) { floats in
      values.withUnsafeMutableBufferPointer { values in
        programmerError(
          unless: floats.count == values.count,
          "\(values.count) values for a buffer of \(floats.count)")
        for index in values.indices {
          values[index] = decay * values[index] + (1 - decay) * floats[index]
        }
      }
    }
  }
}
