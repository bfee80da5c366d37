public import CrestGraph
public import CrestRuntime
public import CrestTensor

/// Predicts with a graph's first output from inputs as they are given, whatever their axes mean.
///
/// A graph may compute the rows of its inputs independently, or it may combine several of them,
/// such as the steps of a sequence. To limit memory, inputs are cut into batches, but only where
/// the graph proves that this makes no difference (`GraphTemplate.rowAnalysis(_:axes:count:)`);
/// otherwise the graph gets them as a whole.
///
/// ```swift
/// let predictor = try Predictor(template, engine: Engine())
/// let y = try predictor.predict([x], batchSize: 64)
/// ```
public final class Predictor {
  /// The parameters.
  public let store: ParameterStore
  private let template: any GraphTemplate
  private let seed: UInt64
  private let programs: Program.Cache

  /// How a prediction is made.
  public enum Plan: Sendable, Equatable {
    /// The graph runs once, for the inputs as they are: the reason why they may not be cut, or nil
    /// if there is no need to.
    case whole(Graph.RowMixing?)
    /// The rows along axis 0 of the inputs are cut into batches, and the results are joined along
    /// an axis of the output.
    case batches(outputAxis: Int)
  }

  /// A predictor with the parameters in a store.
  ///
  /// - Parameters:
  ///   - template: The source of the graphs.
  ///   - store: The values of its variables.
  ///   - engine: The engine for programs.
  ///   - seed: The key of random numbers.
  public init(
    _ template: some GraphTemplate, store: ParameterStore, engine: Engine, seed: UInt64 = 0
  ) {
    programmerError(unless: !template.sample.outputs.isEmpty, "the graph has no output")
    self.template = template
    self.store = store
    self.seed = seed
    programs = Program.Cache(template: template, store: store, engine: engine, loss: nil)
  }

  /// A predictor with the graph's initial parameters: those of the file, if it came from one.
  ///
  /// - Parameters:
  ///   - template: The source of the graphs.
  ///   - engine: The engine for programs.
  ///   - seed: The key of random numbers.
  /// - Throws: ``ModelError/parametersTooLarge(byteCount:memory:)``.
  public convenience init(
    _ template: some GraphTemplate, engine: Engine, seed: UInt64 = 0
  ) throws(ModelError) {
    try ModelError.checkMemory(of: template.sample)
    self.init(
      template, store: ParameterStore(template.sample, seed: seed), engine: engine, seed: seed)
  }

  /// Predicts.
  ///
  /// - Parameters:
  ///   - inputs: A tensor for each input, in the graph's order.
  ///   - batchSize: The rows of a batch, where rows may be computed in batches; nil for all at
  ///     once.
  /// - Returns: The first output, as the graph gives it.
  /// - Throws: ``ModelError/fixedBatch(size:got:reason:)`` if a graph for one batch size gets
  ///   another and it isn't proved that rows are computed independently,
  ///   ``ModelError/wholeTooLarge(byteCount:memory:reason:)`` if they can't be cut and take too
  ///   much memory; whatever the template or the compiler throws for inputs that the graph doesn't
  ///   take.
  public func predict(_ inputs: [Tensor], batchSize: Int? = nil) throws -> Tensor {
    try checkCount(of: inputs)
    let rowCount = Self.rowCount(inputs)
    if let size = template.fixedBatchSize, let rowCount, rowCount != size {
      let analysis = try fixedAnalysis(inputs, size)
      if let mixing = analysis.mixing {
        throw ModelError.fixedBatch(size: size, got: rowCount, reason: mixing)
      }
      return try predict(inputs, rowCount, size, axis: analysis.axis, fillsUp: true)
    }
    guard let rowCount, let batchSize else { return try run(inputs) }
    switch try plan(inputs, batchSize: batchSize) {
    case .batches(let axis):
      return try predict(inputs, rowCount, batchSize, axis: axis, fillsUp: false)
    case .whole(nil): return try run(inputs)
    case .whole(let mixing?):
      do {
        return try run(inputs)
      } catch ProgramError.tooLarge(let byteCount, let memory) {
        throw ModelError.wholeTooLarge(byteCount: byteCount, memory: memory, reason: mixing)
      }
    }
  }

  /// How ``predict(_:batchSize:)`` handles inputs.
  ///
  /// - Throws: Whatever the template throws for inputs that the graph doesn't take.
  public func plan(_ inputs: [Tensor], batchSize: Int) throws -> Plan {
    programmerError(unless: batchSize >= 2, "batches of \(batchSize)")
    try checkCount(of: inputs)
    guard let rowCount = Self.rowCount(inputs) else {
      return .whole(.unknown("has inputs with different numbers of rows"))
    }
    guard rowCount > batchSize else { return .whole(nil) }
    var whole: (rows: Rows, form: RowForm)?
    for count in [rowCount] + Set(Self.batches(of: rowCount, batchSize).map(\.count)).sorted() {
      let analysis: RowAnalysis
      do {
        analysis = try template.rowAnalysis(
          Self.types(of: inputs, rows: count), axes: Self.axes(inputs), count: count)
      } catch {
        // Only the whole counts; nothing is expected of parts of it.
        guard count < rowCount else { throw error }
        return .whole(.unknown("doesn't take \(count) rows: \(error)"))
      }
      let rows = analysis.outputs[0]
      if case .mixed(let mixing) = rows { return .whole(mixing) }
      guard case .along(let axis, inner: 1) = rows, analysis.shape(ofOutput: 0)[axis] == count,
        let form = analysis.form(ofOutput: 0)
      else { return .whole(.unknown("has an output without a batch axis")) }
      if let whole {
        guard whole == (rows, form) else {
          return .whole(.unknown("computes with the number of rows"))
        }
      } else {
        whole = (rows, form)
      }
    }
    guard case .along(let axis, _)? = whole?.rows else { return .whole(nil) }
    return .batches(outputAxis: axis)
  }

  private func checkCount(of inputs: [Tensor]) throws(ProgramError) {
    let expected = template.sample.inputs.count
    guard inputs.count == expected else {
      throw .inputCount(expected: expected, got: inputs.count)
    }
  }

  /// The number of rows along axis 0, if all inputs that have that axis agree.
  private static func rowCount(_ inputs: [Tensor]) -> Int? {
    let counts = Set(inputs.compactMap { $0.shape.first })
    return counts.count == 1 ? counts.first : nil
  }

  private static func axes(_ inputs: [Tensor]) -> [Int?] {
    inputs.map { $0.shape.rank == 0 ? nil : 0 }
  }

  private static func types(of inputs: [Tensor], rows: Int) -> [ValueType] {
    inputs.map { input in
      let shape =
        input.shape.rank == 0 ? input.shape : Shape([rows] + input.shape.dimensions.dropFirst())
      return ValueType(shape, input.elementType)
    }
  }

  /// The rows of each batch, and how many of its first ones are already in the previous batch: a
  /// batch of a single row, which doesn't look like a batch, takes one more row along.
  private static func batches(
    of rowCount: Int, _ batchSize: Int
  ) -> [(first: Int, count: Int, repeated: Int)] {
    stride(from: 0, to: rowCount, by: batchSize).map { start in
      let count = min(batchSize, rowCount - start)
      return count == 1 && start > 0 ? (start - 1, 2, 1) : (start, count, 0)
    }
  }

  /// Whether rows are computed independently in the only graph there is, and along which axis of
  /// the output.
  private func fixedAnalysis(
    _ inputs: [Tensor], _ size: Int
  ) throws -> (mixing: Graph.RowMixing?, axis: Int) {
    // A batch of one is one example, wherever it is in the output.
    guard size > 1 else { return (nil, 0) }
    let analysis = try template.rowAnalysis(
      Self.types(of: inputs, rows: size), axes: Self.axes(inputs), count: size)
    switch analysis.outputs[0] {
    case .mixed(let mixing): return (mixing, 0)
    case .along(let axis, inner: 1) where analysis.shape(ofOutput: 0)[axis] == size:
      return (nil, axis)
    default: return (.unknown("has an output without a batch axis"), 0)
    }
  }

  private func predict(
    _ inputs: [Tensor], _ rowCount: Int, _ batchSize: Int, axis: Int, fillsUp: Bool
  ) throws -> Tensor {
    let batches =
      fillsUp
      ? stride(from: 0, to: rowCount, by: batchSize).map { ($0, min(batchSize, rowCount - $0), 0) }
      : Self.batches(of: rowCount, batchSize)
    var parts: [Tensor] = []
    for (first, count, repeated) in batches {
      let batch = inputs.map { input -> Tensor in
        guard input.shape.rank > 0 else { return input }
        let rows = input.slice(first..<first + count, along: 0)
        return fillsUp ? rows.filledUp(to: batchSize) : rows
      }
      let part = try run(batch)
      guard part.shape.indices.contains(axis) else {
        throw ModelError.batchWiredIn(got: "an output \(part)")
      }
      parts.append(part.slice(repeated..<count, along: axis))
    }
    return Tensor(joining: parts, along: axis)
  }

  private func run(_ inputs: [Tensor]) throws -> Tensor {
    let program = try programs.program(
      Program.Request(
        inputTypes: inputs.map { ValueType($0.shape, $0.elementType) }, targetType: nil,
        mode: .inference, reads: [.predictions]))
    try program.setInputs(inputs)
    try program.run(.forward, random: RandomKey(seed: seed, step: 0))
    return program.read(.predictions)
  }
}
