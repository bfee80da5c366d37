import CrestONNX
import CrestTensor
import CrestTestSupport
import Foundation
import ONNXTestSupport
import ProcessSupport
import Testing

@Suite struct `Malformed models` {
  /// What the reader says to each, in the table's order; a reviewed list beside the fixtures.
  @Test func `are refused with their reasons, a committed list`() throws {
    #expect(MalformedModel.all.count >= 100)
    try Snapshot(
      "Tests/Fixtures/onnx/malformed.txt",
      heading: "What is said to the models of Tests/ONNXTestSupport/MalformedModel.swift"
    ).expect(MalformedModel.all.map { "\($0.name): \(Self.refusal(of: $0))" })
  }

  @Test func `have different names`() {
    #expect(Set(MalformedModel.all.map(\.name)).count == MalformedModel.all.count)
  }

  /// Each limit in turn, below what a good model has.
  @Test(arguments: WireLimits.Counted.allCases)
  func `a limit holds over the whole model`(counted: WireLimits.Counted) throws {
    let names: [WireLimits.Counted: String] = [
      .functions: "functions.onnx", .entries: "metadata.onnx",
    ]
    let path = Fixtures.wire + "/" + (names[counted] ?? "attributes.onnx")
    var limits = WireLimits.standard
    limits[counted] = 0
    let error = try #require(throws: ONNXError.self) {
      try ModelProto(path: path, limits: limits)
    }
    guard case .overLimit(let place, let limit) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(limit.hasPrefix("0 "))
    #expect(place.file == path)
  }

  @Test func `a file over the limit is not looked into`() throws {
    var limits = WireLimits.standard
    limits.modelByteCount = 10
    let path = Fixtures.wire + "/sparse.onnx"
    let error = try #require(throws: ONNXError.self) {
      try ModelProto(path: path, limits: limits)
    }
    #expect(
      error.description
        == "\(path): the model (byte 0): expected at most 10 bytes, got more; no model is that "
        + "large, the file is damaged or made to exhaust memory")
  }

  @Test func `a path must lead to a regular file`() throws {
    let folder = try TemporaryFolder()
    let missing = folder.path + "/missing.onnx"
    let errors = [missing, folder.path].map { path in
      Result { try ModelProto(path: path) }.description
    }
    #expect(
      errors == [
        "\(missing) can't be read: No such file or directory",
        "\(folder.path) is not a regular file; name the .onnx file itself",
      ])
  }

  /// Why a model, or one of its tensors, is refused.
  private static func refusal(of malformed: MalformedModel) -> String {
    Result {
      let model = try ModelProto(bytes: malformed.bytes, name: "case.onnx")
      for proto in model.graph.initializers { _ = try TensorReader(model).tensor(proto) }
    }
    .description
  }
}

extension Result where Failure == any Error {
  /// The error's words, or that there is none.
  fileprivate var description: String {
    switch self {
    case .success: "not refused"
    case .failure(let error): "\(error)"
    }
  }
}
