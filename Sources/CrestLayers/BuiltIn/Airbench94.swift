public import CrestGraph
import CrestTensor

/// The network with which Jordan's airbench reaches 94 % on CIFAR-10 in 10 epochs (arXiv:2404.00498).
///
/// A 2×2 convolution `whiten` to 2 · 4 · channels filters and a GELU; three groups, each a 3×3 convolution, a 2×2 max
/// pool, batch norm, GELU, another 3×3 convolution, batch norm, GELU; a 3×3 max pool; a dense layer; logits divided
/// by 9. Only `whiten` has a bias; batch norms have ε = 10⁻¹², keep 0.6 of their statistics in a step, and learn an
/// offset only. Convolutions start as PyTorch's, the first filters as identities. For images of 32 × 32.
///
/// The recipe starts `whiten.weight` by ``PatchWhitening`` and freezes it; ``BuiltInModel`` doesn't.
public struct Airbench94: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of outputs.
  public let classes: Int
  /// The channels of each group.
  public let widths: [Int]
  /// What the logits are multiplied by.
  public let logitScale: Double

  /// A network for a number of classes.
  ///
  /// - Precondition: there is at least 1 class, and a group, each with a channel.
  public init(classes: Int, widths: [Int] = [64, 256, 256], logitScale: Double = 1.0 / 9) {
    programmerError(
      unless: classes >= 1 && !widths.isEmpty && widths.allSatisfy { $0 >= 1 },
      "an Airbench94 of \(classes) classes with groups of \(widths) channels")
    self.classes = classes
    self.widths = widths
    self.logitScale = logitScale
  }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images or they are too small.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("Airbench94")
    let channels = x.shape[1]
    let network = Sequential {
      Conv2D(8 * channels, kernel: 2, initializer: .torchUniform, name: "whiten")
      GELU()
      for (number, width) in widths.enumerated() {
        Self.group(width, name: "group\(number + 1)")
      }
      MaxPool(3, name: "pool")
      Flatten()
      Dense(classes, bias: false, initializer: .torchUniform, name: "head")
      Rescaling(logitScale)
    }
    return try network(x)
  }

  private static func group(_ width: Int, name: String) -> Sequential {
    func convolution(_ number: Int) -> Conv2D {
      Conv2D(
        width, kernel: 3, padding: .all(1), bias: false,
        initializer: .dirac(over: .torchUniform), name: "conv\(number)")
    }
    func norm(_ number: Int) -> BatchNorm {
      BatchNorm(
        epsilon: 1e-12, momentum: 0.6, convention: .torch, scale: false, name: "norm\(number)")
    }
    return Sequential(name: name) {
      convolution(1)
      MaxPool(2, name: "pool")
      norm(1)
      GELU(name: "gelu1")
      convolution(2)
      norm(2)
      GELU(name: "gelu2")
    }
  }
}
