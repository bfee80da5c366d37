import CrestGraph
import CrestPlatform
import CrestTensor

/// The memory of a program, for as long as it lives.
struct ProgramMemory {
  /// Where its buffers lie.
  let memory: Memory
  private let arena: AlignedMemory
  private let scratch: AlignedMemory
  private let constants: [OwnedBytes]

  /// The size of the arena.
  var arenaByteCount: Int { arena.byteCount }

  /// The memory of what was lowered, buffers of the arena as planned.
  ///
  /// - Throws: ``ProgramError/tooLarge(byteCount:memory:)`` when it is more than there is, before any is taken:
  ///   a system may promise it and end the process when it is used.
  init(
    _ lowering: Lowering, _ plan: MemoryPlan, _ store: ParameterStore
  ) throws(ProgramError) {
    let scratchByteCount = lowering.steps.map(\.scratchBytes).max() ?? 0
    let (sum, overflow) = plan.byteCount.addingReportingOverflow(scratchByteCount)
    try ProgramError.checkMemory(overflow ? .max : sum)
    let arena = AlignedMemory(byteCount: plan.byteCount)
    let scratch = AlignedMemory(byteCount: scratchByteCount)
    var constants: [OwnedBytes] = []
    let addresses = zip(lowering.buffers, plan.offsets).map { buffer, offset in
      switch buffer.placement {
      case .arena, .pinned:
        // A buffer that no step touches has no place, and no step asks for its address.
        return arena.base + (offset ?? 0)
      case .store(let part, let element):
        return UnsafeMutableRawPointer(store.address(part) + element)
      case .constant(let value):
        guard let tensor = lowering.graph.constant(value) else {
          programmerError("\(value) is placed as a constant but is none")
        }
        constants.append(OwnedBytes(tensor))
        return constants[constants.count - 1].base
      }
    }
    (self.arena, self.scratch, self.constants) = (arena, scratch, constants)
    memory = Memory(addresses: addresses, scratch: scratch.base, state: RunState())
  }
}

extension ProgramError {
  /// Refuses more memory than there is.
  static func checkMemory(_ byteCount: Int) throws(ProgramError) {
    let limit = AvailableMemory.byteCount()
    guard byteCount <= limit else { throw .tooLarge(byteCount: byteCount, memory: limit) }
  }
}

extension Graph {
  /// Refuses a value that alone takes more memory than there is, before sizes follow from it that can't be
  /// counted.
  func checkValues() throws(ProgramError) {
    var largest = 0
    for value in values {
      let (byteCount, overflow) = value.type.shape.elementCount.multipliedReportingOverflow(
        by: value.type.elementType.byteCount)
      largest = max(largest, overflow ? .max : byteCount)
    }
    try ProgramError.checkMemory(largest)
  }
}
