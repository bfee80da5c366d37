import CrestGraph
import CrestTensor

extension NodeMerging {
  /// Lets those that read the image of a ``ChannelAffine`` compute it while they read it.
  ///
  /// Where others need it in memory, the first convolution of it keeps it, and those after it read what it
  /// kept.
  mutating func computeImage(_ number: Int, _ node: Graph.Node) {
    let value = node.outputs[0]
    guard let map = node.operation as? ChannelAffine, graph.type(of: value).shape.rank == 4,
      !isWanted(value)
    else { return }
    let image = (value: value, map: map, parts: node.inputs)
    var computing = Set(readers(of: value)).sorted()
    let able = computing.filter { reading($0, image) != nil }
    guard !able.isEmpty else { return }
    if able != computing {
      // The first that needs the image in memory, or can put it there.
      let first = computing.first { !able.contains($0) || self[$0].inputs[0] == value }
      guard let keeper = first, able.contains(keeper),
        let (_, operation) = convolution(making: self[keeper].outputs[0], in: self[keeper].stage),
        operation.readsAsItWrites(self[keeper], in: graph)
      else { return }
      computing = computing.filter { $0 <= keeper }
      remove(number)
      extend(keeper, operation, writes: [value]) { $0.keptImage = $2 }
    } else {
      remove(number)
    }
    for reader in computing {
      guard let (operation, inputs) = reading(reader, image) else { continue }
      replace(reader, by: operation, inputs, self[reader].outputs)
    }
  }

  /// A node's operation when it computes an image wherever it read it, and what it reads then; nil when it can't.
  private func reading(
    _ number: Int, _ image: (value: Graph.ValueID, map: ChannelAffine, parts: [Graph.ValueID])
  ) -> (any ImageReader, inputs: [Graph.ValueID])? {
    guard var reader = self[number].operation as? any ImageReader else { return nil }
    var inputs = self[number].inputs
    for place in inputs.indices where inputs[place] == image.value {
      let places = [place] + (inputs.count..<inputs.count + image.parts.count - 1)
      guard let computing = reader.reading(FusedImage(image.map, of: places), at: place) else {
        return nil
      }
      reader = computing
      inputs[place] = image.parts[0]
      inputs += image.parts.dropFirst()
    }
    return (reader, inputs)
  }
}
