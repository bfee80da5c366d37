package import CrestTensor

/// A value of the reference: floats as `Double`, integers and booleans as `Int64`, on plain arrays.
///
/// The element type is remembered but floats are not rounded to it, so the reference is the oracle
/// that kernels of every precision are held against.
package struct ReferenceArray: Sendable {
  /// The elements in row-major order.
  package enum Elements: Sendable {
    /// Of a float type.
    case reals([Double])
    /// Of an integer type, or booleans as 0 and 1.
    case integers([Int64])
  }

  /// Element type and shape.
  package let type: ValueType
  /// The elements.
  package let elements: Elements

  /// An array of floats.
  ///
  /// - Precondition: the element type is a float, and there are as many elements as the shape has.
  package init(_ reals: [Double], _ type: ValueType) {
    programmerError(unless: type.elementType.isFloat, "\(type.elementType) is not a float type")
    programmerError(
      unless: reals.count == type.shape.elementCount, "\(reals.count) elements for \(type.shape)")
    self.type = type
    elements = .reals(reals)
  }

  /// An array of integers or booleans.
  ///
  /// - Precondition: the element type is no float, and there are as many elements as the shape has.
  package init(integers: [Int64], _ type: ValueType) {
    programmerError(unless: !type.elementType.isFloat, "\(type.elementType) is a float type")
    programmerError(
      unless: integers.count == type.shape.elementCount,
      "\(integers.count) elements for \(type.shape)")
    self.type = type
    elements = .integers(integers)
  }

  /// The elements of a tensor.
  package init(_ tensor: Tensor) {
    type = ValueType(tensor.shape, tensor.elementType)
    elements = tensor.integers.map(Elements.integers) ?? .reals(tensor.doubles)
  }

  /// The shape.
  package var shape: Shape { type.shape }

  /// The elements of an array of floats.
  ///
  /// - Precondition: it is one.
  package var reals: [Double] {
    guard case .reals(let reals) = elements else {
      programmerError("\(type) holds no floats")
    }
    return reals
  }

  /// The elements of an array of integers or booleans.
  ///
  /// - Precondition: it is one.
  package var integers: [Int64] {
    guard case .integers(let integers) = elements else {
      programmerError("\(type) holds no integers")
    }
    return integers
  }

  /// The elements as a tensor, rounded or wrapped to the element type.
  package var tensor: Tensor {
    switch elements {
    case .reals(let reals): Tensor(rounding: reals, to: type.elementType, shape: shape)
    case .integers(let integers): Tensor(wrapping: integers, to: type.elementType, shape: shape)
    }
  }

  /// The array of `type` whose element k is this one's element `source(k)`; nil there means zero.
  func gathered(_ type: ValueType, _ source: (Int) -> Int?) -> ReferenceArray {
    let indices = 0..<type.shape.elementCount
    switch elements {
    case .reals(let reals):
      return ReferenceArray(indices.map { source($0).map { reals[$0] } ?? 0 }, type)
    case .integers(let integers):
      return ReferenceArray(integers: indices.map { source($0).map { integers[$0] } ?? 0 }, type)
    }
  }
}

extension Shape {
  /// The index along each dimension of element `offset` in row-major order.
  func index(ofElement offset: Int) -> [Int] {
    var rest = offset
    return strides.map { stride in
      defer { rest %= Swift.max(stride, 1) }
      return stride == 0 ? 0 : rest / stride
    }
  }
}

/// Σ index · stride.
func offset(_ index: [Int], _ strides: [Int]) -> Int {
  zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
}
