public import CrestGraph
import CrestTensor

/// Dense layers with ReLU between them, for examples of any shape.
///
/// The flattened example; `dense1`, `dense2`, … of the hidden sizes, each with a ReLU; one more dense
/// layer of `classes` logits.
public struct MultilayerPerceptron: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of outputs.
  public let classes: Int
  /// The sizes of the hidden layers.
  public let hidden: [Int]

  /// A network for a number of classes.
  ///
  /// - Precondition: there is at least 1 class, and 1 unit in each hidden layer.
  public init(classes: Int, hidden: [Int] = [512, 512]) {
    programmerError(
      unless: classes >= 1 && hidden.allSatisfy { $0 >= 1 },
      "a MultilayerPerceptron of \(classes) classes with hidden layers of \(hidden)")
    self.classes = classes
    self.hidden = hidden
  }

  /// Logits [N, classes].
  public func trace(_ x: Symbol) throws -> Symbol {
    let network = Sequential {
      Flatten()
      for (index, units) in hidden.enumerated() {
        Dense(units, name: "dense\(index + 1)")
        ReLU(name: "relu\(index + 1)")
      }
      Dense(classes, name: "dense\(hidden.count + 1)")
    }
    return try network(x)
  }
}
