/// How pads follow from a window's other attributes (ONNX `auto_pad`, but for `NOTSET`).
package enum AutoPadding: String, Sendable, Hashable, CaseIterable {
  /// No padding.
  case valid = "VALID"
  /// ⌈size / stride⌉ windows, an odd pad going after the last element.
  case sameUpper = "SAME_UPPER"
  /// ⌈size / stride⌉ windows, an odd pad going before the first element.
  case sameLower = "SAME_LOWER"

  /// The pads before and after each spatial axis of a convolution or pool.
  ///
  /// - Parameters:
  ///   - input: The input's spatial sizes.
  ///   - kernel: The window's sizes.
  ///   - strides: The distance from one window to the next.
  ///   - dilations: The distance from one tap to the next.
  /// - Returns: Pads before the first and after the last element of each axis.
  /// - Throws: ``OperationError`` when counts differ, a number is below 1, or sizes overflow.
  package func pads(
    input: [Int], kernel: [Int], strides: [Int], dilations: [Int]
  ) throws(OperationError) -> (before: [Int], after: [Int]) {
    for (what, numbers, least) in [
      ("spatial sizes", input, 0), ("kernel sizes", kernel, 1), ("strides", strides, 1),
      ("dilations", dilations, 1),
    ] {
      guard numbers.count == input.count, numbers.allSatisfy({ $0 >= least }) else {
        throw OperationError(
          expected: "\(what) of at least \(least), one for each of the spatial sizes \(input)",
          got: "\(numbers)")
      }
    }
    var before: [Int] = []
    var after: [Int] = []
    for (axis, size) in input.enumerated() {
      let (reach, overflow) = (kernel[axis] - 1).multipliedReportingOverflow(by: dilations[axis])
      guard !overflow, reach < .max else {
        throw OperationError(
          expected: "a kernel whose extent fits in 64 bits",
          got: "kernel sizes \(kernel), dilations \(dilations)")
      }
      // The last of ⌈size / stride⌉ windows starts at the last multiple of the stride inside.
      let last = size == 0 ? 0 : (size - 1) / strides[axis] * strides[axis]
      let total = self == .valid || size == 0 ? 0 : max(reach - (size - 1 - last), 0)
      before.append(self == .sameUpper ? total / 2 : total - total / 2)
      after.append(total - before[axis])
    }
    return (before, after)
  }
}
