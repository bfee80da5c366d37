public import CrestRuntime
import CrestTensor

extension ParameterStore {
  /// A copy of all parameters and running statistics of a model, for callbacks that exchange them.
  public struct Weights: Codable, Sendable, Hashable {
    /// The parameters, in the layout of the store's flat buffer, padding included.
    public var parameters: [Float]
    /// The running statistics, likewise.
    public var statistics: [Float]

    /// What `store` holds now.
    public init(of store: ParameterStore) {
      parameters = store.withBuffer(.parameters) { Array($0) }
      statistics = store.withBuffer(.statistics) { Array($0) }
    }

    /// Whether it has as many parameters and statistics as `store`.
    public func fits(_ store: ParameterStore) -> Bool {
      parameters.count == store.withBuffer(.parameters, \.count)
        && statistics.count == store.withBuffer(.statistics, \.count)
    }

    /// Writes the copy to `store`.
    ///
    /// - Precondition: it is of a model of the same parameters.
    public func write(to store: ParameterStore) {
      Self.write(parameters, to: .parameters, of: store)
      Self.write(statistics, to: .statistics, of: store)
    }

    /// Copies floats over a buffer.
    private static func write(
      _ values: [Float], to buffer: ParameterStore.Buffer, of store: ParameterStore
    ) {
      store.withBuffer(buffer) { floats in
        programmerError(
          unless: floats.count == values.count,
          "\(values.count) values for a buffer of \(floats.count)")
        _ = floats.update(fromContentsOf: values)
      }
    }
  }
}

extension ParameterStore {
  /// A hash of the bits of all parameters and running statistics, as in `xxh64:44bc2cf5ad770999`.
  var fingerprint: String {
    var hash = Fingerprint()
    for (buffer, entries) in [(Buffer.parameters, parameters), (.statistics, statistics)] {
      withBuffer(buffer) { floats in
        for entry in entries {
          hash.add(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: floats[entry.range])))
        }
      }
    }
    return hash.text
  }
}
