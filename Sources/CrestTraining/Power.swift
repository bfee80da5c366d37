#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Double {
  /// This to the power of `exponent`.
  func power(_ exponent: Double) -> Double { pow(self, exponent) }
}
