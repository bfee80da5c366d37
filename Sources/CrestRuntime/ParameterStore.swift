public import CrestGraph
public import CrestTensor

/// The parameters of a model with their gradients and moments, and its running statistics: flat
/// buffers at fixed addresses, updated in place.
///
/// Programs read and write the buffers directly; a `Tensor` from here is a snapshot. Everything
/// that treats all parameters alike (optimisers, clipping, averages, checkpoints, reductions
/// between processes) works on the flat buffers. Weights come first, then the parameters that don't
/// decay by default, so that an optimiser's step takes few passes; entries keep the graph's order.
/// Not thread-safe: one training run at a time owns it.
public final class ParameterStore {
  /// A parameter or statistic and where it lies.
  public struct Entry: Sendable, Hashable {
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
  /// How the graph uses its parameters.
  package private(set) lazy var uses = ParameterUses(of: graph)
  private let graph: Graph
  private let parameterMemory: AlignedMemory
  private let gradientMemory: AlignedMemory
  private let statisticMemory: AlignedMemory
  private var currentMoments = Moments([], numbers: 0)
  /// How many parameters fused updates have changed in the step that runs or ran last, and whether all that they wrote is
  /// finite.
  private var updates = (count: 0, areFinite: true)
  /// What the next steps of SGD sum up beside their work; nil for nothing.
  package var watch: Watch?
  /// Whether a training run owns the store now.
  package private(set) var isTraining = false

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
    self.graph = graph
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
        unless: currentMoments.memory.indices.contains(index),
        "moment \(index) of \(momentCount) is asked")
      return currentMoments.memory[index]
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
  public var momentCount: Int { currentMoments.memory.count }

  /// Replaces the moment buffers by `count` buffers of zeros, and the optimiser's numbers by zeros.
  ///
  /// - Precondition: neither count is negative.
  public func resetMoments(count: Int, numbers: Int = 0) {
    currentMoments = makeMoments(count: count, numbers: numbers)
  }

  /// What an optimiser keeps of the network as a whole, beside the moments; zeros at first.
  ///
  /// - Precondition: a new value has as many numbers.
  public var optimizerNumbers: [Double] {
    get { currentMoments.numbers }
    set {
      programmerError(
        unless: newValue.count == currentMoments.numbers.count,
        "\(newValue.count) numbers of an optimiser that has \(currentMoments.numbers.count)")
      currentMoments.numbers = newValue
    }
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
  /// The moments of one training run, in the layout of the parameters.
  ///
  /// Each learner has its own, so that learners of one model don't train with those of another.
  package final class Moments {
    fileprivate let memory: [AlignedMemory]
    fileprivate var numbers: [Double]

    fileprivate init(_ memory: [AlignedMemory], numbers: Int) {
      self.memory = memory
      self.numbers = [Double](repeating: 0, count: numbers)
    }
  }

  /// `count` moments of zeros, and zeros for an optimiser's numbers.
  ///
  /// - Precondition: neither count is negative.
  package func makeMoments(count: Int, numbers: Int = 0) -> Moments {
    programmerError(unless: count >= 0 && numbers >= 0, "\(count) moments, \(numbers) numbers")
    return Moments(
      (0..<count).map { _ in AlignedMemory(byteCount: parameterMemory.byteCount) },
      numbers: numbers)
  }

  /// Calls `body` while `moments` are the store's; they stay so unless a training run owns the store.
  package func with<Result>(_ moments: Moments, _ body: () throws -> Result) rethrows -> Result {
    let others = currentMoments
    currentMoments = moments
    defer { if isTraining { currentMoments = others } }
    return try body()
  }

  /// Calls `body`, a training run, with its moments.
  ///
  /// - Precondition: no other training run owns the store.
  package func train<Result>(with moments: Moments, _ body: () throws -> Result) rethrows -> Result
  {
    programmerError(
      unless: !isTraining, "a fit began while another learner's fit of the same model was running")
    currentMoments = moments
    isTraining = true
    defer { isTraining = false }
    return try body()
  }
}

extension ParameterStore {
  /// A step begins.
  package func beginStep() {
    updates = (0, true)
    watch?.sums = ChangeSums()
  }

  /// Passes have changed `count` parameters, padding included.
  package func noteUpdate(of count: Int, isFinite: Bool) {
    updates = (updates.count + count, updates.areFinite && isFinite)
  }

  /// The parameters and moments that aren't finite after a step that changed `count` parameters, each with its first
  /// such number.
  ///
  /// Fused updates look at what they write: there is a search only if one found something, or the optimiser has a rule
  /// of its own.
  package func nonFiniteUpdates(of count: Int) -> [Program.NonFinite] {
    if updates.areFinite && updates.count >= count { return [] }
    return nonFiniteParameters
      + (0..<momentCount).flatMap { moment in
        nonFinite(parameters, in: .moments(moment)) { .moment($0) }
      }
  }
}

extension ParameterStore {
  /// Everything training changes in the store, copied bit for bit: parameters, statistics, moments.
  public struct Snapshot: Sendable, Equatable {
    fileprivate let entries: [Entry]
    fileprivate let parameters: [UInt32]
    fileprivate let statistics: [UInt32]
    fileprivate let moments: [[UInt32]]
    fileprivate let numbers: [UInt64]
  }

  /// Copies parameters, statistics and moments.
  public func snapshot() -> Snapshot {
    Snapshot(
      entries: parameters + statistics, parameters: parameterMemory.floats.map(\.bitPattern),
      statistics: statisticMemory.floats.map(\.bitPattern),
      moments: currentMoments.memory.map { $0.floats.map(\.bitPattern) },
      numbers: currentMoments.numbers.map(\.bitPattern))
  }

  /// Restores parameters, statistics and moments.
  ///
  /// - Precondition: the snapshot is of a model with the same parameters and statistics: names, shapes, order.
  public func restore(_ snapshot: Snapshot) {
    let own = parameters + statistics
    if let place = own.indices.first(where: {
      !snapshot.entries.indices.contains($0) || snapshot.entries[$0] != own[$0]
    }) {
      let other = snapshot.entries.indices.contains(place) ? snapshot.entries[place] : nil
      let found = other.map { "\($0.name) \($0.shape)" } ?? "nothing"
      programmerError(
        "the snapshot is of another model: it has \(found) where the store has \(own[place].name) "
          + "\(own[place].shape)")
    }
    programmerError(
      unless: snapshot.entries.count == own.count,
      "the snapshot is of another model: it has \(snapshot.entries.count) parameters and statistics, the store "
        + "\(own.count)")
    if momentCount != snapshot.moments.count || optimizerNumbers.count != snapshot.numbers.count {
      resetMoments(count: snapshot.moments.count, numbers: snapshot.numbers.count)
    }
    optimizerNumbers = snapshot.numbers.map { Double(bitPattern: $0) }
    for (memory, bits) in zip(
      [parameterMemory, statisticMemory] + currentMoments.memory,
      [snapshot.parameters, snapshot.statistics] + snapshot.moments)
    {
      for (index, pattern) in bits.enumerated() {
        memory.floats[index] = Float(bitPattern: pattern)
      }
    }
  }
}
