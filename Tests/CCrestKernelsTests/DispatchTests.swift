import CCrestKernels
import Testing

struct DispatchTests {
  @Test func `each instruction set has its own table under its own name`() {
    let names = InstructionSet.available.map(\.testDescription)
    #expect(Set(names).count == names.count)
    #expect(Set(names).isSubset(of: ["baseline", "neon", "avx2", "avx512"]))
    #expect(names.first == "baseline")
    for set in InstructionSet.available { #expect(set.kernels.isa == set.isa) }
  }

  @Test func `the best table is the widest`() {
    #expect(ck_kernels_best().pointee.isa == InstructionSet.available.last?.isa)
  }

  @Test func `a number past the last instruction set has no table`() {
    #expect(ck_kernels_for(CK_ISA_COUNT) == nil)
  }
}
