public import CrestTensor

extension Symbol {
  /// Returns a value of `shape` that holds these elements at their places and zeros elsewhere (what ONNX
  /// `MaxUnpool`, opset 11, does with the second output of `MaxPool`).
  ///
  /// - Parameters:
  ///   - places: `int64` of this value's shape: the place of each in the result, in row-major order.
  ///   - shape: The shape of the result.
  /// - Returns: A value of `shape` in this one's element type.
  /// - Throws: ``GraphError`` when the shapes don't fit or a constant place is out of range.
  public func unpooled(at places: Symbol, to shape: Shape) throws -> Symbol {
    guard places.type == ValueType(self.shape, .int64) else {
      throw GraphError(
        path: builder.path, operation: "MaxUnpool",
        expected: "places \(ValueType(self.shape, .int64))",
        got: "\(places.type)")
    }
    let zeros = try scalar(0).expanded(to: [shape.elementCount])
    let flat: Shape = [self.shape.elementCount]
    return try zeros.scatteringElements(
      reshaped(exactlyTo: flat), at: places.reshaped(exactlyTo: flat)
    ).reshaped(exactlyTo: shape)
  }
}
