import CCrestKernels
import Testing

/// A convolution of channels-last images, with its output sizes worked out.
struct Convolution: CustomTestStringConvertible, Sendable {
  var batch = 1
  var size: (height: Int, width: Int)
  var channels: Int
  var filters: Int
  var kernel: (height: Int, width: Int) = (3, 3)
  var stride: (height: Int, width: Int) = (1, 1)
  var dilation: (height: Int, width: Int) = (1, 1)
  var pad: (top: Int, left: Int, bottom: Int, right: Int) = (1, 1, 1, 1)
  var groups = 1
  /// Rows and columns past the last whole window, as rounding the output's size up gives.
  var hanging = 0

  private func outputs(_ size: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ pads: Int)
    -> Int
  {
    let free = size + pads - ((kernel - 1) * dilation + 1)
    return free < 0 ? 0 : free / stride + 1 + hanging
  }

  var outputHeight: Int {
    outputs(size.height, kernel.height, stride.height, dilation.height, pad.top + pad.bottom)
  }
  var outputWidth: Int {
    outputs(size.width, kernel.width, stride.width, dilation.width, pad.left + pad.right)
  }
  var channelsPerGroup: Int { channels / groups }
  var filtersPerGroup: Int { filters / groups }
  var inputCount: Int { batch * size.height * size.width * channels }
  var outputCount: Int { batch * outputHeight * outputWidth * filters }
  var filterCount: Int { filters * channelsPerGroup * kernel.height * kernel.width }

  var testDescription: String {
    """
    \(batch)×\(size.height)×\(size.width) \(channels)→\(filters) kernel \(kernel) stride \(stride) \
    dilation \(dilation) pad \(pad) groups \(groups) hanging \(hanging)
    """
  }

  var parameters: ck_conv2d {
    ck_conv2d(
      batch: batch, height: size.height, width: size.width, channels: channels,
      output_channels: filters, kernel_height: kernel.height, kernel_width: kernel.width,
      output_height: outputHeight, output_width: outputWidth,
      stride_height: stride.height, stride_width: stride.width,
      dilation_height: dilation.height, dilation_width: dilation.width,
      pad_top: pad.top, pad_left: pad.left, groups: groups)
  }

  /// Calls `body` with the places in x, w and y of every product; x is nil in the padding.
  private func forEachTerm(_ body: (_ x: Int?, _ w: Int, _ y: Int) -> Void) {
    for image in 0..<batch {
      for row in 0..<outputHeight {
        for column in 0..<outputWidth {
          for filter in 0..<filters {
            let y = ((image * outputHeight + row) * outputWidth + column) * filters + filter
            let firstChannel = filter / filtersPerGroup * channelsPerGroup
            for channel in 0..<channelsPerGroup {
              for u in 0..<kernel.height {
                for v in 0..<kernel.width {
                  let h = row * stride.height + u * dilation.height - pad.top
                  let w = column * stride.width + v * dilation.width - pad.left
                  let inside = h >= 0 && h < size.height && w >= 0 && w < size.width
                  let x =
                    ((image * size.height + h) * size.width + w) * channels + firstChannel + channel
                  let tap =
                    ((filter * channelsPerGroup + channel) * kernel.height + u) * kernel.width + v
                  body(inside ? x : nil, tap, y)
                }
              }
            }
          }
        }
      }
    }
  }

  /// y; padding is zeros that take part in the products.
  func reference(x: [Float], w: [Float], bias: [Float]?) -> [Expected] {
    var y = Array(repeating: Expected(), count: outputCount)
    forEachTerm { source, tap, target in
      y[target].add(Double(source.map { x[$0] } ?? 0) * Double(w[tap]))
    }
    guard let bias else { return y }
    for index in y.indices { y[index].add(Double(bias[index % filters])) }
    return y
  }

  /// The gradient with respect to x: a sum over the outputs that exist.
  func inputGradientReference(dy: [Float], w: [Float]) -> [Expected] {
    var dx = Array(repeating: Expected(), count: inputCount)
    forEachTerm { source, tap, target in
      if let source { dx[source].add(Double(dy[target]) * Double(w[tap])) }
    }
    return dx
  }

  /// The gradient with respect to w; padding takes part as in the forward pass.
  func filterGradientReference(x: [Float], dy: [Float]) -> [Expected] {
    var dw = Array(repeating: Expected(), count: filterCount)
    forEachTerm { source, tap, target in
      dw[tap].add(Double(source.map { x[$0] } ?? 0) * Double(dy[target]))
    }
    return dw
  }
}
