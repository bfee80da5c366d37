public import CrestGraph
import CrestTensor

extension Program {
  /// The programs of one template, store and loss, compiled when first asked for.
  ///
  /// Holds the `capacity` used last; a data set with smaller last batches needs few.
  public final class Cache {
    private let template: any GraphTemplate
    private let store: ParameterStore
    private let engine: Engine
    private let loss: LossTermsTrace?
    private let capacity: Int
    private var programs: [(request: Request, program: Program)] = []

    /// An empty cache.
    ///
    /// - Precondition: `capacity` is positive.
    public convenience init(
      template: any GraphTemplate, store: ParameterStore, engine: Engine, loss: LossTrace?,
      capacity: Int = 8
    ) {
      self.init(
        template: template, store: store, engine: engine,
        terms: loss.map(LossTerms.trace), capacity: capacity)
    }

    /// An empty cache of programs whose losses may have weights.
    package init(
      template: any GraphTemplate, store: ParameterStore, engine: Engine,
      terms loss: LossTermsTrace?,
      capacity: Int = 8
    ) {
      programmerError(unless: capacity > 0, "a cache of \(capacity) programs")
      self.template = template
      self.store = store
      self.engine = engine
      self.loss = loss
      self.capacity = capacity
    }

    /// The program for `request`.
    ///
    /// - Throws: `GraphError` or ``ProgramError`` when it can't be compiled.
    public func program(_ request: Request) throws -> Program {
      if let place = programs.firstIndex(where: { $0.request == request }) {
        // The last used lies at the end; the common case, used again, moves nothing.
        if place != programs.count - 1 { programs.append(programs.remove(at: place)) }
        return programs[programs.count - 1].program
      }
      let program = try Program(
        template, request, store: store, engine: engine, terms: loss)
      if programs.count == capacity { programs.removeFirst() }
      programs.append((request, program))
      return program
    }
  }
}
