import CCrestKernels

/// Pooling by its definition, one window at a time.
struct PoolingReference {
  let p: ck_pool2d

  /// Places (in the image's H · W) that a window reads, and how many of its positions lie within
  /// the padded input.
  func window(_ outputRow: Int, _ outputColumn: Int) -> (places: [Int], padded: Int) {
    var places: [Int] = []
    var padded = 0
    for i in 0..<p.kernel_height {
      for j in 0..<p.kernel_width {
        let row = outputRow * p.stride_height + i * p.dilation_height - p.pad_top
        let column = outputColumn * p.stride_width + j * p.dilation_width - p.pad_left
        guard row < p.height + p.pad_bottom, column < p.width + p.pad_right else { continue }
        padded += 1
        guard row >= 0, row < p.height, column >= 0, column < p.width else { continue }
        places.append(row * p.width + column)
      }
    }
    return (places, padded)
  }

  var inputCount: Int { p.batch * p.height * p.width * p.channels }
  var outputCount: Int { p.batch * p.output_height * p.output_width * p.channels }

  /// Calls `body` with each output's index, the input indices of its window, and the divisor.
  func forEachOutput(_ body: (_ output: Int, _ inputs: [Int], _ divisor: Int) -> Void) {
    for image in 0..<p.batch {
      for row in 0..<p.output_height {
        for column in 0..<p.output_width {
          let (places, padded) = window(row, column)
          let divisor = p.count_padding ? padded : places.count
          for channel in 0..<p.channels {
            let output =
              ((image * p.output_height + row) * p.output_width + column) * p.channels + channel
            let inputs = places.map {
              (image * p.height * p.width + $0) * p.channels + channel
            }
            body(output, inputs, divisor)
          }
        }
      }
    }
  }

  func maximum(_ x: [Float]) -> [Expected] {
    var y = [Expected](repeating: Expected(), count: outputCount)
    forEachOutput { output, inputs, _ in
      let winner = inputs.isEmpty ? -.infinity : x[self.winner(inputs, x)]
      y[output] = Expected(value: Double(winner), roundings: 0)
    }
    return y
  }

  private func winner(_ inputs: [Int], _ x: [Float]) -> Int {
    if let notANumber = inputs.first(where: { x[$0].isNaN }) { return notANumber }
    return inputs.dropFirst().reduce(inputs[0]) { x[$1] > x[$0] ? $1 : $0 }
  }

  func maximumGradient(_ x: [Float], _ dy: [Float]) -> [Expected] {
    var dx = [Expected](repeating: Expected(roundings: 0), count: inputCount)
    forEachOutput { output, inputs, _ in
      guard !inputs.isEmpty else { return }
      dx[winner(inputs, x)].add(Double(dy[output]))
    }
    return dx
  }

  func average(_ x: [Float]) -> [Expected] {
    var y = [Expected](repeating: Expected(), count: outputCount)
    forEachOutput { output, inputs, divisor in
      for input in inputs { y[output].add(Double(x[input]) / Double(divisor)) }
      y[output].roundings += 2
    }
    return y
  }

  func averageGradient(_ dy: [Float]) -> [Expected] {
    var dx = [Expected](repeating: Expected(roundings: 3), count: inputCount)
    forEachOutput { output, inputs, divisor in
      for input in inputs { dx[input].add(Double(dy[output]) / Double(divisor)) }
    }
    return dx
  }
}
