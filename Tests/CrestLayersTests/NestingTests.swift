import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import Testing

/// A layer that is traced in itself.
private struct Matryoshka: Layer {
  let depth: Int
  let name: String?

  func trace(_ x: Symbol) throws -> Symbol {
    depth == 0 ? try x.relu() : try Matryoshka(depth: depth - 1, name: name)(x)
  }
}

@Suite struct `Layers in each other` {
  private static func names(_ model: Model) -> [String] { model.store.parameters.map(\.name) }

  @Test func `may be chains without names, however deep`() throws {
    var chain = Sequential([Dense(2)])
    for _ in 0..<30_000 { chain = Sequential([chain]) }
    #expect(chain.layers.count == 1)
    #expect(try Self.names(Model(chain, input: [3])) == ["dense.weight", "dense.bias"])
  }

  @Test func `have the names and order that they have one after the other`() throws {
    let engine = try Engine(threadCount: 1)
    let nested = try Model(
      Sequential([
        Sequential([Dense(4), Sequential([ReLU(), Dense(3)])]), Sequential([]),
        Sequential([Dense(2)], name: "head"),
      ]), input: [3], seed: 5, engine: engine)
    let flat = try Model(
      Sequential([Dense(4), ReLU(), Dense(3), Sequential([Dense(2)], name: "head")]), input: [3],
      seed: 5, engine: engine)
    #expect(Self.names(nested) == Self.names(flat))
    let batch = Tensor([0.1, 0.2, 0.3] as [Float], shape: [1, 3])
    #expect(try nested.predict(batch) == flat.predict(batch))
  }

  @Test func `may be 256 deep where they open scopes`() throws {
    var chain = Sequential([Dense(2)])
    for number in 0..<255 { chain = Sequential([chain], name: "l\(number)") }
    #expect(try Model(chain, input: [3]).store.parameters.count == 2)
  }

  @Test(arguments: ["doll", nil] as [String?])
  func `that trace themselves without end are refused`(_ name: String?) throws {
    _ = try Model(Matryoshka(depth: 255, name: name), input: [3])
    for depth in [256, 1_000_000] {
      let error = #expect(throws: GraphError.self) {
        try Model(Matryoshka(depth: depth, name: name), input: [3])
      }
      let path = name.map { Array(repeating: $0, count: 256).joined(separator: ".") } ?? ""
      #expect(error?.path == path)
      #expect(error?.expected == "layers at most 256 deep in each other")
      #expect(error?.got == "one more")
      #expect(error?.advice == "put them one after the other in one Sequential")
    }
  }
}
