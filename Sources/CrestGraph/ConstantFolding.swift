package import CrestTensor

/// How much may still be computed of a graph while it is built.
///
/// Models from elsewhere compute shapes from shapes, which takes few elements; what a damaged model may
/// ask for has no bound. An element takes the reference up to a microsecond.
package struct FoldingBudget {
  /// How many elements may still be read and made.
  package private(set) var elementCount: Int

  package init(elementCount: Int) { self.elementCount = elementCount }

  /// Takes `count` elements off; false, and nothing taken, when fewer are left.
  package mutating func take(_ count: Int) -> Bool {
    guard count <= elementCount else { return false }
    elementCount -= count
    return true
  }
}

extension GraphOperation {
  /// What the operation gives for constants; nil when it isn't to be computed ahead, or the budget
  /// doesn't allow for what it reads and makes.
  ///
  /// - Throws: ``GraphError`` with the layer's path when an index names nothing.
  package func folded(
    _ constants: [Tensor], _ types: [ValueType], _ budget: inout FoldingBudget, path: String
  ) throws(GraphError) -> [Tensor]? {
    // Products and windows aren't bounded by what is read and made, and no shape is computed by them.
    let inputs = constants.map { ValueType($0.shape, $0.elementType) }
    guard !isRandom, demands(inputs, types).work == .elements else { return nil }
    // At least one each, so that the number of nodes has a bound too.
    var count = 1
    for size in constants.map(\.elementCount) + types.map(\.shape.elementCount) {
      let (sum, overflow) = count.addingReportingOverflow(size)
      guard !overflow else { return nil }
      count = sum
    }
    guard budget.take(count) else { return nil }
    return try evaluate(
      constants.map(ReferenceArray.init), random: RandomKey(seed: 0, step: 0), path: path
    ).map(\.tensor)
  }
}
