public import CrestTensor

extension Dataset {
  /// The set itself: inputs keep their types unless a set implements a conversion.
  public func converted(to types: [ElementType]) throws(DataError) -> any Dataset { self }
}

extension Subset {
  /// The same part of the converted set.
  public func converted(to types: [ElementType]) throws(DataError) -> any Dataset {
    types == inputs.map(\.elementType)
      ? self : Subset(try base.converted(to: types), indices: indices, name: name)
  }
}

extension DataSplit {
  /// Both parts with inputs of other element types, as ``Dataset/converted(to:)`` gives them.
  ///
  /// - Parameter types: A type for each input of the training part.
  /// - Returns: Parts of the same origin.
  /// - Throws: ``DataError/inexactElement(name:input:example:value:expected:)``.
  public func converted(to types: [ElementType]) throws(DataError) -> DataSplit {
    guard [train, valid].contains(where: { $0.inputs.map(\.elementType) != types }) else {
      return self
    }
    var split = try mapped { (dataset) throws(DataError) in try dataset.converted(to: types) }
    for (before, after) in zip(train.inputs, split.train.inputs)
    where after.elementType == .float32 && !before.elementType.isFloat {
      split.notes.append(.integersAsFloats(input: before.name))
    }
    return split
  }
}
