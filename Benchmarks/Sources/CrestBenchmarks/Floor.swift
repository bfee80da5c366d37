import Crest
import CrestTestSupport

/// The least that a training step has to do, whoever computes it.
struct Floor {
  /// Floating-point operations of the convolutions and products, forward and both gradients, where windows of 3 × 3
  /// to 5 × 5 take the products of Winograd's algorithm with six points.
  private(set) var operations = 0.0
  /// Bytes: what convolutions and products give is written once and read once, in the backward pass; of a parameter,
  /// the value, its gradient and its momentum are read and written once.
  private(set) var bytes = 0.0

  init(_ model: Model, batchSize: Int) throws {
    let types = model.inputs.map { $0.batchType(batchSize) }
    let builder = GraphBuilder()
    try builder.replay(model.template.graph(for: types), inputTypes: types, mode: .training)
    let graph = builder.result
    // What depends on no parameter needs no gradient.
    var trained = Set(
      graph.values.indices.filter {
        guard case .variable(let number) = graph.values[$0].origin else { return false }
        return graph.variables[number].role != nil
      })
    for variable in graph.variables where variable.role != nil {
      bytes += 6 * 4 * Double(variable.type.shape.elementCount)
    }
    for node in graph.nodes {
      let gradients = node.inputs.prefix(2).count { trained.contains($0.index) }
      if node.inputs.contains(where: { trained.contains($0.index) }) {
        trained.formUnion(node.outputs.map(\.index))
      }
      guard let products = Self.products(node, graph) else { continue }
      operations += 2 * products * Double(1 + gradients)
      bytes += 2 * 4 * Double(graph.type(of: node.outputs[0]).shape.elementCount)
    }
  }

  private static func products(_ node: Graph.Node, _ graph: Graph) -> Double? {
    guard let (count, kernel) = graph.products(of: node) else { return nil }
    return kernel.map { count / winogradReduction(tile: 7 - $0, kernel: $0) } ?? count
  }

  /// Seconds, at what the machine does at best.
  func seconds(_ peaks: Peaks, _ set: Engine.InstructionSet) -> Double {
    max(
      operations / peaks.operationsPerSecond(set),
      bytes / peaks.bytesPerSecond(footprint: Int(bytes)))
  }
}

/// How many times fewer products Winograd's F(tile × tile, kernel × kernel) makes than the direct convolution
/// (Lavin & Gray 2016).
func winogradReduction(tile: Int, kernel: Int) -> Double {
  let (outputs, taps, points) = (tile * tile, kernel * kernel, tile + kernel - 1)
  return Double(outputs * taps) / Double(points * points)
}
