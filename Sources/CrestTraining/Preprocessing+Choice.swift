public import CrestTensor

extension Preprocessing {
  /// The choice of preprocessing for a model's examples.
  public enum Choice: String, Sendable, Hashable, CaseIterable {
    /// The model's preprocessing if it has one, otherwise the data set's own.
    case model
    /// The data set's own.
    case data
    /// None: values are used as they are stored.
    case none
  }
}
