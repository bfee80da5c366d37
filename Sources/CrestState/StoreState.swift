package import CrestRuntime
import CrestTensor

extension ParameterStore {
  /// Copies of some entries' values, by name.
  package func saved(_ entries: [Entry]) -> StateValue {
    .fields(
      Dictionary(uniqueKeysWithValues: entries.map { ($0.name, .array(value(of: $0))) }))
  }

  /// Copies of the moments, each by the names of the parameters.
  package func savedMoments() -> StateValue {
    .list(
      (0..<momentCount).map { moment in
        withBuffer(.moments(moment)) { floats in
          .fields(
            Dictionary(
              uniqueKeysWithValues: parameters.map { entry in
                let values = UnsafeRawBufferPointer(
                  UnsafeBufferPointer(rebasing: floats[entry.range]))
                return (
                  entry.name,
                  .array(Tensor(bytes: values, shape: entry.shape, elementType: .float32))
                )
              }))
        }
      })
  }

  /// The numbers that the optimiser keeps of the network as a whole.
  package func savedNumbers() -> StateValue { .list(optimizerNumbers.map { .number($0) }) }

  /// Reads the optimiser's numbers.
  ///
  /// - Returns: What writes them; it can't fail.
  package func numberRestoration(
    from saved: StateValue, at path: StateValue.Path
  ) throws(StateError) -> () -> Void {
    let count = optimizerNumbers.count
    guard case .list(let values) = saved, values.count == count else {
      throw .mistyped(path, expected: "\(count) numbers", got: saved.kind)
    }
    var numbers: [Double] = []
    for (place, value) in values.enumerated() {
      guard case .number(let number) = value else {
        throw .mistyped(path.appending("\(place)"), expected: "a number", got: value.kind)
      }
      numbers.append(number)
    }
    return { self.optimizerNumbers = numbers }
  }

  /// Reads values by name, one for each entry.
  ///
  /// - Returns: What writes them; it can't fail.
  package func restoration(
    _ entries: [Entry], from saved: StateValue, at path: StateValue.Path
  ) throws(StateError) -> () -> Void {
    let tensors = try tensors(entries, from: saved, at: path)
    return { for (entry, tensor) in zip(entries, tensors) { self.write(tensor, to: entry) } }
  }

  /// Reads moments.
  ///
  /// - Returns: What writes them; it can't fail.
  package func momentRestoration(
    from saved: StateValue, at path: StateValue.Path
  ) throws(StateError) -> () -> Void {
    guard case .list(let moments) = saved, moments.count == momentCount else {
      throw .mistyped(path, expected: "\(momentCount) moments", got: saved.kind)
    }
    var all: [[Tensor]] = []
    for (moment, fields) in moments.enumerated() {
      all.append(try tensors(parameters, from: fields, at: path.appending("\(moment)")))
    }
    return {
      for (moment, tensors) in all.enumerated() {
        self.withBuffer(.moments(moment)) { floats in
          for (entry, tensor) in zip(self.parameters, tensors) {
            tensor.withElements(as: Float.self) { values in
              _ = UnsafeMutableBufferPointer(rebasing: floats[entry.range])
                .update(fromContentsOf: values)
            }
          }
        }
      }
    }
  }

  private func tensors(
    _ entries: [Entry], from saved: StateValue, at path: StateValue.Path
  ) throws(StateError) -> [Tensor] {
    guard case .fields(let fields) = saved else {
      throw .mistyped(path, expected: "arrays by name", got: saved.kind)
    }
    let names = Set(entries.map(\.name))
    if let extra = fields.keys.filter({ !names.contains($0) }).min() {
      throw .unexpected(path.appending(extra))
    }
    var tensors: [Tensor] = []
    for entry in entries {
      let place = path.appending(entry.name)
      guard let field = fields[entry.name] else { throw .missing(place) }
      guard case .array(let tensor) = field, tensor.elementType == .float32,
        tensor.shape == entry.shape
      else { throw .mistyped(place, expected: "float32 \(entry.shape)", got: field.kind) }
      tensors.append(tensor)
    }
    return tensors
  }
}
