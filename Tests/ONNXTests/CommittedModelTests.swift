import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// The files in `models`.
enum CommittedModel {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "models")
    .path(percentEncoded: false)

  static let names = Fixtures.onnxFiles(in: folder)
}

@Suite struct `A file in models` {
  @Test func `is one of those that its README lists, with their sizes`() throws {
    let readme = try String(contentsOfFile: CommittedModel.folder + "/README.md", encoding: .utf8)
    let rows = readme.split(separator: "\n").filter { $0.hasPrefix("| `") }
    let table = rows.map { row in
      row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(table.map { $0[0] }.sorted() == CommittedModel.names.map { "`\($0)`" })
    for row in table {
      let path = CommittedModel.folder + "/" + row[0].filter { $0 != "`" }
      let model = try Model(onnx: path)
      let input = try #require(model.inputs.first)
      let sizes = input.shape.map { ", \($0)" }.joined()
      #expect(row[2] == Self.grouped(model.store.parameterCount), "\(path): parameters")
      #expect(row[3] == "\(input.elementType) [N\(sizes)]", "\(path): input")
      #expect(row[4] == "17" && model.outputShape.rank == 1)
      #expect(row[5] == Self.grouped(try fileBytes(path).count), "\(path): bytes")
    }
  }

  /// As in 431,080.
  private static func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    return digits.indices.reduce(into: "") { text, place in
      if place > 0, (digits.count - place) % 3 == 0 { text.append(",") }
      text.append(digits[place])
    }
  }

  @Test(arguments: CommittedModel.names)
  func `trains, and goes back`(name: String) throws {
    let model = try Model(
      onnx: CommittedModel.folder + "/" + name, engine: Engine(threadCount: 2))
    let notes = model.trainingReadiness?.notes ?? []
    #expect(notes.isEmpty, "\(notes)")
    let input = model.inputs[0]
    let random = Philox(seed: 11, stream: 0)
    let count = 4 * input.shape.elementCount
    let shape = Shape([4] + input.shape.dimensions)
    let batch =
      input.elementType == .int64
      ? Tensor((0..<count).map { Int64(random.uniform(UInt64($0)) * 27) }, shape: shape)
      : Tensor((0..<count).map { random.uniform(UInt64($0)) }, shape: shape)
    let step = try TrainingStep(
      model, [batch], target: Tensor([0, 1, 1, 0] as [Int64]), loss: .crossEntropy())
    let before = try step.take(rate: 0.002)
    #expect(before.isFinite)
    #expect(try step.loss() < before)

    let folder = try TemporaryFolder()
    let path = folder.path + "/trained.onnx"
    try model.exportONNX(to: path)
    #expect(try Model(onnx: path).predict(batch) == model.predict(batch))
  }
}
