import CrestTensor

extension OperationError {
  /// Refuses shapes that don't broadcast to one; returns that one.
  static func checkBroadcast(_ inputs: [ValueType]) throws(OperationError) -> Shape {
    var shape = inputs[0].shape
    for input in inputs.dropFirst() {
      guard let wider = shape.broadcast(with: input.shape) else {
        throw OperationError(
          expected: "shapes that broadcast together",
          got: inputs.map(\.shape.description).joined(separator: " and "))
      }
      shape = wider
    }
    return shape
  }
}

extension [ReferenceArray] {
  /// The shape that arrays which the shape rule let pass broadcast to.
  var broadcastShape: Shape {
    dropFirst().reduce(self[0].shape) { shape, input in
      shape.broadcast(with: input.shape) ?? shape
    }
  }
}

extension [ReferenceArray] {
  /// What a function makes of the floats at each place, after broadcasting.
  func elementwise(reals function: ([Double]) -> Double) -> ReferenceArray {
    let shape = broadcastShape
    let spread = map { $0.broadcast(to: shape).reals }
    let results = (0..<shape.elementCount).map { place in function(spread.map { $0[place] }) }
    return ReferenceArray(results, ValueType(shape, self[0].type.elementType))
  }

  /// What a function makes of the integers at each place, after broadcasting; results wrap to their type.
  func elementwise(integers function: ([Int64]) -> Int64) -> ReferenceArray {
    let shape = broadcastShape
    let spread = map { $0.broadcast(to: shape).integers }
    let results = (0..<shape.elementCount).map { place in function(spread.map { $0[place] }) }
    return ReferenceArray(Tensor(wrapping: results, to: self[0].type.elementType, shape: shape))
  }
}

extension ReferenceArray {
  /// The array repeated to `shape` by NumPy's rule.
  func broadcast(to shape: Shape) -> ReferenceArray {
    guard self.shape != shape else { return self }
    let strides = self.shape.strides(broadcastTo: shape)
    return gathered(ValueType(shape, type.elementType)) { element in
      offset(shape.index(ofElement: element), strides)
    }
  }
}

extension GradientContext {
  /// The gradients of the leading inputs from dy, each traced when asked and summed over what was
  /// broadcast.
  func broadcastGradients(_ parts: ((Symbol) throws -> Symbol)...) throws -> [Symbol?] {
    try parts.enumerated().map { input, part in
      try isNeeded[input] ? part(outputGradient).summed(to: inputs[input].shape) : nil
    }
  }
}

extension Symbol {
  /// This gradient of a broadcast value summed back to the shape the value had before.
  func summed(to shape: Shape) throws -> Symbol {
    guard self.shape != shape else { return self }
    let padding = self.shape.rank - shape.rank
    let axes = (0..<self.shape.rank).filter { axis in
      axis < padding || shape[axis - padding] == 1 && self.shape[axis] != 1
    }
    return try sum(axes: axes, keepingDimensions: true).reshaped(exactlyTo: shape)
  }
}
