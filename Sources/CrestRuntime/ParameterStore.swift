public import CrestGraph
public import CrestTensor

/// The parameters of a model with their gradients and moments, and its running statistics: flat
/// buffers at fixed addresses, updated in place.
///
/// Programs read and write the buffers directly; a `Tensor` from here is a snapshot. Everything
/// that treats all parameters alike (optimisers, clipping, averages, checkpoints, reductions
/// between processes) works on the flat buffers. Weights come first, then the parameters that don't
/// decay by default, so that an optimiser's step takes few passes; entries keep the graph's order.
/// Not thread-safe: one training run owns it.
public final class ParameterStore {
  /// A parameter or statistic and where it lies.
  public struct Entry: Sendable {
    /// The full name, as in `block1.conv.weight`.
    public let name: String
    /// The shape.
    public let shape: Shape
    /// What it is for; nil for a running statistic.
    public let role: Graph.ParameterRole?
    /// Its place in the flat buffer of parameters (or statistics), in elements.
    public let range: Range<Int>
  }

  /// A flat buffer.
  public enum Buffer: Sendable, Hashable {
    /// The parameters.
    case parameters
    /// The gradients of the loss, in the layout of the parameters.
    case gradients
    /// The running statistics.
    case statistics
    /// An optimiser's moments, in the layout of the parameters.
    case moments(Int)
  }

  /// Parameters, in the graph's order.
  public let parameters: [Entry]
  /// Running statistics, in the graph's order.
  public let statistics: [Entry]
  /// All entries by name; a model from elsewhere may have tens of thousands.
  private let entries: [String: Entry]
  private let parameterMemory: AlignedMemory
  private let gradientMemory: AlignedMemory
  private let statisticMemory: AlignedMemory
  private var momentMemory: [AlignedMemory] = []

  /// A store of the variables of `graph` at their initial values.
  ///
  /// Each variable draws from its own stream, by its index in the graph, with `seed`.
  ///
  /// - Precondition: every variable is `float32`.
  public init(_ graph: Graph, seed: UInt64) {
    for variable in graph.variables {
      programmerError(
        unless: variable.type.elementType == .float32,
        "\(variable.name) is \(variable.type); parameters are float32")
    }
    programmerError(
      unless: Self.byteCount(of: graph) < .max,
      "the parameters and gradients take more bytes than can be counted")
    var next = (parameters: 0, statistics: 0)
    var ranges = [Range<Int>](repeating: 0..<0, count: graph.variables.count)
    for place in Self.places(graph.variables) {
      let variable = graph.variables[place]
      let count = variable.type.shape.elementCount
      // A new entry begins on a cache line.
      let padded = (count + 15) / 16 * 16
      if variable.role == nil {
        ranges[place] = next.statistics..<next.statistics + count
        next.statistics += padded
      } else {
        ranges[place] = next.parameters..<next.parameters + count
        next.parameters += padded
      }
    }
    let entries = zip(graph.variables, ranges).map { variable, range in
      Entry(
        name: variable.name, shape: variable.type.shape, role: variable.role, range: range)
    }
    parameters = entries.filter { $0.role != nil }
    statistics = entries.filter { $0.role == nil }
    self.entries = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) })
    parameterMemory = AlignedMemory(byteCount: next.parameters * 4)
    gradientMemory = AlignedMemory(byteCount: next.parameters * 4)
    statisticMemory = AlignedMemory(byteCount: next.statistics * 4)
    for (number, (variable, entry)) in zip(graph.variables, entries).enumerated() {
      write(
        variable.initialValue(
          Philox(seed: seed, stream: Philox.Stream.parameters + UInt32(number))), to: entry)
    }
  }

  /// The memory that a store of the variables of `graph` takes while they train, in bytes: values
  /// and gradients; `Int.max` if that is too little.
  public static func byteCount(of graph: Graph) -> Int {
    var total = 0
    for variable in graph.variables {
      // Values and gradients, of four bytes each.
      let (bytes, isLarge) = variable.type.shape.elementCount.multipliedReportingOverflow(by: 8)
      let (sum, isTooLarge) = total.addingReportingOverflow(bytes)
      if isLarge || isTooLarge { return .max }
      total = sum
    }
    return total
  }

  /// Weights first, then other parameters, then statistics; otherwise in order.
  private static func places(_ variables: [Graph.Variable]) -> [Int] {
    let all = Array(variables.indices)
    return all.filter { variables[$0].role == .weight }
      + all.filter { variables[$0].role != .weight && variables[$0].role != nil }
      + all.filter { variables[$0].role == nil }
  }

  /// The number of values to be trained.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.range.count } }

  /// The entry of a parameter or statistic; nil when there is none of that name.
  public func entry(named name: String) -> Entry? {
    entries[name]
  }

  private func memory(_ buffer: Buffer) -> AlignedMemory {
    switch buffer {
    case .parameters: return parameterMemory
    case .gradients: return gradientMemory
    case .statistics: return statisticMemory
    case .moments(let index):
      programmerError(
        unless: momentMemory.indices.contains(index),
        "moment \(index) of \(momentMemory.count) is asked")
      return momentMemory[index]
    }
  }

  func address(_ buffer: Buffer) -> UnsafeMutablePointer<Float> {
    memory(buffer).base.assumingMemoryBound(to: Float.self)
  }

  /// Calls `body` with a whole flat buffer to read or change, padding included; it must not escape.
  public func withBuffer<Result, Failure: Error>(
    _ buffer: Buffer, _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(memory(buffer).floats)
  }

  /// The number of moment buffers there are.
  public var momentCount: Int { momentMemory.count }

  /// Creates `count` moment buffers of zeros, discarding earlier ones.
  ///
  /// - Precondition: `count` is not negative.
  public func resetMoments(count: Int) {
    programmerError(unless: count >= 0, "\(count) moments")
    momentMemory = (0..<count).map { _ in AlignedMemory(byteCount: parameterMemory.byteCount) }
  }

  /// A copy of a parameter or statistic.
  public func value(of entry: Entry) -> Tensor {
    copy(entry, from: entry.role == nil ? .statistics : .parameters)
  }

  /// A copy of the gradient of a parameter.
  ///
  /// - Precondition: `entry` is a parameter.
  public func gradient(of entry: Entry) -> Tensor {
    programmerError(
      unless: entry.role != nil, "\(entry.name) is a running statistic and has no gradient")
    return copy(entry, from: .gradients)
  }

  /// Replaces a parameter or statistic.
  ///
  /// - Precondition: `value` is `float32` of the entry's shape.
  public func write(_ value: Tensor, to entry: Entry) {
    require(entry)
    programmerError(
      unless: value.shape == entry.shape && value.elementType == .float32,
      "\(entry.name) is float32 \(entry.shape), not \(value.typeDescription)")
    let base = address(entry.role == nil ? .statistics : .parameters) + entry.range.lowerBound
    value.withElements(as: Float.self) { elements in
      for (index, element) in elements.enumerated() { base[index] = element }
    }
  }

  private func require(_ entry: Entry) {
    programmerError(
      unless: entries[entry.name].map { $0.range == entry.range && $0.shape == entry.shape }
        ?? false,
      "\(entry.name) \(entry.shape) is not of this store")
  }

  private func copy(_ entry: Entry, from buffer: Buffer) -> Tensor {
    require(entry)
    return Tensor(
      bytes: UnsafeRawBufferPointer(
        start: address(buffer) + entry.range.lowerBound, count: entry.range.count * 4),
      shape: entry.shape, elementType: .float32)
  }
}

extension ParameterStore {
  /// Everything training changes in the store, copied bit for bit: parameters, statistics, moments.
  public struct Snapshot: Sendable, Equatable {
    fileprivate let parameters: [UInt32]
    fileprivate let statistics: [UInt32]
    fileprivate let moments: [[UInt32]]
  }

  /// Copies parameters, statistics and moments.
  public func snapshot() -> Snapshot {
    Snapshot(
      parameters: parameterMemory.floats.map(\.bitPattern),
      statistics: statisticMemory.floats.map(\.bitPattern),
      moments: momentMemory.map { $0.floats.map(\.bitPattern) })
  }

  /// Restores parameters, statistics and moments.
  ///
  /// - Precondition: the snapshot is of this store's layout.
  public func restore(_ snapshot: Snapshot) {
    programmerError(
      unless: snapshot.parameters.count == parameterMemory.floats.count
        && snapshot.statistics.count == statisticMemory.floats.count,
      "the snapshot has \(snapshot.parameters.count) parameters, the store "
        + "\(parameterMemory.floats.count)")
    if momentMemory.count != snapshot.moments.count { resetMoments(count: snapshot.moments.count) }
    for (memory, bits) in zip(
      [parameterMemory, statisticMemory] + momentMemory,
      [snapshot.parameters, snapshot.statistics] + snapshot.moments)
    {
      for (index, pattern) in bits.enumerated() {
        memory.floats[index] = Float(bitPattern: pattern)
      }
    }
  }
}
