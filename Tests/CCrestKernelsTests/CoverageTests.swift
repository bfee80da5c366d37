import CCrestKernels
import Testing

/// The kernels each suite compares with its reference; a suite adds its list here.
private let testedKernels: [String] =
  GEMMTests.kernels + ConvolutionTests.kernels + WinogradTests.kernels + BatchNormTests.kernels
  + PoolingTests.kernels
  + SoftmaxTests.kernels + LabelLossTests.kernels + RMSNormalizationTests.kernels
  + LayerNormalizationTests.kernels
  + ReductionTests.kernels
  + ElementwiseTests.kernels
  + DropoutTests.kernels + CopyTests.kernels + CastTests.kernels + OptimizerKernelTests.kernels
  + ChangeKernelTests.kernels + SummedUpdateTests.kernels + FactoredTests.kernels
  + ChoiceTests.kernels + WholeNumberTests.kernels + RankingTests.kernels + NormalTests.kernels

struct CoverageTests {
  @Test func `every kernel of the table has a test, and every tested name is a kernel`() {
    var names: [String] = []
    while let name = ck_kernel_name(names.count) { names.append(String(cString: name)) }
    #expect(Set(names) == Set(testedKernels))
    #expect(names.count == testedKernels.count)
  }
}
