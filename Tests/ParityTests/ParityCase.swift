import CrestLayers
import CrestTensor
import Foundation

/// Ten steps of PyTorch on one network: what `Tests/Fixtures/parity/make_parity.py` wrote, and the
/// start that it and we compute from the same formulas, which its docstring states.
struct ParityCase {
  let expected: Expected
  private let weights: [Float]

  /// `expected.json`.
  struct Expected: Decodable {
    let seed: UInt64
    let input: [Int]
    let classes: Int
    let batchSize: Int
    let maxLR: Double
    let weightDecay: Double
    let inputsStream: UInt32
    let labelsStream: UInt32
    let evaluationStream: UInt32
    let inputsSum: Double
    let labelsSum: Double
    let evaluationSum: Double
    let steps: [Step]
    let evaluation: [[Double]]
    let tensors: [Variable]
  }

  /// A step's loss and the settings used in it.
  struct Step: Decodable {
    let loss: Double
    let lossFloat64: Double
    let learningRate: Double
    let momentum: Double
  }

  /// A parameter or statistic after the last step: `count` elements from the first, `every`-th each.
  struct Variable: Decodable {
    let name: String
    let role: String
    let shape: [Int]
    let offset: Int
    let count: Int
    let every: Int
    let initialSum: Double
  }

  init(_ name: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/parity/\(name)")
    expected = try JSONDecoder().decode(
      Expected.self, from: Data(contentsOf: folder.appending(path: "expected.json")))
    let file = try [UInt8](Data(contentsOf: folder.appending(path: "expected-weights.npy")))
    weights = try Tensor(npy: file).array(as: Float.self)
  }

  /// The elements of a variable that were kept.
  func weights(of variable: Variable) -> ArraySlice<Float> {
    weights[variable.offset..<variable.offset + variable.count]
  }

  /// The value a variable starts from; its stream is its place in the table.
  func initialValue(ofVariable number: Int) -> Tensor {
    let variable = expected.tensors[number]
    let shape = Shape(variable.shape)
    let fanIn = Double(variable.shape.dropFirst().reduce(1, *))
    return values(stream: UInt32(number), shape) { uniform in
      switch variable.role {
      case "weight": (uniform - 0.5) * (24 / fanIn).squareRoot()
      case "bias": (uniform - 0.5) * 0.1
      case "scale": 1 + (uniform - 0.5) * 0.1
      case "runningMean": 0
      case "runningVariance": 1
      case let role: preconditionFailure("\(variable.name) has the role \(role)")
      }
    }
  }

  /// All training examples, [steps · batch size, …].
  var inputs: Tensor {
    values(
      stream: expected.inputsStream,
      Shape([expected.steps.count * expected.batchSize] + expected.input)
    ) { $0 - 0.5 }
  }

  /// The labels of all training examples.
  var labels: [Int64] {
    let random = Philox(seed: expected.seed, stream: expected.labelsStream)
    return (0..<expected.steps.count * expected.batchSize).map {
      Int64(Double(random.uniform(UInt64($0))) * Double(expected.classes))
    }
  }

  /// The batch that is predicted after the last step.
  var evaluationInputs: Tensor {
    values(
      stream: expected.evaluationStream, Shape([expected.batchSize] + expected.input)
    ) { $0 - 0.5 }
  }

  private func values(
    stream: UInt32, _ shape: Shape, _ value: (Double) -> Double
  ) -> Tensor {
    let random = Philox(seed: expected.seed, stream: stream)
    return Tensor(
      (0..<shape.elementCount).map { Float(value(Double(random.uniform(UInt64($0))))) },
      shape: shape)
  }
}
