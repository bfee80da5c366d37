import CrestState
import CrestTraining
import Testing

@Suite struct `Names in saved states` {
  @Test func `of passes are those of training, in their order`() {
    let purposes: [PassContext.Purpose] = [.training, .validation]
    #expect(RunState.passNames == purposes.map(\.rawValue))
  }
}
