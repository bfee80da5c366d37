/// Batch normalisation in double precision over rows of channels.
struct BatchNormReference {
  let rows: Int
  let channels: Int
  let epsilon: Double
  let x: [Double]

  init(rows: Int, channels: Int, epsilon: Float, x: [Float]) {
    self.rows = rows
    self.channels = channels
    self.epsilon = Double(epsilon)
    self.x = x.map(Double.init)
  }

  func column(_ channel: Int, of values: [Double]) -> [Double] {
    (0..<rows).map { values[$0 * channels + channel] }
  }

  private func average(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
  }

  func mean() -> [Double] { (0..<channels).map { average(column($0, of: x)) } }

  func variance() -> [Double] {
    let mean = mean()
    return (0..<channels).map { channel in
      average(column(channel, of: x).map { ($0 - mean[channel]) * ($0 - mean[channel]) })
    }
  }

  func normalised(mean: [Double], variance: [Double]) -> [Double] {
    x.indices.map { index in
      let channel = index % channels
      return (x[index] - mean[channel]) / (variance[channel] + epsilon).squareRoot()
    }
  }

  /// y = x̂ · scale + bias.
  func output(_ normalised: [Double], scale: [Float], bias: [Float]) -> [Double] {
    normalised.indices.map { index in
      normalised[index] * Double(scale[index % channels]) + Double(bias[index % channels])
    }
  }

  /// dbias = Σ dy, dscale = Σ dy · x̂,
  /// dx = scale / √(variance + ε) · (dy - mean(dy) - x̂ · mean(dy · x̂)).
  func gradients(
    dy: [Float], scale: [Float], mean: [Double], variance: [Double]
  ) -> (dx: [Double], dscale: [Double], dbias: [Double]) {
    let dy = dy.map(Double.init)
    let normalised = normalised(mean: mean, variance: variance)
    let products = zip(dy, normalised).map { $0 * $1 }
    let dbias = (0..<channels).map { column($0, of: dy).reduce(0, +) }
    let dscale = (0..<channels).map { column($0, of: products).reduce(0, +) }
    let dx = dy.indices.map { index in
      let channel = index % channels
      let inner =
        dy[index] - dbias[channel] / Double(rows)
        - normalised[index] * dscale[channel] / Double(rows)
      return Double(scale[channel]) / (variance[channel] + epsilon).squareRoot() * inner
    }
    return (dx, dscale, dbias)
  }
}
