import ArgumentParser
import CrestData
import CrestFiles
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Foundation
import ProcessSupport

/// How long saving a run takes, against writing and synchronising as many bytes; and whether the step after a
/// save is slower than others.
struct SavingCost: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "saving-cost", abstract: "The time of a save, against writing the same bytes.")

  @Option(help: "The width of three layers; at 1670 a checkpoint has 100 MB.")
  var width = 1670
  @Option(help: "How many times each is done, in turns.") var count = 15

  func run() throws {
    let folder = try TemporaryFolder()
    let files = SystemFiles()
    let model = try Model(input: [width]) {
      Dense(width)
      ReLU()
      Dense(width)
      ReLU()
      Dense(width)
    }
    let examples = TensorExamples(
      name: "zeros", inputs: [("input", Tensor(zeros: [16 * (4 * count + 4), width]))],
      targets: Tensor(zeros: [16 * (4 * count + 4), width]))
    let learner = try Learner(
      model, data: DataSplit(train: examples, valid: examples), optimizer: Adam(), batchSize: 16,
      shuffle: false)
    var (saves, writes): ([Double], [Double]) = ([], [])
    var (after, others): ([Double], [Double]) = ([], [])
    var begin = ContinuousClock.now
    var byteCount = 0
    let measure = CallbackOf(
      .beforeBatch { _ in begin = .now },
      .afterBatch { batch in
        guard batch.isTraining else { throw Cancel(.fit, reason: "only training is measured") }
        let time = (ContinuousClock.now - begin) / .seconds(1)
        // Each fourth step is followed by a save, and each fourth after that by a plain write.
        switch batch.step % 4 {
        case 1 where batch.step > 4: after.append(time)
        case 2, 0: if batch.step > 4 { others.append(time) }
        default: break
        }
        let path = folder.path + "/\(batch.step)"
        if batch.step % 4 == 0 {
          saves.append(try seconds { try batch.learner.save(to: path) })
        } else if batch.step % 4 == 2 {
          let saved = folder.path + "/\(batch.step - 2)"
          let bytes = try Data(contentsOf: URL(filePath: saved))
          byteCount = bytes.count
          writes.append(try seconds { try write(bytes, to: path, files) })
          // Not while time is taken: what is freed is quickly written to again.
          for path in [saved, path] { try files.remove(path) }
        }
      }, name: "Measure", order: .max)
    try learner.fit(epochs: 1, callbacks: [measure])
    let (save, plain) = (median(saves), median(writes))
    print(
      "saving-cost: \(byteCount) bytes, medians of \(saves.count): a save takes \(milliseconds(save)), "
        + "writing and fsync \(milliseconds(plain)), ratio \((save / plain * 100).rounded() / 100); the "
        + "step after a save \(milliseconds(median(after))), other steps \(milliseconds(median(others)))"
    )
    if save > 2 * plain { throw ExitCode(1) }
  }

  private func write(_ bytes: Data, to path: String, _ files: SystemFiles) throws {
    let descriptor = try files.create(path)
    try bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let rest = UnsafeRawBufferPointer(rebasing: buffer[done...].prefix(1 << 26))
        done += try files.write(descriptor, path, rest, at: done)
      }
    }
    try files.synchronize(descriptor, path)
    try files.close(descriptor, path)
  }

  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start) / .seconds(1)
  }

  private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  private func milliseconds(_ seconds: Double) -> String {
    "\((seconds * 10_000).rounded() / 10) ms"
  }
}
