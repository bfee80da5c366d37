import CrestTensor

extension Graph {
  /// A hash of all that the graph computes: operations with their attributes, how they are connected, types,
  /// constants, and the names of its variables.
  ///
  /// As in `xxh64:44bc2cf5ad770999`; the same graph has the same in every process. It is no defence against
  /// forgery.
  public var fingerprint: String {
    var hash = Fingerprint()
    for value in values {
      hash.add("\(value.type)")
      switch value.origin {
      case .input(let name): hash.add("input \(name)")
      case .variable(let place):
        let variable = variables[place]
        hash.add("variable \(variable.name) \(variable.role?.rawValue ?? "statistic")")
      case .constant(let tensor):
        hash.add("constant")
        tensor.withUnsafeBytes { hash.add($0) }
      case .node(let node, let output): hash.add("node \(node) \(output)")
      }
    }
    for node in nodes {
      hash.add("\(node.operation.name) \(node.operation)")
      hash.add("\(node.inputs) \(node.outputs)")
    }
    for port in inputs + outputs { hash.add("\(port.name) \(port.value)") }
    return hash.text
  }
}
