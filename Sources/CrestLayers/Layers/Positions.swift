public import CrestGraph
import CrestPlatform
import CrestTensor

/// Adds a learned vector for each place to a sequence (Gehring and others 2017; BERT, GPT-2, ViT).
///
///     y[n, t] = x[n, t] + weight[t]
///
/// x and y are [N, T, E]. Parameter: `weight` [T, E], from N(0, 0.02²).
public struct LearnedPositions: Layer {
  /// The scope.
  public let name: String?
  /// How the vectors start.
  public let initializer: Initializer

  /// Positions for as many places as the input has.
  public init(
    initializer: Initializer = .normal(standardDeviation: 0.02), name: String = "positions"
  ) {
    (self.initializer, self.name) = (initializer, name)
  }

  /// The sum.
  ///
  /// - Throws: `GraphError` when x isn't a batch of sequences.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireSequences("LearnedPositions")
    return try x
      + x.parameter("weight", sizes: [x.shape[1], x.shape[2]], role: .weight, initializer)
  }
}

/// Adds sines and cosines of each place to a sequence (Vaswani and others 2017).
///
///     y[n, t, 2i] = x[n, t, 2i] + sin(t / base^(2i / E)), y[n, t, 2i + 1] = x[n, t, 2i + 1] + cos(t / base^(2i / E))
///
/// x and y are [N, T, E]. There are no parameters.
public struct SinusoidalPositions: Layer {
  /// The scope.
  public let name: String?
  /// The number whose powers are the wavelengths.
  public let base: Double

  /// Positions of these wavelengths.
  ///
  /// - Precondition: `base` is finite and above 0.
  public init(base: Double = 10000, name: String = "positions") {
    programmerError(unless: base > 0 && base.isFinite, "\(name): a base of \(base)")
    (self.base, self.name) = (base, name)
  }

  /// The sum.
  ///
  /// - Throws: `GraphError` when x isn't a batch of sequences.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireSequences("SinusoidalPositions")
    let (steps, width) = (x.shape[1], x.shape[2])
    let frequencies = RotaryPositions(base: base)
    let values = (0..<steps).flatMap { (step: Int) -> [Double] in
      (0..<width).map { (feature: Int) -> Double in
        let angle = Double(step) * frequencies.frequency(of: feature / 2, width: width)
        return feature % 2 == 0 ? sin(angle) : cos(angle)
      }
    }
    return try x
      + x.builder.constant(Tensor(rounding: values, to: x.elementType, shape: [steps, width]))
  }
}

extension Symbol {
  /// Refuses a value that isn't a batch of sequences.
  func requireSequences(_ operation: String) throws {
    guard shape.rank == 3 else {
      throw GraphError(
        path: builder.path, operation: operation, expected: "sequences [N, T, features]",
        got: "\(shape)")
    }
  }
}
