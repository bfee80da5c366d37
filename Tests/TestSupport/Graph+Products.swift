public import CrestGraph
import CrestTensor

// What benchmarks, a package of their own, ask of operations.
extension Graph {
  /// Whether all that it does is to move elements.
  public var isCopy: Bool { nodes.allSatisfy { $0.operation is Transpose } }

  /// The names of its operations, in order.
  public var operationNames: [String] { nodes.map(\.operation.name) }

  /// The products of a convolution or a matrix product, and the height of its windows when Winograd's algorithm serves them;
  /// nil of other operations.
  public func products(of node: Node) -> (count: Double, winogradKernel: Int?)? {
    let output = type(of: node.outputs[0]).shape
    switch node.operation {
    case let conv as Conv:
      let filter = type(of: node.inputs[1]).shape
      let count = Double(output.elementCount) * Double(filter.elementCount / max(filter[0], 1))
      let kernel = filter[2]
      let isReduced =
        filter.dimensions.dropFirst(2) == [kernel, kernel] && (3...5).contains(kernel)
        && conv.attributes.strides == [1, 1] && conv.attributes.dilations == [1, 1]
      return (count, isReduced ? kernel : nil)
    case is Gemm, is MatMul:
      let inner = type(of: node.inputs[0]).shape.elementCount
      // (M, K) · (K, N): K is what M · K has beyond M.
      return (Double(inner) * Double(output.dimensions.last ?? 1), nil)
    default: return nil
    }
  }
}
