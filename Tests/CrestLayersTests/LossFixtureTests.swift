import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import Foundation
import Testing

/// Losses and their gradients as `Tests/Fixtures/make_losses.py` has them, of PyTorch in float64.
@Suite("Losses beside PyTorch") struct LossFixtureTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let loss: String
    let settings: [String: String]
    let predictions: ReferenceArray
    let targets: ReferenceArray
    let value: Double
    let gradient: [Double]

    var testDescription: String { "\(loss), \(name)" }

    init?(_ entry: [String: Any]) {
      guard let name = entry["name"] as? String, let loss = entry["loss"] as? String,
        let settings = entry["settings"] as? [String: String],
        let shape = entry["shape"] as? [Int], let targetShape = entry["targetShape"] as? [Int],
        let predictions = entry["predictions"] as? [Double],
        let targets = entry["targets"] as? [Double], let isWhole = entry["isWhole"] as? Bool,
        let value = entry["value"] as? Double, let gradient = entry["gradient"] as? [Double]
      else { return nil }
      (self.name, self.loss, self.settings) = (name, loss, settings)
      (self.value, self.gradient) = (value, gradient)
      self.predictions = ReferenceArray(predictions, ValueType(Shape(shape)))
      self.targets =
        isWhole
        ? ReferenceArray(
          integers: targets.map { Int64($0) }, ValueType(Shape(targetShape), .int64))
        : ReferenceArray(targets, ValueType(Shape(targetShape)))
    }

    /// The graph of the loss and its gradient.
    func graph() throws -> Graph {
      let builder = GraphBuilder()
      let prediction = builder.input("prediction", predictions.type)
      let target = builder.input("target", targets.type)
      builder.stage = .loss
      let loss = try Loss.named(
        self.loss, settings: settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
      let total = try loss.terms(beforeActivation: false)(prediction, target).total().loss
      builder.output("loss", total)
      let gradients = try builder.gradients(of: total, withRespectTo: [prediction])
      builder.output("gradient", try #require(gradients[0]))
      return builder.result
    }

    /// Loss and gradient of some predictions by the reference.
    func reference(_ predictions: ReferenceArray) throws -> (loss: Double, gradient: [Double]) {
      let graph = try graph()
      let values = try Interpreter(graph).run(inputs: [predictions, targets], variables: [])
      let results = graph.outputs.map { values[$0.value.index].reals }
      return (results[0][0], results[1])
    }

    /// Loss and gradient of some predictions by the kernels.
    func program(_ predictions: ReferenceArray) throws -> (
      Program, loss: Double, gradient: [Double]
    ) {
      let graph = try graph()
      let program = try Program(
        graph,
        Program.Request(
          inputTypes: [predictions.type, targets.type], targetType: nil, mode: .inference),
        store: ParameterStore(graph, seed: 0), engine: Engine(threadCount: 2), loss: nil)
      try program.setInputs([predictions.tensor, targets.tensor])
      for stage in Graph.Stage.allCases {
        try program.run(stage, random: RandomKey(seed: 0, step: 0))
      }
      let results = program.outputs().map(\.doubles)
      return (program, results[0][0], results[1])
    }
  }

  static let cases: [Case] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/losses/losses.json")
    guard let data = try? Data(contentsOf: file),
      let document = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
      let entries = document["cases"] as? [[String: Any]]
    else { return [] }
    let cases = entries.compactMap(Case.init)
    return cases.count == entries.count ? cases : []
  }()

  /// The first case of each loss.
  static let samples = NamedLoss.all.compactMap { row in cases.first { $0.loss == row.name } }

  @Test func `every loss has a case`() {
    #expect(Self.samples.map(\.loss) == NamedLoss.all.map(\.name))
  }

  @Test(arguments: cases)
  func `value and gradient are PyTorch's to 1e-6 in double precision`(_ lossCase: Case) throws {
    let (loss, gradient) = try lossCase.reference(lossCase.predictions)
    #expect(abs(loss - lossCase.value) <= 1e-6 * abs(lossCase.value), "\(loss)")
    let floor = 1e-9 * (lossCase.gradient.map(abs).max() ?? 0)
    for (place, (got, wanted)) in zip(gradient, lossCase.gradient).enumerated() {
      #expect(
        abs(got - wanted) <= 1e-6 * abs(wanted) + floor, "\(place): \(got), not \(wanted)")
    }
  }

  @Test(arguments: cases)
  func `value and gradient are PyTorch's to 1e-5 on kernels, which run all of it`(
    _ lossCase: Case
  ) throws {
    let (program, loss, gradient) = try lossCase.program(lossCase.predictions)
    #expect(program.referenceNodes == [])
    #expect(abs(loss - lossCase.value) <= 1e-5 * abs(lossCase.value), "\(loss)")
    let bound = 1e-5 * (lossCase.gradient.map(abs).max() ?? 0)
    for (place, (got, wanted)) in zip(gradient, lossCase.gradient).enumerated() {
      #expect(abs(got - wanted) <= bound, "\(place): \(got), not \(wanted)")
    }
  }

  @Test(arguments: cases)
  func `gradients are central differences of the loss`(_ lossCase: Case) throws {
    // Away from the kinks of the fixtures, which PyTorch's gradients decide.
    guard !lossCase.hasKink else { return }
    let gradient = try lossCase.reference(lossCase.predictions).gradient
    let step = 1e-5
    for place in stride(from: 0, to: gradient.count, by: max(1, gradient.count / 7)) {
      let ends = try [step, -step].map { step in
        var moved = lossCase.predictions.reals
        moved[place] += step
        return try lossCase.reference(ReferenceArray(moved, lossCase.predictions.type)).loss
      }
      let slope = (ends[0] - ends[1]) / (2 * step)
      #expect(abs(slope - gradient[place]) <= 1e-6 * max(1, abs(slope)), "\(place): \(slope)")
    }
  }

  /// Logits by which softmax and sigmoid are 0 or 1 to the last digit, and distances whose squares fit.
  @Test(arguments: samples, [100, 1e4])
  func `extreme predictions have a finite loss and gradient`(_ sample: Case, size: Double) throws {
    // An exponential of them is infinite, which is what the loss is.
    guard !["poisson", "gaussian"].contains(sample.loss) else { return }
    for sign in [1.0, -1] {
      let numbers = sample.predictions.reals.indices.map { ($0 % 2 == 0 ? sign : -sign) * size }
      let extreme = ReferenceArray(numbers, sample.predictions.type)
      let reference = try sample.reference(extreme)
      let (_, loss, gradient) = try sample.program(extreme)
      #expect(reference.loss.isFinite && reference.gradient.allSatisfy(\.isFinite))
      #expect(loss.isFinite && gradient.allSatisfy(\.isFinite), "\(loss), \(gradient)")
      #expect(abs(loss - reference.loss) <= 1e-5 * max(1e-3, abs(reference.loss)))
    }
  }

  @Test(arguments: samples)
  func `a prediction that is not a number makes the loss none`(_ sample: Case) throws {
    var numbers = sample.predictions.reals
    numbers[0] = .nan
    let broken = ReferenceArray(numbers, sample.predictions.type)
    #expect(try sample.reference(broken).loss.isNaN)
    #expect(try sample.program(broken).loss.isNaN)
  }
}

extension LossFixtureTests.Case {
  /// Whether some of its numbers lie on a kink of the loss.
  fileprivate var hasKink: Bool {
    ["mae", "huber", "smooth-l1", "log-cosh"].contains(loss)
      && predictions.reals.contains { [0, 0.3, 0.5, 1].contains(abs(Double(Float($0)))) }
      || loss == "multi-class-hinge" || loss == "mae" || name == "one class an example"
  }
}
