import CrestONNX
import CrestRuntime
import CrestTensor
import Testing

@Suite struct `Inspecting a file` {
  private static func inspect(
    _ name: String, _ shapes: [String: Shape] = [:]
  ) throws -> ONNXInspection {
    try ONNXInspection(ONNXFile(path: ImportCase.path(name)), inputShapes: shapes)
  }

  private static func sizes(_ arrays: ONNXInspection.Arrays) -> [Int] {
    [arrays.count, arrays.elementCount, arrays.byteCount]
  }

  @Test func `says what is in it, what computes it, and what it takes`() throws {
    let found = try Self.inspect("final-softmax")
    #expect(found.irVersion == 8)
    #expect(found.opsets.map(\.version) == [13])
    #expect(found.producer == "make_import.py")
    #expect(found.inputs.map(\.name) == ["x"] && found.outputs.map(\.name) == ["y"])
    #expect((found.inputs + found.outputs).allSatisfy { $0.elementType == "float32" })
    #expect(found.inputs.map(\.shape) == [["N", "4"]] && found.outputs.map(\.shape) == [nil])
    #expect(found.operations.map(\.name) == ["Gemm", "Softmax"])
    #expect(found.operations.map(\.count) == [1, 1])
    #expect(found.operations.map(\.opsets) == [1...28, 13...28])
    #expect(found.operations.allSatisfy { $0.forward == .kernel && $0.backward == .kernel })
    #expect(Array(found.counts.keys) == [.trained])
    #expect(found.counts[.trained].map(Self.sizes) == [2, 15, 60])
    #expect(found.arrays.map(\.name) == ["w", "b"])
    #expect(found.arrays.map(\.shape) == [[4, 3], [3]])
    #expect(found.arrays.map(\.reason) == ["weight of Gemm", "bias of Gemm"])
    #expect(found.arrays.allSatisfy { $0.kind == .trained && $0.elementType == "float32" })
    // 4 products and sums for each of 3 outputs.
    #expect(found.workPerExample == 24)
    #expect(found.problem == nil && found.trainingProblem == nil && found.unsupported.isEmpty)
  }

  @Test func `tells statistics from parameters, and parameters from constants`() throws {
    let found = try Self.inspect("training-mode")
    #expect(found.counts[.trained].map(Self.sizes) == [3, 12, 48])
    #expect(found.counts[.statistic].map(Self.sizes) == [2, 4, 16])
    #expect(found.counts[.constant]?.count == 2)
  }

  @Test func `says what is left to the reference, and what has no gradient`() throws {
    let found = try Self.inspect("embedding")
    let gather = try #require(found.operations.first { $0.name == "Gather" })
    #expect(gather.forward == .kernel && gather.backward == .kernel)
    let products = try Self.inspect("whole-product").operations.filter { $0.name == "MatMul" }
    #expect(products.map(\.forward) == [.reference])
    let shape = try Self.inspect("shape-arithmetic").operations.first { $0.name == "Shape" }
    #expect(shape?.forward == nil && shape?.backward == nil)
    #expect(try Self.inspect("softmax-13").trainingProblem == "it has no parameters")
  }

  @Test func `goes as far as a file can be imported`() throws {
    let found = try Self.inspect("broken/unsupported")
    #expect(found.unsupported.map(\.operation) == ["NonMaxSuppression", "Foo"])
    #expect(found.operations.map(\.name) == ["NonMaxSuppression", "Relu", "com.example.Foo"])
    #expect(found.operations.map(\.opsets) == [nil, 1...28, nil])
    #expect(found.problem is ONNXError)
    #expect(found.workPerExample == nil)

    #expect(try Self.inspect("broken/open-size").problem != nil)
    #expect(try Self.inspect("broken/open-size", ["x": [7]]).problem == nil)
  }

  @Test(arguments: ImportCase.all)
  func `knows every file that is imported`(_ testCase: ModelCase) throws {
    let found = try Self.inspect(testCase.name)
    #expect(found.problem == nil)
    #expect(found.operations.allSatisfy { $0.opsets != nil })
  }

  @Test func `lists what can be imported with the opsets of each form`() throws {
    let softmax = try #require(ONNXFile.ImportedOperator.all.first { $0.name == "Softmax" })
    #expect(softmax.forms == [1...12, 13...28])
    #expect(
      ONNXFile.ImportedOperator.all.map(\.name)
        == ONNXFile.ImportedOperator.all.map(\.name).sorted())
    #expect(ONNXFile.ImportedOperator.all.allSatisfy { $0.versions.first ?? 0 >= 1 })
  }
}
