package import CrestGraph
package import CrestTensor

/// An input of a case: its shape and the values it may take.
package struct CaseInput: Sendable {
  /// Which values an input takes.
  package enum Domain: Sendable {
    /// Floats in a range.
    case uniform(ClosedRange<Double>)
    /// Floats of magnitude 0.1 to 2, of both signs: away from a kink at 0.
    case awayFromZero
    /// Different multiples of 0.25, plus an offset: no two are close, so no maximum is near a tie.
    case spaced(offset: Double)
    /// Floats that are 0 or 1.
    case mask
    /// Probabilities along axis 1.
    case probabilities
    /// Integers or booleans in a range.
    case whole(ClosedRange<Int64>, ElementType)
  }

  /// The shape.
  package let shape: Shape
  /// The values it may take.
  package let domain: Domain

  init(_ shape: Shape, _ domain: Domain = .uniform(-2...2)) {
    self.shape = shape
    self.domain = domain
  }

  /// Draws values; floats are rounded to `elementType`.
  package func sample(_ elementType: ElementType, _ random: Philox) -> ReferenceArray {
    let places = (0..<shape.elementCount).map { UInt64($0) }
    let uniform = places.map { Double(random.uniform($0)) }
    let reals: [Double]
    switch domain {
    case .uniform(let range):
      reals = uniform.map { range.lowerBound + $0 * (range.upperBound - range.lowerBound) }
    case .awayFromZero:
      reals = uniform.map { $0 < 0.5 ? -2 + 3.8 * $0 : 0.1 + 3.8 * ($0 - 0.5) }
    case .spaced(let offset):
      reals = random.permutation(shape.elementCount).map {
        Double($0 - shape.elementCount / 2) * 0.25 + offset
      }
    case .mask:
      reals = uniform.map { $0 < 0.5 ? 0 : 1 }
    case .probabilities:
      let logits = ReferenceArray(uniform.map { $0 * 4 }, ValueType(shape, .float64))
      reals = Softmax(axis: 1).evaluate([logits], random: RandomKey(seed: 0, step: 0))[0].reals
    case .whole(let range, let type):
      let count = Int(range.upperBound - range.lowerBound) + 1
      let integers = places.map { range.lowerBound + Int64(random.integer(below: count, $0)) }
      return ReferenceArray(integers: integers, ValueType(shape, type))
    }
    return ReferenceArray(ReferenceArray(reals, ValueType(shape, elementType)).tensor)
  }
}
