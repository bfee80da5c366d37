public import CrestGraph
public import CrestRuntime

extension ParameterGroup {
  /// How the parameters of a model are split into groups, in the order of the layers (fastai's
  /// `splitter`).
  ///
  /// Layers are in the order in which the data pass through their parameters. The name of a layer is
  /// what its parameters' names begin with, up to the last `.` or `/`.
  public enum Split: Sendable, Hashable {
    /// A group for each layer.
    case layers
    /// A number of groups of consecutive layers, as equal in size as possible; the first groups get
    /// the extra layers.
    case depth(Int)
    /// A group for each list of patterns, in this order. A parameter belongs to the first list with a
    /// pattern that it matches; parameters that match none form one more group, the last.
    case patterns([[NamePattern]])

    /// The names of the parameters of each group.
    ///
    /// - Throws: ``ParameterError`` if a pattern matches nothing, a group is empty, or there are
    ///   fewer layers than groups.
    public func names(in graph: Graph) throws(ParameterError) -> [[String]] {
      switch self {
      case .layers: return Self.layers(of: graph)
      case .depth(let count):
        let layers = Self.layers(of: graph)
        guard (1...max(layers.count, 1)).contains(count) else {
          throw .depth(asked: count, layers: layers.count)
        }
        let (size, rest) = layers.count.quotientAndRemainder(dividingBy: count)
        return (0..<count).map { group in
          let start = group * size + min(group, rest)
          return Array(layers[start..<start + size + (group < rest ? 1 : 0)].joined())
        }
      case .patterns(let lists):
        var left = graph.parametersByDepth
        let all = left
        var groups: [[String]] = []
        for patterns in lists {
          for pattern in patterns { _ = try pattern.matches(among: all) }
          let group = left.filter { name in patterns.contains { $0.fits(name) } }
          guard !group.isEmpty else {
            throw .emptyGroup(patterns: patterns.map(\.description).joined(separator: "|"))
          }
          left.removeAll { name in patterns.contains { $0.fits(name) } }
          groups.append(group)
        }
        return left.isEmpty ? groups : groups + [left]
      }
    }

    private static func layers(of graph: Graph) -> [[String]] {
      var order: [Substring] = []
      var members: [Substring: [String]] = [:]
      for name in graph.parametersByDepth {
        let layer = name.lastIndex { $0 == "." || $0 == "/" }.map { name[..<$0] } ?? name[...]
        if members[layer] == nil { order.append(layer) }
        members[layer, default: []].append(name)
      }
      return order.compactMap { members[$0] }
    }
  }
}
