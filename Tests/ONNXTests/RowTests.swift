import CrestGraph
import CrestLayers
import CrestONNX
import CrestPlatform
import CrestRuntime
import CrestTensor
import Foundation
import Testing

/// A network of `Tests/Fixtures/onnx-rows`, with what ONNX Runtime gives and what is proved of its rows.
struct RowNetwork: Decodable, CustomTestStringConvertible, Sendable {
  struct Input: Decodable {
    let name: String
    let shape: [Int]
    let type: ElementType
  }

  let name: String
  let inputs: [Input]
  /// The shapes of the outputs that are stored: one of all rows, or one for each count.
  let shapes: [[Int]]
  /// The axis of the output along which batches are joined; nil when inputs are given as a whole.
  let axis: Int?
  /// Why inputs aren't cut.
  let reason: String?
  var testDescription: String { name }

  static let counts = [1, 63, 64, 65, 200]
  static let folder = Fixtures.onnx + "-rows/"
  static let all: [RowNetwork] = {
    do {
      return try JSONDecoder().decode(
        [RowNetwork].self, from: Data(contentsOf: URL(filePath: folder + "rows.json")))
    } catch {
      preconditionFailure("Tests/Fixtures/onnx-rows/rows.json can't be read: \(error)")
    }
  }()

  var path: String { Self.folder + name + ".onnx" }

  /// The inputs of some rows: the first of those of 200, which the script makes likewise.
  func feed(_ count: Int) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (place, input) in inputs.enumerated() {
      let sizes = input.shape.map { $0 == -1 ? Self.counts[4] : $0 }
      let shape = Shape(sizes)
      let steps = (0..<shape.elementCount).map { ($0 * 7919 + place * 104729) % 2003 }
      let whole =
        input.type == .int64
        ? Tensor(steps.map { Int64($0 % 5) }, shape: shape)
        : Tensor(steps.map { Float(Double($0 - 1001) / 1000) }, shape: shape)
      let axis = input.shape.firstIndex(of: -1)
      result[input.name] = axis.map { whole.slice(0..<count, along: $0) } ?? whole
    }
    return result
  }

  /// What ONNX Runtime gives for each count.
  func outputs() throws -> [Tensor] {
    let bytes = try fileBytes(Self.folder + name + ".npy")
    let stored = try Tensor(npy: bytes).array(as: Float.self)
    var place = 0
    let outputs = shapes.map { sizes in
      let shape = Shape(sizes)
      defer { place += shape.elementCount }
      return Tensor(Array(stored[place..<place + shape.elementCount]), shape: shape)
    }
    precondition(place == stored.count, "\(stored.count) numbers for \(shapes)")
    guard let axis else { return outputs }
    return Self.counts.map { outputs[0].slice(0..<$0, along: axis) }
  }

  func predictor(_ count: Int) throws -> (Predictor, [Tensor]) {
    let template = try ONNXSpecialization(ONNXFile(path: path), inputs: feed(count))
    return (try Predictor(template, engine: Engine(threadCount: 1)), template.inputs)
  }
}

@Suite struct `Rows of inputs` {
  @Test(arguments: RowNetwork.all)
  func `are predicted as by ONNX Runtime, however many there are`(_ network: RowNetwork) throws {
    for (count, expected) in zip(RowNetwork.counts, try network.outputs()) {
      let (predictor, inputs) = try network.predictor(count)
      let got = try predictor.predict(inputs, batchSize: 64)
      #expect(got.shape == expected.shape, "\(count) rows")
      let differences = zip(got.doubles, expected.doubles).map { abs($0 - $1) / (1 + abs($1)) }
      #expect((differences.max() ?? 0) < 1e-5, "\(count) rows")
    }
  }

  @Test(arguments: RowNetwork.all)
  func `are cut into batches only where that is proved right`(_ network: RowNetwork) throws {
    let (predictor, inputs) = try network.predictor(200)
    switch try predictor.plan(inputs, batchSize: 64) {
    case .batches(let axis): #expect(axis == network.axis)
    case .whole(let mixing): #expect(mixing?.description == network.reason)
    }
    let (few, fewInputs) = try network.predictor(64)
    let whole = try few.plan(fewInputs, batchSize: 64)
    #expect(
      whole == .whole(nil) || network.inputs.contains { $0.shape.first != -1 },
      "there is no need to cut 64 rows")
  }

  @Test func `of a file for one batch size are filled up`() throws {
    let file = try ONNXFile(
      path: Fixtures.onnx + "/../cases/fixed-batch-leftover/three.onnx")
    let engine = try Engine(threadCount: 1)
    func predict(_ rows: Tensor) throws -> Tensor {
      let template = try ONNXSpecialization(file, inputs: [file.inputNames[0]: rows])
      return try Predictor(template, engine: engine).predict(template.inputs)
    }
    let five = try Tensor(npy: fileBytes(Fixtures.onnx + "/../cases/fixed-batch-leftover/five.npy"))
    let got = try predict(five)
    #expect(got.shape[0] == 5)
    // The same three examples in another batch, and at other places.
    #expect(got.slice(2..<5, along: 0) == (try predict(five.slice(2..<5, along: 0))))
    #expect(got.slice(3..<5, along: 0) == (try predict(five.slice(3..<5, along: 0))))
    #expect(got.slice(0..<1, along: 0) == (try predict(five.slice(0..<1, along: 0))))
  }
}

@Suite struct `Rows that can't be cut` {
  @Test(
    .enabled(
      if: AvailableMemory.byteCount() < 1 << 36, "the machine has memory for what is too much"))
  func `say so when there are too many`() throws {
    // A matrix of every row with every other one takes 64 GiB.
    let network = try #require(RowNetwork.all.first { $0.name == "attention-unbatched" })
    let rows = Tensor(zeros: [(1 << 17) - 1, 4])
    let template = try ONNXSpecialization(ONNXFile(path: network.path), inputs: ["x": rows])
    let predictor = try Predictor(template, engine: Engine(threadCount: 1))
    #expect {
      try predictor.predict(template.inputs, batchSize: 64)
    } throws: { error in
      guard case ModelError.wholeTooLarge(let byteCount, let memory, let reason) = error else {
        return false
      }
      return byteCount > memory && reason.description == network.reason
        && "\(error)".hasSuffix("that this process may take; give fewer rows")
    }
  }
}

@Suite struct `A batch along another axis` {
  private static let engine: Engine = {
    do { return try Engine(threadCount: 1) } catch { preconditionFailure("\(error)") }
  }()

  @Test(arguments: ["lstm-time-first", "gru-time-first", "rnn-time-first"])
  func `is moved to the front`(_ name: String) throws {
    let network = try #require(RowNetwork.all.first { $0.name == name })
    let file = try Model(onnx: network.path, engine: Self.engine)
    #expect(try file.rowMixing()?.description == network.reason)
    #expect(try file.rowMixing()?.kind == .combined)
    // [T, N, C] in the file, [N, T, C] for the model.
    let model = try Model(
      onnx: network.path, inputShapes: ["x": [63, 3]], batchAxes: ["x": 1], engine: Self.engine)
    #expect(try model.rowMixing() == nil)
    #expect(model.inputs[0].shape == [63, 3] && model.outputShape == [63, 2])
    let x = try #require(network.feed(63)["x"])
    let expected = try network.outputs()[1].movingAxis1ToFront
    let got = try model.predict(x.movingAxis1ToFront)
    #expect(got.isNear(expected))
    // Any number of sequences of as many steps.
    let three = try model.predict(x.movingAxis1ToFront.slice(1..<4, along: 0))
    #expect(three.isNear(expected.slice(1..<4, along: 0)))
  }

  @Test func `of the output alone is moved to the front too`() throws {
    let network = try #require(RowNetwork.all.first { $0.name == "columns" })
    let model = try Model(onnx: network.path, engine: Self.engine)
    #expect(model.outputShape == [4, 2])
    let got = try model.predict(try #require(network.feed(64)["x"]))
    #expect(got.isNear(try network.outputs()[2].movingAxis1ToFront))
  }

  @Test(arguments: [
    (
      ["x": 3],
      "input \"x\": expected a batch axis from 0 to 2, as it has 3 axes, got 3; correct the axis"
    ),
    (
      ["y": 1],
      "input \"y\": expected one of the inputs x, got a batch axis for another; correct the name"
    ),
  ]) func `must be there`(_ axes: [String: Int], _ message: String) throws {
    let network = try #require(RowNetwork.all.first { $0.name == "lstm-time-first" })
    #expect {
      try Model(
        onnx: network.path, inputShapes: ["x": [7, 3]], batchAxes: axes, engine: Self.engine)
    } throws: {
      "\($0)" == "\(network.name).onnx: \(message)" || "\($0)" == "\(network.path): \(message)"
    }
  }
}

extension Tensor {
  /// The tensor with axis 1 before axis 0.
  fileprivate var movingAxis1ToFront: Tensor {
    let rest = Array(shape.dimensions[2...])
    let parts = (0..<shape[1]).map { place in
      slice(place..<place + 1, along: 1).reshaped(to: Shape([1, shape[0]] + rest))
    }
    return Tensor(joining: parts, along: 0)
  }

  fileprivate func isNear(_ other: Tensor) -> Bool {
    shape == other.shape
      && zip(doubles, other.doubles).allSatisfy { abs($0 - $1) < 1e-5 * (1 + abs($1)) }
  }
}
