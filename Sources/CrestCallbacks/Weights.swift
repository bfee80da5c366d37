import CrestRuntime

/// A copy of all parameters and running statistics of a model.
struct Weights: Codable, Sendable, Hashable {
  var parameters: [Float]
  var statistics: [Float]

  /// What `store` holds now.
  init(of store: ParameterStore) {
    parameters = store.withBuffer(.parameters) { Array($0) }
    statistics = store.withBuffer(.statistics) { Array($0) }
  }

  /// Whether it is of a model of as many parameters and statistics as `store` has.
  func fits(_ store: ParameterStore) -> Bool {
    parameters.count == store.withBuffer(.parameters, \.count)
      && statistics.count == store.withBuffer(.statistics, \.count)
  }

  /// Puts the copy in the place of what `store` holds.
  ///
  /// - Precondition: it is of a model of the same parameters.
  func write(to store: ParameterStore) {
    Self.write(parameters, to: .parameters, of: store)
    Self.write(statistics, to: .statistics, of: store)
  }

  /// Copies floats over a buffer.
  private static func write(
    _ values: [Float], to buffer: ParameterStore.Buffer, of store: ParameterStore
  ) {
    store.withBuffer(buffer) { floats in
      precondition(
        floats.count == values.count, "\(values.count) values for a buffer of \(floats.count)")
      _ = floats.update(fromContentsOf: values)
    }
  }

  /// Moves towards what `store` holds now: a ← decay · a + (1 - decay) · now.
  mutating func approach(_ store: ParameterStore, decay: Float) {
    Self.approach(&parameters, .parameters, of: store, decay: decay)
    Self.approach(&statistics, .statistics, of: store, decay: decay)
  }

  private static func approach(
    _ values: inout [Float], _ buffer: ParameterStore.Buffer, of store: ParameterStore,
    decay: Float
  ) {
    store.withBuffer(buffer) { floats in
      values.withUnsafeMutableBufferPointer { values in
        precondition(
          floats.count == values.count, "\(values.count) values for a buffer of \(floats.count)")
        for index in values.indices {
          values[index] = decay * values[index] + (1 - decay) * floats[index]
        }
      }
    }
  }
}
