import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import Foundation
import Testing

@Suite struct `Running statistics that an exporter's trace has moved` {
  private static func model(_ name: String) throws -> Model {
    let path = ExportedNetwork.source.appending(path: name + ".onnx").path(percentEncoded: false)
    return try Model(onnx: path, engine: Engine(threadCount: 1))
  }

  @Test(
    arguments: [
      ("traced-new", [.tracedStatistics]), ("traced-other", [.possiblyTracedStatistics]),
      ("traced-trained", []),
    ] as [(String, [TrainingReadiness.Note])])
  func `are those of a new network, whatever their size, or a note has doubts`(
    name: String, notes: [TrainingReadiness.Note]
  ) throws {
    #expect(try Self.model(name).trainingReadiness?.notes == notes)
  }

  @Test(arguments: [("traced-new", true), ("traced-other", false), ("traced-trained", false)])
  func `begin afresh only where the network is new`(name: String, isAfresh: Bool) throws {
    let model = try Self.model(name)
    let before = model.store.statistics.map(model.store.value(of:))
    model.restartTracedStatistics()
    let after = model.store.statistics.map(model.store.value(of:))
    let fresh: [[Float]] = model.store.statistics.map { entry in
      [Float](repeating: entry.name.hasSuffix("mean") ? 0 : 1, count: 4)
    }
    #expect(
      after.map { $0.array(as: Float.self) }
        == (isAfresh ? fresh : before.map { $0.array(as: Float.self) }))
    #expect(before != after || !isAfresh)
  }
}
