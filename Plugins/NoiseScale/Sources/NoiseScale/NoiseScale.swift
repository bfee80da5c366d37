import CrestPluginSDK
import GradientNoise

/// Reports the gradient noise scale of each epoch: about the largest batch size that is still of use.
final class NoiseScale: CrestPlugin {
  static let identifier = "NoiseScale"
  static let version = "1.0.0"

  struct Configuration: Decodable {
    let window: Int
    let decay: Double
  }

  var state: NoiseEstimate
  private let configuration: Configuration

  init(_ configuration: Configuration, host: Host) {
    self.configuration = configuration
    state = NoiseEstimate(window: configuration.window, decay: configuration.decay)
  }

  var hooks: [Hook] {
    [.beforeFit(begin), .afterBackward(look), .afterTrain(report), .afterFit(sum)]
  }
  var reads: Set<Capture> { [.gradients] }
  var reports: [String] { ["useful_batch_size"] }

  private func begin(_ fit: FitContext) {
    state = NoiseEstimate(window: configuration.window, decay: configuration.decay)
  }

  private func look(_ batch: BatchContext) throws {
    guard batch.outcome.isFinished else { return }
    state.add(try batch.host.tensors(.gradients).map(\.floats), count: batch.count)
  }

  private func report(_ pass: PassContext) throws {
    if let scale = state.scale { try pass.host.report(scale, as: "useful_batch_size") }
  }

  private func sum(_ fit: FitContext) {
    guard let scale = state.scale else {
      return fit.host.log(
        "no estimate of the useful batch size: too few batches, or the parameters move too far between them"
      )
    }
    fit.host.log("batches are of use up to a size of about \(Int(scale.rounded()))")
  }
}

/// What the trainer calls first: the table of the plugin's functions.
@c(crest_plugin_v1)
public func crestPlugin(_ major: UInt32, _ minor: UInt32) -> UnsafeRawPointer? {
  export(NoiseScale.self)
}
