extension ONNXFile {
  /// An operation of ONNX that can be imported, with the opsets whose forms of it are known.
  public struct ImportedOperator: Sendable, Equatable {
    /// The name, as in `Conv`.
    public let name: String
    /// The versions of the operator set from which on it has a separate form here, oldest first; each
    /// form is valid up to the next one's version, the last up to ``newestOpset``.
    ///
    /// Forms that ONNX distinguishes count as one if they mean the same.
    public let versions: [Int64]

    /// The oldest version of the operator set whose models are read.
    public static let oldestOpset = CheckedModel.opsetVersions.lowerBound
    /// The newest version of the operator set whose models are read.
    public static let newestOpset = CheckedModel.opsetVersions.upperBound

    /// All of them, by name.
    public static let all: [ImportedOperator] = OperatorTable.operators.map { name, forms in
      ImportedOperator(name: name, versions: forms.map { max($0.since, oldestOpset) }.sorted())
    }.sorted { $0.name < $1.name }

    /// The opsets of each form.
    public var forms: [ClosedRange<Int64>] {
      zip(versions, versions.dropFirst().map { $0 - 1 } + [Self.newestOpset]).map { $0...$1 }
    }
  }
}
