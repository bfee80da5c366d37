import CrestCallbacks
import CrestState
import CrestTraining
import Foundation
import ProcessSupport
import Testing
import TrainingTestSupport

@Suite struct TensorBoardLoggerTests {
  /// The bytes are of `Tests/Fixtures/make_tensor_board_events.py`.
  @Test func `writes the bytes that tensorboard's own writer writes`() {
    func hexadecimal(_ content: TensorBoardEvent.Content) -> String {
      TensorBoardEvent(time: 1.5, content: content).record
        .map { String(format: "%02x", $0) }.joined()
    }
    #expect(hexadecimal(.version) == Self.version)
    #expect(hexadecimal(.scalar(name: "loss", value: 0.25, step: 300)) == Self.loss)
    #expect(hexadecimal(.scalar(name: "é", value: .nan, step: 1)) == Self.named)
  }
  private static let version =
    "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c"
  private static let loss =
    "1b000000000000001a0d9e1309000000000000f83f10ac022a0d0a0b0a046c6f7373150000803e9908deed"
  private static let named =
    "1800000000000000a37f4b2209000000000000f83f10012a0b0a090a02c3a9150000c07f2ff18063"

  /// The numbers of a file, read by this reader of records without their checksums.
  private static func scalars(_ path: String) throws -> [(name: String, value: Float, step: Int)] {
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))[...]
    var found: [(name: String, value: Float, step: Int)] = []
    func varint(_ bytes: inout ArraySlice<UInt8>) -> Int {
      var (value, shift) = (0, 0)
      while let byte = bytes.popFirst() {
        value |= Int(byte & 0x7f) << shift
        shift += 7
        if byte < 0x80 { break }
      }
      return value
    }
    while !bytes.isEmpty {
      let count = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      var message = bytes.dropFirst(12).prefix(count)
      bytes = bytes.dropFirst(16 + count)
      // wall_time
      message = message.dropFirst(9)
      guard message.popFirst() == 0x10 else { continue }
      let step = varint(&message)
      #expect(message.popFirst() == 0x2a)
      _ = varint(&message)
      #expect(message.popFirst() == 0x0a)
      _ = varint(&message)
      #expect(message.popFirst() == 0x0a)
      let length = varint(&message)
      let name = String(decoding: message.prefix(length), as: UTF8.self)
      let bits = message.dropFirst(length + 1).reversed().reduce(UInt32(0)) {
        $0 << 8 | UInt32($1)
      }
      found.append((name, Float(bitPattern: bits), step))
    }
    return found
  }

  private static func learner() throws -> Learner {
    try Learner(
      TinyModel.full(), data: TinyData.split(train: 12), metrics: [Accuracy()], trainMetrics: true,
      batchSize: 5)
  }

  @Test func `has losses, metrics and rates over the steps`() throws {
    try TemporaryFolder.lent { folder in
      let (recorder, logger) = (
        Recorder(), try TensorBoardLogger(folder: folder + "/run", every: 2)
      )
      let learner = try Self.learner()
      try learner.fitOneCycle(
        epochs: 2, maxLR: 0.05, callbacks: [recorder, logger, try GradientClip(maximum: 1)])
      let found = try Self.scalars(logger.path)
      func values(_ name: String) -> [Float] { found.filter { $0.name == name }.map(\.value) }
      func steps(_ name: String) -> [Int] { found.filter { $0.name == name }.map(\.step) }
      #expect(steps("loss") == [2, 4, 6])
      #expect(values("loss") == [1, 3, 5].map { recorder.steps[$0].loss })
      #expect(
        values("learning_rate") == [1, 3, 5].map { Float(recorder.steps[$0].learningRate) })
      #expect(steps("train_accuracy") == [3, 6])
      #expect(steps("valid_loss") == [3, 6])
      #expect(
        values("accuracy") == recorder.epochs.map { Float($0.validation?["accuracy"] ?? .nan) })
      #expect(
        values("train_accuracy") == recorder.epochs.map { Float($0.train?["accuracy"] ?? .nan) })
      #expect(
        Set(found.map(\.name)) == [
          "loss", "learning_rate", "momentum", "train_loss", "valid_loss", "accuracy",
          "train_accuracy",
        ])
    }
  }

  @Test func `of a run that is resumed has each step once`() throws {
    try TemporaryFolder.lent { folder in
      /// A fit to the end, or until a batch after which the run is lost.
      func fit(_ name: String, from state: RunState? = nil, until last: Int? = nil) throws
        -> (bytes: Data, saved: RunState?)
      {
        let logger = try TensorBoardLogger(folder: folder + "/" + name, every: 1)
        logger.time = { 0 }
        let learner = try Self.learner()
        var saved: RunState?
        let watch = CallbackOf(
          .beforeFit { fit in
            if let state {
              fit.resume(from: try Learner.Resumption(path: "state", state: state))
            }
          },
          .afterBatch { batch in
            guard batch.isTraining, let last else { return }
            if batch.step == last - 2 { saved = try batch.learner.runState() }
            if batch.step == last { throw Cancel(.fit, reason: "lost") }
          }, name: "Watch", order: .max)
        try learner.fit(epochs: 2, learningRate: 0.1, callbacks: [logger, watch])
        return (try Data(contentsOf: URL(filePath: logger.path)), saved)
      }
      let whole = try fit("whole").bytes
      let lost = try fit("resumed", until: 4)
      #expect(lost.bytes != whole)
      #expect(try fit("resumed", from: lost.saved).bytes == whole)
    }
  }

  @Test func `wants a folder that can be made, and steps`() throws {
    let zero = #expect(throws: CallbackError.self) {
      _ = try TensorBoardLogger(folder: "runs", every: 0)
    }
    #expect(zero?.description == "TensorBoardLogger: every is 0, expected at least 1")
    try TemporaryFolder.lent { folder in
      try Data().write(to: URL(filePath: folder + "/file"))
      let logger = try TensorBoardLogger(folder: folder + "/file/run")
      let error = #expect(throws: CallbackError.self) {
        try Self.learner().fit(epochs: 1, callbacks: [logger])
      }
      #expect(
        error?.description.hasPrefix(
          "\(folder)/file/run can't be written: Not a directory (mkdir)") == true,
        "\(String(describing: error))")
    }
  }
}
