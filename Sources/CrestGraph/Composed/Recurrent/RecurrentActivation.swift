import CrestTensor

extension Symbol {
  /// A function that a recurrent layer applies to its gates or state (the `activations` of ONNX `RNN`,
  /// `GRU` and `LSTM`, with their `activation_alpha` and `activation_beta`).
  public enum RecurrentActivation: Sendable, Hashable {
    /// α · x + β.
    case affine(alpha: Double, beta: Double)
    /// x where x > 0, else α · (eˣ - 1).
    case elu(alpha: Double)
    /// α · x + β held within 0...1.
    case hardSigmoid(alpha: Double, beta: Double)
    /// x where x > 0, else α · x.
    case leakyRelu(alpha: Double)
    /// max(x, 0).
    case relu
    /// α · tanh(β · x).
    case scaledTanh(alpha: Double, beta: Double)
    /// 1 / (1 + e⁻ˣ).
    case sigmoid
    /// log(1 + eˣ).
    case softplus
    /// x / (1 + |x|).
    case softsign
    /// The hyperbolic tangent.
    case tanh
    /// x where x > α, else 0.
    case thresholdedRelu(alpha: Double)

    /// The function of a value, held within ±`clip` before when there is one.
    func callAsFunction(_ x: Symbol, clip: Double?) throws -> Symbol {
      let x = try clip.map { try x.clipped(minimum: -$0, maximum: $0) } ?? x
      return switch self {
      case .affine(let alpha, let beta): try x * alpha + beta
      case .elu(let alpha): try x.elu(alpha: alpha)
      case .hardSigmoid(let alpha, let beta): try x.hardSigmoid(alpha: alpha, beta: beta)
      case .leakyRelu(let alpha): try x.leakyRelu(slope: alpha)
      case .relu: try x.relu()
      case .scaledTanh(let alpha, let beta): try (x * beta).tanh() * alpha
      case .sigmoid: try x.sigmoid()
      case .softplus: try x.softplus()
      case .softsign: try x.softsign()
      case .tanh: try x.tanh()
      case .thresholdedRelu(let alpha): try x.thresholdedRelu(alpha: alpha)
      }
    }
  }
}
