import CrestLayers
import CrestTensor
import Testing

/// A model, a batch of three examples for each of its inputs, and what ONNX Runtime makes of them.
struct ModelCase: Decodable, Sendable, CustomTestStringConvertible {
  struct Batch: Decodable, Sendable {
    let name: String
    let shape: [Int]
    let isInteger: Bool
    let values: [Double]

    var tensor: Tensor {
      isInteger
        ? Tensor(values.map(Int64.init), shape: Shape(shape))
        : Tensor(values.map(Float.init), shape: Shape(shape))
    }
  }

  private(set) var name = ""
  private(set) var path = ""
  let inputs: [Batch]
  let shape: [Int]
  let values: [Double]

  private enum CodingKeys: CodingKey { case inputs, shape, values }

  var testDescription: String { name }

  func named(_ name: String, in folder: String) -> ModelCase {
    var named = self
    named.name = name
    named.path = "\(folder)/\(name).onnx"
    return named
  }

  /// The batch for each input, in the model's order.
  func batches(for model: Model) throws -> [Tensor] {
    let given = Dictionary(uniqueKeysWithValues: inputs.map { ($0.name, $0.tensor) })
    return try model.inputs.map { try #require(given[$0.name]) }
  }

  /// Expects the outputs of the first examples, within 1e-5 of the largest of all.
  func expectClose(_ got: Tensor) {
    let scale = values.reduce(1) { max($0, abs($1)) }
    #expect(got.elementCount * shape[0] == values.count * got.shape[0])
    for (got, wanted) in zip(got.doubles, values) {
      #expect(abs(got - wanted) <= 1e-5 * scale, "\(got), not \(wanted)")
    }
  }
}

extension Tensor {
  /// The first example of a batch.
  var firstRow: Tensor {
    let count = elementCount / shape[0]
    let shape = Shape([1] + self.shape.dropFirst())
    return integers.map { Tensor(Array($0.prefix(count)), shape: shape) }
      ?? Tensor(Array(array(as: Float.self).prefix(count)), shape: shape)
  }
}
