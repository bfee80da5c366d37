/// What examples are prepared by for a model.
public enum PreprocessingChoice: String, Sendable, Hashable, CaseIterable {
  /// What the model was trained with, where it says so; else the data set's own.
  case model
  /// The data set's own.
  case data
  /// Nothing: numbers are used as they are stored.
  case none
}
