import CrestData
import CrestGraph
import CrestLayers
package import CrestOptimizers
import CrestRuntime
import CrestTensor
package import CrestTraining

/// A number that is put somewhere in a step of a small fit.
package struct Injection: CustomStringConvertible {
  /// Where a number is put.
  package enum Place: String, CaseIterable, Sendable {
    case parameters, gradients, moments, statistics, inputs, targets, loss
    case learningRate = "learning rate"
    case momentum
    case weightDecay = "weight decay"

    var hyperparameter: Hyperparameter? { Hyperparameter(rawValue: rawValue) }
  }

  /// How a fit with it went.
  package struct End: Sendable {
    /// The step in which something was first not finite; nil when nothing ever was.
    package var brokenStep: Int?
    /// The step in which the fit ended with an error that names the number; nil when it ran to its end.
    package var noticedStep: Int?
    /// The error.
    package var error = ""

    /// A fit that began to break in a step; nil when it didn't.
    package init(brokenStep: Int? = nil) { self.brokenStep = brokenStep }

    /// Whether the fit ended within a step of something's being no longer finite, or had no reason to.
    package var isRight: Bool {
      guard let noticedStep else { return brokenStep == nil }
      return brokenStep.map { ($0...$0 + 1).contains(noticedStep) } ?? false
    }
  }

  package let place: Place
  package let step: Int
  package let element: Int
  package let value: Double
  package let optimizer: any Optimizer

  package var description: String {
    "\(value) in \(place.rawValue) \(element), step \(step), \(optimizer.name)"
  }

  /// Infinities, NaN, and what is finite and soon overflows.
  package static let values: [Double] = [.infinity, -.infinity, .nan, 3e38]
  private static let optimizers: [any Optimizer] = [SGD(), Adam(), AdamW(), Lion()]
  private static let steps = 15

  /// Injections in which all places, values and optimisers meet by turns; step and element follow from the seed.
  package static func all(_ numbers: Range<Int>, seed: UInt64) -> [Injection] {
    let random = Philox(seed: seed, stream: Philox.Stream.split)
    return numbers.map { number in
      let (value, optimizer) = (
        number / Place.allCases.count, number / (Place.allCases.count * values.count)
      )
      return Injection(
        place: Place.allCases[number % Place.allCases.count],
        step: random.integer(below: steps - 1, UInt64(number) * 2),
        element: random.integer(below: 1 << 20, UInt64(number) * 2 + 1),
        value: values[value % values.count], optimizer: optimizers[optimizer % optimizers.count])
    }
  }

  /// Whether the library ends the program with a message for it, since only a mistake in code can bring it about.
  package var endsProgram: Bool {
    place.hyperparameter != nil && !(value.isFinite && value >= 0)
  }

  /// Trains with it and `callbacks`.
  package func run(_ callbacks: [any Callback]) throws -> End {
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
      model, data: data, loss: place == .loss ? Self.fragileLoss : nil, optimizer: optimizer,
      batchSize: 5, prefetch: 0)
    let watch = Watch(model.store)
    var end = End()
    do {
      try learner.fit(epochs: 3, callbacks: [watch, injector(model.store)] + callbacks)
    } catch let error as NonFiniteLoss where error.origin != nil {
      end.noticedStep = error.step
      end.error = error.description
    } catch let error as LearnerError {
      end.noticedStep = step
      end.error = error.description
      // It never got as far as the model.
      watch.brokenStep = watch.brokenStep ?? step
    }
    end.brokenStep = watch.brokenStep
    return end
  }

  /// The distance, and what is near nothing for targets of a usual size, and infinite or not a number for some.
  private static let fragileLoss = Loss("fragile", targets: .any) { prediction, target in
    let large = try target.exp() * 1e-12
    let small = try (target * -1).exp() * 1e-12
    let root = try (target + 150).squareRoot() * 1e-12
    return try (prediction - target).absolute() + large - small + root
  }

  /// The target for which the loss is the value.
  private var fragileTarget: Float {
    switch value {
    case .infinity: 200
    case -.infinity: -120
    case let value where value.isNaN: -400
    default: Float(value)
    }
  }

  private func injector(_ store: ParameterStore) -> any Callback {
    func put(into buffer: ParameterStore.Buffer, _ entries: [ParameterStore.Entry]) {
      let entry = entries[element % entries.count]
      store.withBuffer(buffer) {
        $0[entry.range.lowerBound + element / 64 % entry.range.count] = Float(value)
      }
    }
    func replaced(_ tensor: Tensor, by value: Float) -> Tensor {
      var values = tensor.array(as: Float.self)
      values[element % values.count] = value
      return Tensor(values, shape: tensor.shape)
    }
    let part = place.hyperparameter.map { Hyperparameter.Part.base($0) }
    return CallbackOf(
      .beforeBatch { batch in
        guard batch.isTraining, batch.step == step else { return }
        switch place {
        case .parameters: put(into: .parameters, store.parameters)
        case .moments: put(into: .moments(element % store.momentCount), store.parameters)
        case .statistics: put(into: .statistics, store.statistics)
        case .inputs: batch.inputs = [replaced(batch.inputs[0], by: Float(value))]
        case .targets: batch.targets = replaced(batch.targets, by: Float(value))
        case .loss: batch.targets = replaced(batch.targets, by: fragileTarget)
        case .learningRate, .momentum, .weightDecay: if let part { batch.learner[part] = value }
        case .gradients: break
        }
      },
      .afterBackward { batch in
        guard place == .gradients, batch.step == step else { return }
        put(into: .gradients, store.parameters)
      }, name: "Injector", order: .min, owns: part.map { [$0] } ?? [])
  }
}

/// Notes the first step in which a number isn't finite, of all that training changes and of the loss.
private final class Watch: Callback {
  let order = Int.min
  var brokenStep: Int?
  private let store: ParameterStore

  init(_ store: ParameterStore) { self.store = store }

  var hooks: [Hook] {
    [
      .afterLoss { batch in
        self.note(batch, batch.loss.isFinite && self.isFinite(.parameters, self.store.parameters))
        self.note(batch, self.isFinite(.statistics, self.store.statistics))
      },
      .afterBackward { batch in self.note(batch, self.isFinite(.gradients, self.store.parameters))
      },
      .afterStep { batch in
        self.note(batch, self.isFinite(.parameters, self.store.parameters))
        for moment in 0..<self.store.momentCount {
          self.note(batch, self.isFinite(.moments(moment), self.store.parameters))
        }
      },
    ]
  }

  private func note(_ batch: BatchContext, _ isFinite: Bool) {
    if !isFinite, brokenStep == nil { brokenStep = batch.step }
  }

  private func isFinite(
    _ buffer: ParameterStore.Buffer, _ entries: [ParameterStore.Entry]
  ) -> Bool {
    store.withBuffer(buffer) { numbers in
      entries.allSatisfy { entry in numbers[entry.range].allSatisfy(\.isFinite) }
    }
  }
}
