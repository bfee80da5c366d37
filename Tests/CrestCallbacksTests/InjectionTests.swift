import CrestCallbacks
import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

@Suite("Numbers that stop being finite") struct InjectionTests {
  /// Where a number is put.
  enum Place: String, CaseIterable {
    case parameters, gradients, moments, statistics, inputs, targets
  }

  /// A number that is put somewhere in a step.
  struct Injection: CustomStringConvertible {
    let place: Place
    let step: Int
    let element: Int
    let value: Float
    let optimizer: any Optimizer

    var description: String { "\(value) in \(place) \(element), step \(step), \(optimizer.name)" }
  }

  private static let steps = 15

  private static func injections(_ count: Int, seed: UInt64) -> [Injection] {
    let numbers = Philox(seed: seed, stream: Philox.Stream.split)
    let optimizers: [any Optimizer] = [SGD(), Adam(), AdamW(), Lion()]
    return (0..<count).map { index in
      func draw(_ number: Int, below limit: Int) -> Int {
        min(Int(numbers.uniform(UInt64(index * 8 + number)) * Float(limit)), limit - 1)
      }
      return Injection(
        place: Place.allCases[index % Place.allCases.count], step: draw(0, below: steps - 1),
        element: draw(1, below: 1 << 20), value: [.infinity, -.infinity, .nan][draw(2, below: 3)],
        optimizer: optimizers[draw(3, below: optimizers.count)])
    }
  }

  /// The step in which a run ends by an injection; nil when it doesn't.
  private static func end(_ injection: Injection, checking: Bool = true) throws -> Int? {
    let model = try Model(input: [4], engine: Engine(threadCount: 1)) {
      Dense(8)
      BatchNorm()
      ReLU()
      Dense(8)
      ReLU()
      Dense(3)
    }
    let data = DataSplit(
      train: TinyData.values(22), valid: TinyData.values(9, seed: 8, name: "tiny (validation)"))
    let learner = try Learner(
      model, data: data, optimizer: injection.optimizer, batchSize: 5, prefetch: 0)
    let store = model.store
    func put(into buffer: ParameterStore.Buffer, _ entries: [ParameterStore.Entry]) {
      let entry = entries[injection.element % entries.count]
      store.withBuffer(buffer) {
        $0[entry.range.lowerBound + injection.element / 64 % entry.range.count] = injection.value
      }
    }
    func replaced(_ tensor: Tensor) -> Tensor {
      var values = tensor.array(as: Float.self)
      values[injection.element % values.count] = injection.value
      return Tensor(values, shape: tensor.shape)
    }
    let inject = CallbackOf(
      .beforeBatch { batch in
        guard batch.isTraining, batch.step == injection.step else { return }
        switch injection.place {
        case .parameters: put(into: .parameters, store.parameters)
        case .moments: put(into: .moments(injection.element % store.momentCount), store.parameters)
        case .statistics: put(into: .statistics, store.statistics)
        case .inputs: batch.inputs = [replaced(batch.inputs[0])]
        case .targets: batch.targets = replaced(batch.targets)
        case .gradients: break
        }
      },
      .afterBackward { batch in
        guard injection.place == .gradients, batch.step == injection.step else { return }
        put(into: .gradients, store.parameters)
      })
    do {
      try learner.fit(epochs: 3, callbacks: [inject] + (checking ? [TerminateOnNaN()] : []))
      return nil
    } catch let error as NonFiniteLoss {
      return error.step
    } catch LearnerError.unusualNumbers, LearnerError.targetOutOfRange {
      return injection.step
    }
  }

  @Test(arguments: injections(210, seed: 11))
  func `are noticed within one step`(_ injection: Injection) throws {
    let step = try Self.end(injection)
    #expect(
      step != nil && (injection.step...injection.step + 1).contains(step ?? -1),
      "\(injection): \(String(describing: step))")
  }

  @Test func `go unnoticed without the check`() throws {
    let unnoticed = try Self.injections(70, seed: 12).filter {
      try Self.end($0, checking: false) == nil
    }
    #expect(unnoticed.count > 40)
  }
}
