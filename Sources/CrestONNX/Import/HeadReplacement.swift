import CrestLayers
import CrestTensor

/// A classifier's last layer with another number of classes: which arrays are new, and which declared
/// sizes change, as edits of the file that the model came from.
struct HeadReplacement: Sendable {
  /// An array with new values.
  struct NewArray: Sendable {
    let shape: Shape
    /// Draws its first value.
    let draw: @Sendable (Philox) -> Tensor
  }

  /// A size that the file declares.
  struct DeclaredSize: Sendable {
    let value: ValueInfoProto
    let axis: Int
  }

  /// The number of classes.
  let classes: Int
  /// The number that the file has.
  let oldClasses: Int
  /// The last layer's node.
  let node: NodeProto
  /// The new arrays by where the file's are read.
  let arrays: [InputEdge: NewArray]
  /// The sizes that become ``classes``.
  let sizes: [DeclaredSize]
  /// Whether classes lie along axis 1, as of a convolution, and not along the last.
  private let isConvolution: Bool

  /// Operations between a last layer and the output that keep its classes apart.
  private static let transparent: Set<String> = [
    "Softmax", "LogSoftmax", "Sigmoid", "Relu", "Identity", "Cast", "Dropout", "Flatten", "Squeeze",
    "Reshape", "GlobalAveragePool", "GlobalMaxPool", "AveragePool", "ReduceMean",
  ]

  /// Finds the last layer that makes the first output of `model`.
  ///
  /// - Throws: ``ONNXError/invalid(file:_:)`` when that isn't a product with weights of the file.
  init(_ model: CheckedModel, classes: Int) throws(ONNXError) {
    let search = HeadSearch(model)
    var value = model.outputs[0].name
    var isRectified = false
    while let node = search.maker(of: value), Self.transparent.contains(node.operation),
      let input = node.inputs.first
    {
      if node.operation == "Relu" { isRectified = true }
      value = input
    }
    guard let head = search.head(making: value), head.classes > 0 else { throw search.noHead() }
    self.classes = classes
    oldClasses = head.classes
    node = head.node
    isConvolution = head.node.operation == "Conv"
    let initializer = isRectified ? Initializer.heNormal : Initializer.xavierUniform
    var arrays: [InputEdge: NewArray] = [:]
    for array in [head.weight] + (head.bias.map { [$0] } ?? []) {
      let isWeight = array.edge == head.weight.edge
      var sizes = array.shape.dimensions
      sizes[array.axis] = classes
      guard let shape = Shape(checking: sizes), shape.elementCount <= ONNXTrace.elementLimit else {
        throw model.headProblem(
          expected: "at most \(ONNXTrace.elementLimit) weights", got: "\(sizes)", nil)
      }
      // Initialisers count fans with the outputs in front.
      let isTransposed = array.axis == 1
      arrays[array.edge] = NewArray(shape: shape) { random in
        guard isWeight else { return Tensor(zeros: shape) }
        guard isTransposed else { return initializer.draw(shape, random) }
        return initializer.draw([shape[1], shape[0]], random).transposedMatrix
      }
    }
    self.arrays = arrays
    sizes = search.declaredSizes(
      of: head, along: isConvolution ? 1 : nil, through: Self.transparent)
  }

  /// Refuses a model whose first output doesn't follow.
  func check(_ output: Shape, of model: CheckedModel) throws(ONNXError) {
    let axis = isConvolution ? 1 : output.rank - 1
    guard output.rank >= 2, output[axis] == classes else {
      throw model.headProblem(
        expected: "an output of \(classes) classes after \"\(node.label)\" (\(node.operation))",
        got: "\(output)", "train the model with its own \(oldClasses) outputs")
    }
  }
}

extension CheckedModel {
  /// A problem of putting a new last layer into the model.
  func headProblem(
    expected: String, got: String, _ advice: String?
  ) -> ONNXError {
    .invalid(
      file: file,
      ONNXError.ModelProblem(place: "new head", expected: expected, got: got, advice: advice))
  }
}

extension Tensor {
  /// A `float32` matrix with rows and columns exchanged.
  fileprivate var transposedMatrix: Tensor {
    let (rows, columns) = (shape[0], shape[1])
    return withElements(as: Float.self) { elements in
      Tensor(
        (0..<rows * columns).map { elements[$0 % rows * columns + $0 / rows] },
        shape: [columns, rows])
    }
  }
}
