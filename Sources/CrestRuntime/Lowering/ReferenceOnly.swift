/// What runs on the reference in a program, and why.
///
/// Whatever else does is a fault: a test compares this table with what programs report of every operation.
package enum ReferenceOnly {
  /// An operation without a kernel.
  package struct Row: Sendable {
    /// The operation's name.
    package let operation: String
    /// The element types for which it has none; nil for all.
    package let types: [String]?
    /// Why that does no harm.
    package let reason: String
  }

  /// The operations, by name.
  package static let rows: [Row] = [
    Row(
      operation: "Gemm", types: ["int64", "int32"],
      reason: "networks multiply matrices of floats"),
    Row(
      operation: "MatMul", types: ["int64", "int32"],
      reason: "networks multiply matrices of floats"),
    Row(
      operation: "MaxPoolIndices", types: nil,
      reason: "only files that pool and unpool ask for it; nothing in training does"),
  ]
}
