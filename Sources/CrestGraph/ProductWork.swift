import CrestTensor

extension Graph {
  /// The floating-point operations of convolutions and matrix products, a multiplication and an addition
  /// as two; recurrent layers and attention count as the products that they are made of.
  ///
  /// Nothing else is counted: it is little beside products, in networks that have any. A `Double`, as
  /// sizes from a file may have products beyond `Int`.
  package var productWork: Double {
    nodes.reduce(0) { sum, node in
      let (a, b) = (node.inputs.first.map(type(of:)), node.inputs.dropFirst().first.map(type(of:)))
      guard let a, let b else { return sum }
      let output = type(of: node.outputs[0]).shape
      switch node.operation {
      case is Conv: return sum + Self.work(output, Self.perFilter(b.shape))
      case is ConvTranspose: return sum + Self.work(a.shape, Self.perFilter(b.shape))
      case let gemm as Gemm: return sum + Self.work(output, a.shape[gemm.transposesA ? 0 : 1])
      case is MatMul: return sum + Self.work(output, a.shape[a.shape.rank - 1])
      default: return sum
      }
    }
  }

  /// The elements of one of the filters that lie along the first axis.
  private static func perFilter(_ filters: Shape) -> Int { filters.dropFirst().reduce(1, *) }

  private static func work(_ sums: Shape, _ terms: Int) -> Double {
    2 * Double(sums.elementCount) * Double(terms)
  }
}
