import CrestRuntime
import Testing

@Suite struct EngineTests {
  @Test func `says what is wrong with threads and instruction sets`() {
    #expect(
      "\(EngineError.threadsUnavailable(0))"
        == "threads: expected a number the system can start, from 1 up, got 0; use fewer")
    let sets = Engine.InstructionSet.available.map(\.rawValue).joined(separator: ", ")
    #expect(
      "\(EngineError.instructionSetUnavailable("mmx"))"
        == "instruction set: expected one of \(sets), got \"mmx\"; unset CREST_ISA to use the "
        + "widest")
    #expect(throws: EngineError.threadsUnavailable(0)) { try Engine(threadCount: 0) }
  }

  @Test func `has the baseline everywhere`() {
    #expect(Engine.InstructionSet.available.contains(.baseline))
  }
}
