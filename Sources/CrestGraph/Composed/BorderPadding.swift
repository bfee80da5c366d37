import CrestTensor

extension Symbol {
  /// What a border around a value repeats of it (ONNX `Pad`, opset 19, the modes besides `constant`).
  public enum BorderMode: String, Sendable, Hashable, CaseIterable {
    /// The value mirrored at its first and last elements, which aren't repeated.
    case reflect
    /// The first and last elements.
    case edge
    /// The value itself, over and over.
    case wrap

    /// The element of an axis of `size` that a place before, in or after it repeats.
    func source(of place: Int, size: Int) -> Int {
      func remainder(_ divisor: Int) -> Int {
        let rest = place % divisor
        return rest < 0 ? rest + divisor : rest
      }
      switch self {
      case .edge: return Swift.min(Swift.max(place, 0), size - 1)
      case .wrap: return remainder(size)
      case .reflect:
        guard size > 1 else { return 0 }
        let step = remainder(2 * (size - 1))
        return Swift.min(step, 2 * (size - 1) - step)
      }
    }
  }
}

extension Symbol {
  /// Returns the value with a border that repeats it (ONNX `Pad`).
  ///
  /// - Parameters:
  ///   - before: The width before the first element of each axis; a negative one removes elements.
  ///   - after: The width after the last element of each axis; a negative one removes elements.
  ///   - mode: What the border repeats.
  /// - Returns: A value larger by both widths.
  /// - Throws: ``GraphError`` when the widths don't fit the shape, an axis to widen has no elements,
  ///   or a widened axis would have more than 2²⁴.
  public func padded(before: [Int], after: [Int], mode: BorderMode) throws -> Symbol {
    let type = try padType(before, after)
    var result = self
    for axis in shape.indices where before[axis] != 0 || after[axis] != 0 {
      let (old, new) = (shape[axis], type.shape[axis])
      guard old > 0 || new == 0, new <= 1 << 24 else {
        throw GraphError(
          path: builder.path, operation: "Pad",
          expected: "axes of 1 to \(1 << 24) elements to pad with mode \(mode)",
          got: "\(old) padded to \(new) along axis \(axis)")
      }
      try builder.makeRoom(forConstant: new, .int64, "Pad")
      let places = (0..<new).map { Int64(mode.source(of: $0 - before[axis], size: old)) }
      result = try result.gathered(builder.constant(Tensor(places)), axis: axis)
    }
    return result
  }

  /// The type that widths give by the rule of `Pad`.
  private func padType(_ before: [Int], _ after: [Int]) throws -> ValueType {
    do {
      return try Pad(before: before, after: after, value: 0).outputTypes(for: [type])[0]
    } catch {
      throw GraphError(
        path: builder.path, operation: "Pad", expected: error.expected, got: error.got,
        advice: error.advice)
    }
  }
}
