import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import Foundation
import Testing

/// What fastai's `TabularModel` gives, by `Fixtures/make_tables.py`.
private struct TabularFixture: Decodable {
  struct Network: Decodable {
    struct Weight: Decodable {
      let shape: [Int]
      let values: [Float]
    }

    let weights: [String: Weight]
    let categories: [Int64]
    let numbers: [Float]
    let outputs: [Float]
  }

  let network: Network
  let embeddings: [String: Int]

  static let all: TabularFixture = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/tables.json")
    do {
      return try JSONDecoder().decode(TabularFixture.self, from: Data(contentsOf: file))
    } catch {
      fatalError("\(error)")
    }
  }()
}

@Suite struct `The network for tables` {
  @Test func `has embeddings of fastai's sizes`() {
    for (count, size) in TabularFixture.all.embeddings {
      #expect(Tabular.embeddingSize(for: Int(count) ?? 0) == size, "\(count)")
    }
  }

  /// The names of fastai's arrays by ours.
  private static let names: [String: String] = {
    var names: [String: String] = [
      "number_norm.weight": "bn_cont.weight", "number_norm.bias": "bn_cont.bias",
      "number_norm.running_mean": "bn_cont.running_mean",
      "number_norm.running_var": "bn_cont.running_var", "dense3.weight": "layers.2.0.weight",
      "dense3.bias": "layers.2.0.bias",
    ]
    for place in 0..<3 { names["embedding\(place + 1).weight"] = "embeds.\(place).weight" }
    for layer in 0..<2 {
      names["dense\(layer + 1).weight"] = "layers.\(layer).0.weight"
      for part in ["weight", "bias", "running_mean", "running_var"] {
        names["norm\(layer + 1).\(part)"] = "layers.\(layer).2.\(part)"
      }
    }
    return names
  }()

  @Test func `computes what fastai's TabularModel does`() throws {
    let fixture = TabularFixture.all.network
    let model = try Tabular(
      categoryCounts: [4, 10, 2], numberCount: 2, outputs: 3, hidden: [9, 8]
    ).model()
    let entries = model.store.parameters + model.store.statistics
    #expect(entries.count == fixture.weights.count)
    for entry in entries {
      let name = try #require(Self.names[entry.name], "\(entry.name)")
      let weight = try #require(fixture.weights[name])
      #expect(entry.shape == Shape(weight.shape), "\(entry.name)")
      model.store.write(Tensor(weight.values, shape: entry.shape), to: entry)
    }
    let outputs = try model.predict([
      Tensor(fixture.categories, shape: [4, 3]), Tensor(fixture.numbers, shape: [4, 2]),
    ])
    #expect(outputs.shape == [4, 3])
    for (got, expected) in zip(outputs.array(as: Float.self), fixture.outputs) {
      #expect(abs(got - expected) < 2e-5, "\(got) \(expected)")
    }
  }

  @Test func `may lack categories or numbers, and predicts values in their unit`() throws {
    let table = Preprocessing.Table(
      categories: [],
      numbers: [Preprocessing.Table.Number(column: "x", median: 0, mean: 0, deviation: 1)],
      targetColumn: "y", target: .values(mean: 1000, deviation: 5))
    let model = try Tabular(for: table, hidden: [4], dropout: 0.5).model()
    #expect(model.inputs.map(\.name) == ["numbers"] && model.outputShape == [1])
    for parameter in model.store.parameters where parameter.name.hasPrefix("dense2") {
      model.store.write(
        Tensor([Float](repeating: 0, count: parameter.shape.elementCount), shape: parameter.shape),
        to: parameter)
    }
    #expect(
      try model.predict(Tensor([1, 2] as [Float], shape: [2, 1])).array(as: Float.self) == [
        1000, 1000,
      ])
    let loss = try #require(Tabular.loss(for: table))
    #expect(loss.name == "mse" && loss.settings == ["scale": "5.0"])
    let codes = try Tabular(categoryCounts: [3], numberCount: 0, outputs: 2).model()
    #expect(codes.inputs == [Model.Input(name: "categories", shape: [1], elementType: .int64)])
    #expect(try codes.predict(Tensor([0, 2, 1] as [Int64], shape: [3, 1])).shape == [3, 2])
  }
}
