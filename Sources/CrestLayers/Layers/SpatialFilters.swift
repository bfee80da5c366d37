import CrestGraph
import CrestTensor

/// The filters of a convolution over any number of axes, and what is declared and checked for them.
struct SpatialFilters {
  /// Places added before and after each spatial axis.
  typealias Pads = (before: [Int], after: [Int])

  /// The number of filters.
  let channels: Int
  /// The number of groups into which channels are split.
  let groups: Int
  /// The sizes of a filter.
  let kernel: [Int]
  /// Whether a bias is added.
  let hasBias: Bool
  /// How the weight starts.
  let initializer: Initializer

  /// Refuses settings that make no layer.
  static func check(_ name: String, _ channels: Int, _ groups: Int, sizes: [Int]) {
    programmerError(
      unless: channels >= 1 && groups >= 1 && channels % groups == 0,
      "\(name): \(channels) channels in \(groups) groups; groups must divide the channels")
    programmerError(
      unless: sizes.allSatisfy { $0 >= 1 }, "\(name): sizes \(sizes); each must be at least 1")
  }

  /// The convolution of x and the bias.
  func convolved(
    _ x: Symbol, _ operation: String, strides: [Int], dilations: [Int], pads: () throws -> Pads
  ) throws -> Symbol {
    guard x.shape[1] % groups == 0 else {
      throw GraphError(
        path: x.builder.path, operation: operation,
        expected: "input channels that \(groups) groups divide", got: "\(x.shape[1])")
    }
    let weight = try x.parameter(
      "weight", sizes: [channels, x.shape[1] / groups] + kernel, role: .weight, initializer)
    let bias = try hasBias ? x.parameter("bias", [channels], role: .bias, .zeros) : nil
    let pads = try pads()
    return try x.conv(
      weight, bias: bias,
      ConvAttributes(
        strides: strides, dilations: dilations, padsBefore: pads.before, padsAfter: pads.after,
        groups: groups))
  }

  /// The transposed convolution of x and the bias: filters are [C, channels / groups, kernel…].
  func transposed(
    _ x: Symbol, _ operation: String, strides: [Int], dilations: [Int], padding: TransposedPadding
  ) throws -> Symbol {
    guard x.shape[1] % groups == 0 else {
      throw GraphError(
        path: x.builder.path, operation: operation,
        expected: "input channels that \(groups) groups divide", got: "\(x.shape[1])")
    }
    let weight = try x.parameter(
      "weight", sizes: [x.shape[1], channels / groups] + kernel, role: .weight, initializer)
    let bias = try hasBias ? x.parameter("bias", [channels], role: .bias, .zeros) : nil
    let cut = padding.cut(kernel: kernel, strides: strides, dilations: dilations)
    return try x.convTransposed(
      weight, bias: bias,
      ConvAttributes(
        strides: strides, dilations: dilations, padsBefore: cut.before, padsAfter: cut.after,
        groups: groups),
      outputPadding: cut.outputPadding)
  }

  /// So much that there are ⌈size / stride⌉ windows along each axis.
  static func same(
    _ x: Symbol, _ operation: String, _ kernel: [Int], _ strides: [Int], _ dilations: [Int]
  ) throws -> Pads {
    do {
      return try AutoPadding.sameUpper.pads(
        input: Array(x.shape.dropFirst(2)), kernel: kernel, strides: strides, dilations: dilations)
    } catch {
      throw GraphError(
        path: x.builder.path, operation: operation, expected: error.expected, got: error.got,
        advice: error.advice)
    }
  }
}

/// How much a transposed convolution cuts off its output.
public enum TransposedPadding: Sendable, Hashable {
  /// Nothing: (size - 1)·stride + (kernel - 1)·dilation + 1 places.
  case valid
  /// So much that there are size · stride places (Keras `same`).
  case same
  /// This much on all sides, and so many places more at the end of each axis (PyTorch's `padding` and
  /// `output_padding`), neither negative.
  case all(Int, output: Int = 0)

  /// The places cut off before and after each axis, and those added after it.
  func cut(
    kernel: [Int], strides: [Int], dilations: [Int]
  ) -> (before: [Int], after: [Int], outputPadding: [Int]) {
    switch self {
    case .valid: return (kernel.map { _ in 0 }, kernel.map { _ in 0 }, kernel.map { _ in 0 })
    case .all(let size, let output):
      return (kernel.map { _ in size }, kernel.map { _ in size }, kernel.map { _ in output })
    case .same:
      let spare = kernel.indices.map { (kernel[$0] - 1) * dilations[$0] + 1 - strides[$0] }
      return (
        spare.map { max($0, 0) / 2 }, spare.map { max($0, 0) - max($0, 0) / 2 },
        spare.map { max(-$0, 0) }
      )
    }
  }
}

extension Symbol {
  /// Refuses a value that has no channels and so many spatial axes.
  func requireChannels(axes: Int, _ operation: String) throws {
    let (names, what) = [
      1: ("T", "channels, steps"), 2: ("H, W", "channels, height, width"),
      3: ("D, H, W", "channels, depth, height, width"),
    ][axes, default: ("spatial…", "channels, …")]
    guard shape.rank == axes + 2 else {
      throw GraphError(
        path: builder.path, operation: operation, expected: "an input [N, C, \(names)]",
        got: "\(shape)", advice: "give the model's input as [\(what)]")
    }
  }
}
