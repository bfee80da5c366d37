import CrestGraph
import CrestOptimizers
import CrestRuntime
import CrestTensor
import Testing

/// What holds for every optimiser with a name, those too that look at a parameter or the network as a whole.
@Suite struct `Steps of every optimiser` {
  /// Parameters of several shapes, some of them larger than a thread's chunk of work, with gradients.
  private static func makeStore(_ optimizer: any Optimizer) throws -> ParameterStore {
    let builder = GraphBuilder()
    let shapes: [(Shape, Graph.ParameterRole)] = [
      ([130, 257], .weight), ([7, 5, 3, 3], .weight), ([33_000], .normalizationScale), ([9], .bias),
      ([2, 3], .weight), ([1], .bias),
    ]
    for (number, (shape, role)) in shapes.enumerated() {
      _ = try builder.parameter("p\(number)", shape, role: role) { key in
        Tensor(
          (0..<shape.elementCount).map { Float(($0 * 37 + number) % 64) / 32 - 1 }, shape: shape)
      }
    }
    let store = ParameterStore(builder.result, seed: 0)
    store.resetMoments(count: optimizer.momentCount, numbers: optimizer.numberCount)
    return store
  }

  private static func fillGradients(_ store: ParameterStore, step: Int) {
    store.withBuffer(.gradients) { gradients in
      for entry in store.parameters {
        for index in entry.range { gradients[index] = Float((index * 29 + step) % 128) / 64 - 1 }
      }
    }
  }

  private static let names = BuiltInOptimizer.all.map(\.name)

  @Test(arguments: names)
  func `are the same bits for any number of threads`(name: String) throws {
    var first: ParameterStore.Snapshot?
    for threads in [1, 2, 3] {
      let optimizer = try BuiltInOptimizer.named(name).make()
      let store = try Self.makeStore(optimizer)
      let engine = try Engine(threadCount: threads)
      let group = ParameterGroup(store, hyperparameters: optimizer.defaults)
      for step in 1...3 {
        Self.fillGradients(store, step: step)
        optimizer.step(store, [group], stepNumber: step, engine: engine)
      }
      let snapshot = store.snapshot()
      #expect(first == nil || first == snapshot, "\(threads) threads")
      first = snapshot
    }
  }

  @Test(arguments: names)
  func `tell of a number that is not finite, and of none else`(name: String) throws {
    let optimizer = try BuiltInOptimizer.named(name).make()
    let engine = try Engine(threadCount: 2)
    let count = try Self.makeStore(optimizer).parameters.count
    for bad in [nil] + (0..<count).map(Optional.some) {
      let store = try Self.makeStore(optimizer)
      let group = ParameterGroup(store, hyperparameters: optimizer.defaults)
      Self.fillGradients(store, step: 0)
      store.beginStep()
      optimizer.step(store, [group], stepNumber: 1, engine: engine)
      if let bad {
        store.withBuffer(.gradients) { $0[store.parameters[bad].range.upperBound - 1] = .nan }
      }
      store.beginStep()
      optimizer.step(store, [group], stepNumber: 2, engine: engine)
      let found = store.nonFiniteUpdates(of: group.ranges.reduce(0) { $0 + $1.count })
      if let bad {
        let name = store.parameters[bad].name
        #expect(found.contains { $0.source == .parameter(name) || $0.source == .moment(name) })
      } else {
        #expect(found.isEmpty)
      }
    }
  }

  @Test func `of Prodigy leave a group at rate 0 as it is, moments included`() throws {
    let optimizer = Prodigy()
    let store = try Self.makeStore(optimizer)
    let engine = try Engine(threadCount: 1)
    var resting = ParameterGroup(store, hyperparameters: optimizer.defaults) { $0.name == "p0" }
    resting.hyperparameters = Hyperparameters(learningRate: 0, momentum: 0.9)
    let moving = ParameterGroup(store, hyperparameters: optimizer.defaults) { $0.name != "p0" }
    let before = store.value(of: store.parameters[0])
    for step in 1...3 {
      Self.fillGradients(store, step: step)
      optimizer.step(store, [resting, moving], stepNumber: step, engine: engine)
    }
    #expect(store.value(of: store.parameters[0]) == before)
    for moment in 0..<optimizer.momentCount {
      store.withBuffer(.moments(moment)) { values in
        #expect(store.parameters[0].range.allSatisfy { values[$0] == 0 })
        #expect(store.parameters[1].range.contains { values[$0] != 0 })
      }
    }
  }
}
