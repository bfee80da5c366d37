import CrestTensor

/// How the window of a convolution or pool moves over the spatial axes of its input.
struct SlidingWindow {
  /// The input's spatial sizes.
  let input: [Int]
  /// The window's sizes: how many taps along each axis.
  let kernel: [Int]
  /// The distance from one window to the next.
  let strides: [Int]
  /// The distance from one tap to the next.
  let dilations: [Int]
  /// Padding before the first element of each axis.
  let padsBefore: [Int]
  /// Padding after the last element of each axis.
  let padsAfter: [Int]
  /// The output's spatial sizes: how many windows along each axis.
  let output: [Int]

  /// A window over concrete sizes.
  ///
  /// - Throws: ``OperationError`` when an attribute has the wrong count or sign, or the window is
  ///   larger than the padded input.
  init(
    input: [Int], kernel: [Int], strides: [Int], dilations: [Int], padsBefore: [Int],
    padsAfter: [Int], ceilMode: Bool
  ) throws(OperationError) {
    let checks = [
      ("kernel sizes", kernel, 1), ("strides", strides, 1), ("dilations", dilations, 1),
      ("pads before", padsBefore, 0), ("pads after", padsAfter, 0),
    ]
    for (what, numbers, least) in checks {
      guard numbers.count == input.count, numbers.allSatisfy({ $0 >= least }) else {
        throw OperationError(
          expected: "\(what) of at least \(least), one for each of the spatial sizes \(input)",
          got: "\(numbers)")
      }
    }
    guard Shape(checking: kernel) != nil else {
      throw OperationError(expected: "a kernel whose tap count fits in 64 bits", got: "\(kernel)")
    }
    let axes = input.indices
    var padded: [Int] = []
    var extents: [Int] = []
    for axis in axes {
      let (some, overflow) = input[axis].addingReportingOverflow(padsBefore[axis])
      let (all, overflowToo) = some.addingReportingOverflow(padsAfter[axis])
      let (reach, tooFar) = (kernel[axis] - 1).multipliedReportingOverflow(by: dilations[axis])
      guard !overflow, !overflowToo, !tooFar, reach < .max else {
        throw OperationError(
          expected: "pads and dilations whose sizes fit in 64 bits",
          got: "pads \(padsBefore) and \(padsAfter), dilations \(dilations)")
      }
      padded.append(all)
      extents.append(reach + 1)
    }
    guard zip(padded, extents).allSatisfy({ $0 >= $1 }) else {
      throw OperationError(
        expected: "a padded input of at least \(Self.sizes(extents)), the kernel's extent",
        got: "\(Self.sizes(padded)) (\(Self.sizes(input)) before padding)",
        advice: "give larger inputs, more padding or a smaller kernel")
    }
    output = axes.map { axis in
      let room = padded[axis] - extents[axis]
      let (steps, rest) = room.quotientAndRemainder(dividingBy: strides[axis])
      // The last window of ceil mode hangs over the end; it counts only when it starts before the
      // padding after the input (PyTorch's rule).
      let (start, overflow) = (steps + 1).multipliedReportingOverflow(by: strides[axis])
      let hangsOver =
        ceilMode && rest > 0 && !overflow && start < input[axis] + padsBefore[axis]
      return steps + (hangsOver ? 2 : 1)
    }
    self.input = input
    self.kernel = kernel
    self.strides = strides
    self.dilations = dilations
    self.padsBefore = padsBefore
    self.padsAfter = padsAfter
  }

  private static func sizes(_ sizes: [Int]) -> String {
    sizes.map(String.init).joined(separator: " × ")
  }

  /// Where a tap of a window falls.
  enum Place {
    /// On this element of the input, in row-major order.
    case input(Int)
    /// On padding.
    case padding
    /// Beyond the padding, where the last window of ceil mode hangs over.
    case outside
  }

  /// Calls `body` for every window and every tap of it, each in row-major order.
  func forEachTap(_ body: (_ window: Int, _ tap: Int, _ place: Place) -> Void) {
    let (windows, taps) = (Shape(output), Shape(kernel))
    let inputStrides = Shape(input).strides
    for window in 0..<windows.elementCount {
      let corner = windows.index(ofElement: window)
      for tap in 0..<taps.elementCount {
        let reach = taps.index(ofElement: tap)
        let position = input.indices.map { axis in
          corner[axis] * strides[axis] + reach[axis] * dilations[axis] - padsBefore[axis]
        }
        let isInside = zip(position, input).allSatisfy { (0..<$1).contains($0) }
        let isPadded = input.indices.allSatisfy { position[$0] < input[$0] + padsAfter[$0] }
        body(
          window, tap,
          isInside ? .input(offset(position, inputStrides)) : isPadded ? .padding : .outside)
      }
    }
  }
}
