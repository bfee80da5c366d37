import CrestTestSupport
import Foundation
import Testing

/// Each situation of `shared/cases/command` is held by tests here, on small copies of its files.
@Suite struct `Situations that failed` {
  /// The tests of each, by their file.
  static let tests = [
    "best-checkpoint-not-averaged": "KeptNetworkRunTests",
    "binary-labels-one-logit": "TargetCaseTests",
    "checkpoint-minutes-trap": "OptionValueTests",
    "checkpoint-unusable-from-command": "PredictionCaseTests",
    "constants-trained-in-silence": "ParameterCaseTests",
    "einsum-weight-not-trained": "ParameterCaseTests",
    "epochs-overflow-trap": "OptionValueTests",
    "evaluate-ignores-preprocessing": "PreparationCaseTests",
    "export-replaces-device": "OutputTests",
    "fixed-batch-leftover": "PredictionCaseTests",
    "interrupt-says-saved": "SignalTests",
    "nothing-to-train": "PredictionCaseTests",
    "npy-kinds": "DataCaseTests",
    "one-dimensional-float-target": "DataCaseTests",
    "result-is-not-of-restored-weights": "KeptNetworkRunTests",
    "sequence-logits-last-axis": "TargetCaseTests",
    "small-messages": "WordTests",
    "split-of-many-small-classes": "DataCaseTests",
    "targets-outside-0-1": "TargetCaseTests",
    "train-replaces-preprocessing": "PreparationCaseTests",
    "two-signals-lose-the-run": "SignalTests",
    "uint8-input-model": "PredictionCaseTests",
  ]

  private static let shared = SharedFolder.path("cases/command")

  @Test(.enabled(if: shared != nil, "\(SharedFolder.reason("cases/command"))"))
  func `each has tests`() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: #require(Self.shared))
    #expect(Set(names) == Set(Self.tests.keys))
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    for name in Set(Self.tests.values) {
      #expect(FileManager.default.fileExists(atPath: folder.appending(path: "\(name).swift").path))
    }
  }
}
