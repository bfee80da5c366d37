import CCrestKernels
import CrestPlatform

extension Engine {
  /// A set of instructions the kernels are compiled for, chosen when the program runs.
  ///
  /// Results are the same bits for any number of threads, but may differ between instruction sets.
  public enum InstructionSet: String, Sendable, Hashable, Codable, CaseIterable {
    /// What every CPU of the architecture has.
    case baseline
    /// 128-bit vectors of ARM.
    case neon
    /// 256-bit vectors and fused multiply-add of x86.
    case avx2
    /// 512-bit vectors of x86 (F, BW, DQ, VL).
    case avx512

    var isa: ck_isa {
      switch self {
      case .baseline: CK_ISA_BASELINE
      case .neon: CK_ISA_NEON
      case .avx2: CK_ISA_AVX2
      case .avx512: CK_ISA_AVX512
      }
    }

    /// The sets this CPU and this build have, from the narrowest to the widest.
    public static var available: [InstructionSet] {
      allCases.filter { ck_kernels_for($0.isa) != nil }
    }

    /// The set that the environment variable `CREST_ISA` names, else the widest this CPU has.
    ///
    /// - Throws: ``EngineError`` when the name is unknown or the CPU lacks the set.
    public static func preferred() throws(EngineError) -> InstructionSet {
      guard let variable = getenv("CREST_ISA") else { return available.last ?? .baseline }
      let name = String(cString: variable)
      guard let set = InstructionSet(rawValue: name), available.contains(set) else {
        throw EngineError.instructionSetUnavailable(name)
      }
      return set
    }
  }
}

/// An engine that can't be made as asked.
public enum EngineError: Error, Equatable, Sendable, CustomStringConvertible {
  /// An instruction set this CPU or this build lacks, or an unknown name.
  case instructionSetUnavailable(String)
  /// A number of threads that isn't positive, or that the system refused.
  case threadsUnavailable(Int)

  /// What, expected, got and what to do.
  public var description: String {
    switch self {
    case .instructionSetUnavailable(let name):
      "instruction set: expected one of "
        + Engine.InstructionSet.available.map(\.rawValue).joined(separator: ", ")
        + ", got \"\(name)\"; unset CREST_ISA to use the widest"
    case .threadsUnavailable(let count):
      "threads: expected a number the system can start, from 1 up, got \(count); use fewer"
    }
  }
}
