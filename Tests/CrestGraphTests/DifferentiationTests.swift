import CrestGraph
import CrestTensor
import Testing

@Suite struct DifferentiationTests {
  @Test func `a value read twice gets the sum of both gradients`() throws {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([2, 2], .float64))
    let loss = try (x.matMul(x) + x.relu()).sum()
    let dx = try #require(try builder.gradients(of: loss, withRespectTo: [x])[0])
    let results = try Interpreter(builder.result).run(
      inputs: [ReferenceArray([1, 2, -3, 4], ValueType([2, 2], .float64))], variables: [])
    // d/dx Σ (x·x) at (i, j) is the sum of row j and of column i; then the mask of x > 0.
    let expected: [Double] = [2, 0, 9, 8]
    #expect(results[dx.id.index].reals == expected)
  }
}
