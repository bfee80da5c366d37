import Testing

/// The sizes and transpositions of a matrix product: c (M, N) from a (M, K) and b (K, N).
struct MatrixProduct: CustomTestStringConvertible, Sendable {
  var m: Int
  var n: Int
  var k: Int
  var transposeA = false
  var transposeB = false

  var testDescription: String {
    "\(m)×\(n)×\(k)" + (transposeA ? " aᵀ" : "") + (transposeB ? " bᵀ" : "")
  }

  /// alpha · op(a) · op(b) + beta · c + bias, by the definition; beta 0 ignores c.
  func reference(
    alpha: Float, a: [Float], b: [Float], beta: Float, bias: [Float]?, c: [Float]
  ) -> [Expected] {
    var results: [Expected] = []
    results.reserveCapacity(m * n)
    for i in 0..<m {
      for j in 0..<n {
        var sum = Expected()
        for p in 0..<k {
          let left = Double(a[transposeA ? p * m + i : i * k + p])
          let right = Double(b[transposeB ? j * k + p : p * n + j])
          sum.add(left * right)
        }
        sum.value *= Double(alpha)
        sum.magnitude *= Double(alpha.magnitude)
        if beta != 0 { sum.add(Double(beta) * Double(c[i * n + j])) }
        if let bias { sum.add(Double(bias[j])) }
        results.append(sum)
      }
    }
    return results
  }
}
