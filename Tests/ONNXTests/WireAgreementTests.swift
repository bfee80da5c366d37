import CrestONNX
import CrestTensor
import Foundation
import Testing

@Suite struct `Models as Python's onnx reads them` {
  /// The file `expected.json`.
  struct Expected: Decodable {
    let models: [String: ModelSummary]
  }

  @Test(arguments: Fixtures.names)
  func `a committed model`(name: String) throws {
    let data = try Data(contentsOf: URL(filePath: Fixtures.wire + "/expected.json"))
    let expected = try JSONDecoder().decode(Expected.self, from: data)
    let summary = try ModelSummary(try Fixtures.model(name))
    #expect(summary == expected.models[name])
  }

  @Test func `every committed model has a summary`() throws {
    let data = try Data(contentsOf: URL(filePath: Fixtures.wire + "/expected.json"))
    let expected = try JSONDecoder().decode(Expected.self, from: data)
    #expect(expected.models.keys.sorted() == Fixtures.names)
  }

  @Test(.enabled(if: OtherModels.parity != nil, Comment(rawValue: OtherModels.parityReason)))
  func `the parity models`() throws {
    try compare(folder: try #require(OtherModels.parity), prefix: "parity/", atLeast: 7)
  }

  @Test(.enabled(if: OtherModels.backend != nil, Comment(rawValue: OtherModels.backendReason)))
  func `onnx's own test models`() throws {
    try compare(folder: try #require(OtherModels.backend), prefix: "data/", atLeast: 140)
  }

  private func compare(folder: String, prefix: String, atLeast count: Int) throws {
    let expected = try Self.digests()
    let names = Fixtures.onnxFiles(in: folder).filter { expected[prefix + $0] != nil }
    #expect(names.count >= count)
    for name in names {
      let model = try ModelProto(path: folder + "/" + name)
      let digest = try ModelSummary(model).digest
      #expect(digest == expected[prefix + name], "\(name)")
      #expect(try ModelSplice(model).content.bytes() == fileBytes(folder + "/" + name), "\(name)")
    }
  }

  /// `models.json`, its numbers as text.
  private static func digests() throws -> [String: [String: String]] {
    let data = try Data(contentsOf: URL(filePath: Fixtures.onnx + "/models.json"))
    let file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let models = try #require(file["models"] as? [String: [String: Any]])
    return models.mapValues { $0.mapValues { "\($0)" } }
  }
}
