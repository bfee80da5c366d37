package import CrestTensor

/// Class labels [N, d…] as vectors along axis 1, [N, C, d…]: 1 at the label and 0 elsewhere, 0 everywhere for an
/// ignored one (ours; ONNX `OneHot` takes indices that are out of range without a word).
package struct OneHotLabels: TrainingOperation {
  /// C.
  package let classCount: Int
  /// The label that belongs to no class; none when nil.
  package let ignoredLabel: Int64?
  /// The type of the result.
  package let elementType: ElementType

  package init(classCount: Int, ignoredLabel: Int64? = nil, elementType: ElementType = .float32) {
    self.classCount = classCount
    self.ignoredLabel = ignoredLabel
    self.elementType = elementType
  }

  /// [N, C, d…].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    let labels = inputs[0]
    guard labels.elementType == .int64, labels.shape.rank >= 1, classCount >= 1,
      elementType.isFloat
    else {
      throw OperationError(
        expected: "int64 labels [N, …] of at least one class", got: "\(labels)")
    }
    return [
      ValueType(
        Shape([labels.shape[0], classCount] + labels.shape.dimensions.dropFirst()), elementType)
    ]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    Demands(
      .elements,
      indices: [0: .init(count: classCount, countsFromEnd: false, ignored: ignoredLabel)])
  }

  /// The definition as it stands.
  ///
  /// - Throws: ``GraphError/IndexOutOfRange`` for a label that isn't a class.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    let labels = inputs[0].integers
    let shape = inputs[0].shape
    let type = ValueType(
      Shape([shape[0], classCount] + shape.dimensions.dropFirst()), elementType)
    let places = shape.dimensions.dropFirst().reduce(1, *)
    var vectors = [Double](repeating: 0, count: type.shape.elementCount)
    for (row, label) in labels.enumerated() where label != ignoredLabel {
      guard (0..<Int64(classCount)).contains(label) else {
        throw GraphError.IndexOutOfRange(
          index: label, place: row, size: classCount, countsFromEnd: false)
      }
      vectors[(row / places * classCount + Int(label)) * places + row % places] = 1
    }
    return [ReferenceArray(vectors, type)]
  }

  /// From 0 to 1.
  package func valueRange(
    _ inputs: [ClosedRange<Double>], _ types: [ValueType]
  ) -> ClosedRange<Double> { 0...1 }

  /// None: labels have no gradient.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] { [nil] }
}

extension Symbol {
  /// These labels [N, d…] as vectors [N, C, d…] in the type of `other`; all 0 where they are ignored.
  package func oneHotLabels(
    classCount: Int, ignoredLabel: Int? = nil, like other: Symbol
  ) throws -> Symbol {
    try builder.apply(
      OneHotLabels(
        classCount: classCount, ignoredLabel: ignoredLabel.map(Int64.init),
        elementType: other.elementType), [self])[0]
  }
}
