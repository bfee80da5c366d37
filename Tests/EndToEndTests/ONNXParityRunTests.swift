import CrestONNX
import CrestTensor
import CrestTestSupport
import Foundation
import ProcessSupport
import Testing

/// The parity models beside the package, trained by the command as PyTorch trained them.
///
/// With a short last batch, and with frozen parameters; `Fixtures/onnx-training` says how PyTorch did.
@Suite struct `An ONNX file trained by the command` {
  struct Expected: Decodable {
    struct Case: Decodable {
      let short: Run
      let frozen: Run
    }
    struct Run: Decodable {
      let rows: Int?
      let patterns: [String]?
      let names: [String]?
      let losses: [Double]
      let tensors: [String: Samples]
    }
    struct Samples: Decodable {
      let every: Int
      let values: [Double]
    }
    let cases: [String: Case]
  }

  /// The settings of a case, in the folder that others share.
  struct Settings: Decodable {
    struct Schedule: Decodable { let maxLR: Double }
    struct Step: Decodable {
      let lr: Double
      let momentum: Double
    }
    let loss: String
    let batchSize: Int
    let schedule: Schedule
    let steps: [Step]
  }

  static let cases = ["mlp", "lenet", "resnet20", "tabular", "autoencoder", "lstm", "bert"]
  static let shared = SharedFolder.path("parity")

  private static func expected(_ name: String) throws -> Expected.Case {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/onnx-training/expected.json")
    let all = try JSONDecoder().decode(Expected.self, from: Data(contentsOf: file))
    return try #require(all.cases[name])
  }

  @Test(.enabled(if: shared != nil, "\(SharedFolder.reason("parity"))"), arguments: cases)
  func `ends with a smaller batch as PyTorch does`(name: String) throws {
    let expected = try Self.expected(name).short
    let run = try Run(name, rows: expected.rows)
    try run.expectLosses(expected.losses)
    try run.expect(expected.tensors)
  }

  @Test(.enabled(if: shared != nil, "\(SharedFolder.reason("parity"))"), arguments: cases)
  func `keeps every bit of what is frozen, and trains the rest as PyTorch does`(name: String) throws
  {
    let expected = try Self.expected(name).frozen
    let patterns = try #require(expected.patterns).flatMap { ["--freeze", $0] }
    let run = try Run(name, rows: nil, patterns)
    try run.expectLosses(expected.losses)
    try run.expect(expected.tensors)
    let names = try #require(expected.names)
    #expect(!names.isEmpty)
    for name in names {
      let (before, after) = (try #require(run.source[name]), try #require(run.trained[name]))
      let isSame = before.withUnsafeBytes { old in
        after.withUnsafeBytes { new in old.elementsEqual(new) }
      }
      #expect(isSame, "\(name)")
    }
  }

  /// A case as the command trained it.
  private struct Run {
    let source: [String: Tensor]
    let trained: [String: Tensor]
    private let settings: Settings
    private let log: [[Double]]

    init(_ name: String, rows: Int?, _ options: [String] = []) throws {
      let shared = "\(try #require(shared))/\(name)"
      settings = try JSONDecoder().decode(
        Settings.self, from: Data(contentsOf: URL(filePath: shared + "/expected.json")))
      let folder = try TemporaryFolder()
      for file in ["train-x.npy", "train-y.npy"] {
        let tensor = try Tensor(npy: [UInt8](Data(contentsOf: URL(filePath: "\(shared)/\(file)"))))
        try folder.write(tensor.firstRows(rows ?? tensor.shape[0]).npyBytes(), to: file)
      }
      let path = folder["trained.onnx"].path(percentEncoded: false)
      let result = try CrestProcess.run(
        [
          "train", "--model", shared + "/model.onnx", "--data", folder.path, "--loss",
          settings.loss, "--optimizer", "sgd", "--weight-decay", "1e-4", "--weight-decay-kind",
          "l2", "--weight-decay-on", "all", "--schedule", "one-cycle", "--style", "pytorch",
          "--max-lr", "\(settings.schedule.maxLR)", "--epochs", "1", "--batch-size",
          "\(settings.batchSize)", "--no-shuffle", "--log-steps",
          folder["steps.csv"].path(percentEncoded: false), "--export", path,
        ] + options)
      try #require(result.status == 0, "\(result.error)")
      log = try folder.lines(of: "steps.csv").dropFirst().map { line in
        line.split(separator: ",").compactMap { Double($0) }
      }
      source = try Self.tensors(shared + "/model.onnx")
      trained = try Self.tensors(path)
    }

    private static func tensors(_ path: String) throws -> [String: Tensor] {
      let file = try ModelProto(path: path)
      let reader = TensorReader(file)
      return Dictionary(
        uniqueKeysWithValues: try file.graph.initializers.map { ($0.name, try reader.tensor($0)) })
    }

    func expectLosses(_ losses: [Double]) throws {
      try #require(log.count == losses.count)
      for (step, (row, wanted)) in zip(log, losses).enumerated() {
        #expect(
          abs(row[3] - wanted) <= 2e-5 * abs(wanted), "step \(step): \(row[3]), not \(wanted)")
        #expect(abs(row[4] - settings.steps[step].lr) <= 1e-9)
        #expect(abs(row[5] - settings.steps[step].momentum) <= 1e-9)
      }
    }

    func expect(_ tensors: [String: Expected.Samples]) throws {
      for (name, samples) in tensors {
        let values = try #require(trained[name]).array(as: Float.self)
        let kept = stride(from: 0, to: values.count, by: samples.every).map { Double(values[$0]) }
        try #require(kept.count == samples.values.count)
        let worst = zip(kept, samples.values).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(worst <= 1e-4, "\(name) is off by \(worst)")
      }
    }
  }
}

extension Tensor {
  /// Some examples along the first dimension.
  fileprivate func firstRows(_ count: Int) -> Tensor {
    let size = shape.dropFirst().reduce(1, *) * elementType.byteCount
    return withUnsafeBytes { bytes in
      Tensor(
        bytes: UnsafeRawBufferPointer(rebasing: bytes[..<(count * size)]),
        shape: Shape([count] + shape.dropFirst()), elementType: elementType)
    }
  }
}
