public import CrestGraph
public import CrestRuntime
public import CrestTensor

/// Predicts with a graph's first output for inputs as they are given, whatever their axes mean.
///
/// A graph may compute the rows of its inputs one by one, or it may look at several of them: at the steps
/// of a sequence, say. Inputs are cut into batches, to bound the memory, only where it is proved from the
/// graph that this makes no difference (`GraphTemplate.rowAnalysis(_:axes:count:)`); otherwise they are
/// given to the graph as a whole.
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
  private let programs: ProgramCache

  /// What a prediction is made of.
  public enum Plan: Sendable, Equatable {
    /// The graph runs once, for the inputs as they are: why they may not be cut, or nil when there is no
    /// need to.
    case whole(RowMixing?)
    /// The rows along axis 0 of the inputs are cut into batches, and what these give is joined along an
    /// axis of the output.
    case batches(outputAxis: Int)
  }

  /// A predictor with the parameters in a store.
  ///
  /// - Parameters:
  ///   - template: What gives the graphs.
  ///   - store: The parameters of its variables.
  ///   - engine: What programs run on.
  ///   - seed: The key of random numbers.
  public init(
    _ template: some GraphTemplate, store: ParameterStore, engine: Engine, seed: UInt64 = 0
  ) {
    self.template = template
    self.store = store
    self.seed = seed
    programs = ProgramCache(template: template, store: store, engine: engine, loss: nil)
  }

  /// A predictor with the parameters that the graph begins with: those of the file, if it is one's.
  ///
  /// - Parameters:
  ///   - template: What gives the graphs.
  ///   - engine: What programs run on.
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
  ///   - batchSize: The rows of a batch, where rows may be computed in batches; all at once when nil.
  /// - Returns: The first output, as the graph gives it.
  /// - Throws: ``ModelError/fixedBatch(size:got:reason:)`` when a graph for one batch size is asked for
  ///   another and it isn't proved that rows are computed one by one,
  ///   ``ModelError/wholeTooLarge(byteCount:memory:reason:)`` when they can't be cut and take too much memory; what the template or the compiler
  ///   throws for inputs that the graph doesn't take.
  public func predict(_ inputs: [Tensor], batchSize: Int? = nil) throws -> Tensor {
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

  /// How ``predict(_:batchSize:)`` goes about inputs.
  ///
  /// - Throws: What the template throws for inputs that the graph doesn't take.
  public func plan(_ inputs: [Tensor], batchSize: Int) throws -> Plan {
    programmerError(unless: batchSize >= 2, "batches of \(batchSize)")
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
        // The whole is what counts; of parts of it nothing is expected.
        guard count < rowCount else { throw error }
        return .whole(.unknown("doesn't take \(count) rows: \(error)"))
      }
      let rows = analysis.outputs[0]
      if case .mixed(let mixing) = rows { return .whole(mixing) }
      guard case .along(let axis, inner: 1) = rows, analysis.shape(ofOutput: 0)[axis] == count,
        let form = analysis.form(ofOutput: 0)
      else { return .whole(.unknown("has an output without an axis of the rows")) }
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

  /// The number of rows along axis 0, where all inputs that have one agree.
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

  /// The rows of each batch, and how many of its first ones are in the batch before: a batch of a single
  /// row, which looks like a size of 1 that is no batch, takes one more along.
  private static func batches(
    of rowCount: Int, _ batchSize: Int
  ) -> [(first: Int, count: Int, repeated: Int)] {
    stride(from: 0, to: rowCount, by: batchSize).map { start in
      let count = min(batchSize, rowCount - start)
      return count == 1 && start > 0 ? (start - 1, 2, 1) : (start, count, 0)
    }
  }

  /// Whether rows are computed one by one in the only graph there is, and along which axis of the output.
  private func fixedAnalysis(
    _ inputs: [Tensor], _ size: Int
  ) throws -> (mixing: RowMixing?, axis: Int) {
    // A batch of one is one example, wherever it lies in the output.
    guard size > 1 else { return (nil, 0) }
    let analysis = try template.rowAnalysis(
      Self.types(of: inputs, rows: size), axes: Self.axes(inputs), count: size)
    switch analysis.outputs[0] {
    case .mixed(let mixing): return (mixing, 0)
    case .along(let axis, inner: 1) where analysis.shape(ofOutput: 0)[axis] == size:
      return (nil, axis)
    default: return (.unknown("has an output without an axis of the rows"), 0)
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
      ProgramRequest(
        inputTypes: inputs.map { ValueType($0.shape, $0.elementType) }, targetType: nil,
        mode: .inference, reads: [.predictions]))
    try program.setInputs(inputs)
    try program.run(.forward, random: RandomKey(seed: seed, step: 0))
    return program.read(.predictions)
  }
}
