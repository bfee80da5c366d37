import CrestPluginSDK
import CrestRuntime
import CrestTraining
import Testing

// The SDK is copied into plugins and imports nothing of Crest, so it declares again what callbacks have. Each switch here is
// exhaustive: a case that one side gains or loses does not compile until the other has it too.
@Suite struct `What the plugin SDK declares again` {
  private typealias Plugin = CrestPluginSDK.Hook
  private typealias Loop = CrestTraining.Hook

  private static func inLoop(_ hook: Plugin) -> Loop {
    switch hook {
    case .beforeFit: .beforeFit { _ in }
    case .beforeEpoch: .beforeEpoch { _ in }
    case .beforeTrain: .beforeTrain { _ in }
    case .beforeBatch: .beforeBatch { _ in }
    case .afterPrediction: .afterPrediction { _ in }
    case .afterLoss: .afterLoss { _ in }
    case .beforeBackward: .beforeBackward { _ in }
    case .afterBackward: .afterBackward { _ in }
    case .beforeStep: .beforeStep { _ in }
    case .afterStep: .afterStep { _ in }
    case .afterBatch: .afterBatch { _ in }
    case .afterTrain: .afterTrain { _ in }
    case .beforeValidate: .beforeValidate { _ in }
    case .afterValidate: .afterValidate { _ in }
    case .afterEpoch: .afterEpoch { _ in }
    case .afterFit: .afterFit { _ in }
    }
  }

  private static func inPlugin(_ hook: Loop) -> Plugin? {
    switch hook {
    case .beforeFit: .beforeFit { _ in }
    case .beforeEpoch: .beforeEpoch { _ in }
    case .beforeTrain: .beforeTrain { _ in }
    case .beforeBatch: .beforeBatch { _ in }
    case .afterPrediction: .afterPrediction { _ in }
    case .afterLoss: .afterLoss { _ in }
    case .beforeBackward: .beforeBackward { _ in }
    case .afterBackward: .afterBackward { _ in }
    case .beforeStep: .beforeStep { _ in }
    case .afterStep: .afterStep { _ in }
    case .afterBatch: .afterBatch { _ in }
    case .afterTrain: .afterTrain { _ in }
    case .beforeValidate: .beforeValidate { _ in }
    case .afterValidate: .afterValidate { _ in }
    case .afterEpoch: .afterEpoch { _ in }
    case .afterFit: .afterFit { _ in }
    // A plugin's state is saved with the run; it saves nothing itself.
    case .beforeInterruption: nil
    }
  }

  /// The name of the case.
  private func name(_ hook: Any) -> String { String("\(hook)".prefix { $0 != "(" }) }

  @Test func `hooks have the names of the loop's`() {
    let hooks: [Loop] = [
      .beforeFit { _ in },
      .beforeEpoch { _ in },
      .beforeTrain { _ in },
      .beforeBatch { _ in },
      .afterPrediction { _ in },
      .afterLoss { _ in },
      .beforeBackward { _ in },
      .afterBackward { _ in },
      .beforeStep { _ in },
      .afterStep { _ in },
      .afterBatch { _ in },
      .afterTrain { _ in },
      .beforeValidate { _ in },
      .afterValidate { _ in },
      .afterEpoch { _ in },
      .afterFit { _ in },
    ]
    for hook in hooks {
      let counterpart = Self.inPlugin(hook)
      #expect(counterpart.map(name) == name(hook))
      #expect(counterpart.map { name(Self.inLoop($0)) } == name(hook))
    }
    #expect(Self.inPlugin(.beforeInterruption { _ in }) == nil)
  }

  @Test func `phases have the loop's names and numbers`() {
    let plugin = CrestPluginSDK.Phase.allCases.map { ("\($0)", $0.rawValue) }
    let loop = CrestTraining.Phase.allCases.map { ("\($0)", $0.rawValue) }
    #expect(plugin.map(\.0) == loop.map(\.0))
    #expect(plugin.map(\.1) == loop.map(\.1))
  }

  @Test func `hyperparameters have the loop's names, in its order`() {
    #expect(
      CrestPluginSDK.Hyperparameter.allCases.map { "\($0)" }
        == CrestTraining.Hyperparameter.allCases.map { "\($0)" })
  }

  @Test func `what is looked at has the names of callbacks' reads`() {
    func inPlugin(_ read: CrestRuntime.Capture) -> CrestPluginSDK.Capture {
      switch read {
      case .predictions: .predictions
      case .losses: .losses
      case .activation(let path): .activation(path)
      }
    }
    func inLoop(_ read: CrestPluginSDK.Capture) -> CrestRuntime.Capture? {
      switch read {
      case .predictions: .predictions
      case .losses: .losses
      case .activation(let path): .activation(path)
      // Callbacks have them from the store.
      case .parameters, .statistics, .gradients: nil
      }
    }
    let reads: [CrestRuntime.Capture] = [.predictions, .losses, .activation("a")]
    for read in reads { #expect(inLoop(inPlugin(read)) == read) }
    #expect(reads.map { "\($0)" } == reads.map { "\(inPlugin($0))" })
  }
}
