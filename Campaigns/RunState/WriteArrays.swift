import ArgumentParser
import CrestCallbacks
import CrestData
import CrestFiles
import CrestLayers
import CrestOptimizers
import CrestState
import CrestTensor
import CrestTraining
import Foundation

/// Saves checkpoints of real runs with each of their tensors as a `.npy` file beside it, for Python to compare.
struct WriteArrays: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "write-arrays", abstract: "Checkpoints with their tensors as .npy files.")

  @Argument var folder: String

  func run() throws {
    try SystemFiles().makeFolder(folder)
    let data = try Digits.split()
    for optimizer in BuiltInOptimizer.all {
      let model = try BuiltInModel.make("small-cnn", input: [1, 8, 8], classes: 10)
      let learner = try Learner(
        model, data: data, optimizer: optimizer.make(), metrics: [Accuracy()])
      let save = CallbackOf(
        .afterBatch { batch in
          guard batch.index.isMultiple(of: 5) else { return }
          try write(
            batch.learner,
            "\(optimizer.name)-\(batch.epoch)-\(batch.pass.purpose.rawValue)-\(batch.index)")
        }, name: "Save", order: .max)
      try learner.fitOneCycle(
        epochs: 2, maxLR: 0.01,
        callbacks: [
          Recorder(), EMA(), GradientAccumulation(batches: 3),
          EarlyStopping(patience: 5, restoresBest: true), save,
        ])
    }
  }

  private func write(_ learner: Learner, _ name: String) throws {
    let path = folder + "/" + name
    try learner.save(to: path + ".safetensors")
    try SystemFiles().makeFolder(path)
    let state = try learner.runState()
    let contents = try Safetensors(parsing: CheckpointFile.bytes(of: state))
    var names: [String] = []
    for (number, entry) in contents.tensors.sorted(by: { $0.key < $1.key }).enumerated() {
      names.append(entry.key)
      try Data(entry.value.npyBytes()).write(to: URL(filePath: path + "/\(number).npy"))
    }
    try Data((names.joined(separator: "\n") + "\n").utf8).write(
      to: URL(filePath: path + "/arrays.txt"))
  }
}
