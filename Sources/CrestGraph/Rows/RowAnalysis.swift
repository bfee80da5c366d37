import CrestPlatform
package import CrestTensor

/// What the outputs of a graph depend on, example by example.
///
/// The examples of a batch lie along an axis of each input; the analysis follows them through all
/// operations, each of which says what it makes of them (``Operation/rows(_:)``). An output that is
/// `Rows` is proved to have each example's result where it says, from that example
/// alone. Nothing that isn't proved is taken for granted.
///
/// What one example gives may still depend on how many there are (a model may divide by their number):
/// two graphs for batches of different sizes compute the same of an example when they have the same
/// ``form(ofOutput:)``.
package struct RowAnalysis {
  /// How each output depends on the examples, in the graph's order.
  package let outputs: [Rows]
  private let graph: Graph
  private let count: Int
  private let rows: [Rows]
  private let settings: [AnyHashable?]
  /// What a value that no example has a part in holds, once along axes where it is uniform.
  ///
  /// A graph for few examples may have computed it already, one for many not: that is no difference.
  private let constants: [Int: Tensor]
  private static let constantLimit = 1 << 16

  /// Follows the examples through a graph.
  ///
  /// - Parameters:
  ///   - graph: A graph for one mode, as ``GraphBuilder/replay(_:inputTypes:mode:frozen:)`` gives it.
  ///   - axes: The axis of the examples in each input, in the graph's order; nil for an input that all
  ///     examples share.
  ///   - count: The number of examples.
  /// - Precondition: `count` is at least 2, and the size of each axis given.
  package init(_ graph: Graph, axes: [Int?], count: Int) {
    programmerError(
      unless: count >= 2 && axes.count == graph.inputs.count,
      "\(count) examples, \(axes.count) axes for \(graph.inputs.count) inputs")
    var rows: [Rows] = []
    rows.reserveCapacity(graph.values.count)
    var settings: [AnyHashable?] = Array(repeating: nil, count: graph.nodes.count)
    var pending: [Rows] = []
    var constants: [Int: Tensor] = [:]
    let places = Dictionary(
      uniqueKeysWithValues: zip(graph.inputs.map(\.value.index), graph.inputs.indices))
    for (index, value) in graph.values.enumerated() {
      switch value.origin {
      case .input:
        let axis = places[index].flatMap { axes[$0] }
        programmerError(
          unless: axis.map { value.type.shape[$0] == count } ?? true,
          "\(value.type) has no \(count) examples along axis \(axis ?? 0)")
        rows.append(axis.map { .along(axis: $0) } ?? .shared)
      case .variable: rows.append(.shared)
      case .constant(let tensor):
        let uniform = tensor.uniformAxes
        rows.append(.shared(uniform: uniform))
        constants[index] = tensor.withoutRepeats(along: uniform)
      case .node(let number, let output):
        if output == 0 {
          let node = graph.nodes[number]
          let flow = Self.flow(of: node, in: graph, rows, count)
          (pending, settings[number]) = (flow.outputs, flow.settings)
          let given = node.inputs.compactMap { constants[$0.index] }
          if given.count == node.inputs.count,
            given.allSatisfy({ $0.elementCount <= Self.constantLimit })
          {
            for (output, constant) in (flow.reduced?(given) ?? []).enumerated() {
              let shape = graph.type(of: node.outputs[output]).shape
              guard case .shared = pending[output], constant.shape.rank == shape.rank,
                constant.elementCount <= Self.constantLimit
              else { continue }
              let once = constant.withoutRepeats(along: constant.uniformAxes)
              pending[output] = .shared(
                uniform: Set(shape.indices.filter { shape[$0] > 1 && once.shape[$0] == 1 }))
              constants[node.outputs[output].index] = once
            }
          }
        }
        rows.append(pending[output])
      }
    }
    self.graph = graph
    self.count = count
    self.rows = rows
    self.settings = settings
    self.constants = constants
    outputs = graph.outputs.map { rows[$0.value.index] }
  }

  private static func flow(
    of node: Graph.Node, in graph: Graph, _ rows: [Rows], _ count: Int
  ) -> (outputs: [Rows], settings: AnyHashable?, reduced: (([Tensor]) -> [Tensor]?)?) {
    let inputs = node.inputs.map { rows[$0.index] }
    func shapes(_ values: [Graph.ValueID]) -> [Shape] { values.map { graph.type(of: $0).shape } }
    do throws(Graph.RowMixing) {
      for case .mixed(let mixing) in inputs { throw mixing }
      let context = RowContext(
        rows: inputs, inputs: shapes(node.inputs), outputs: shapes(node.outputs), count: count)
      let flow = try node.operation.rows(context)
      programmerError(
        unless: flow.outputs.count == node.outputs.count,
        "\(node.operation.name) says the rows of \(flow.outputs.count) outputs")
      guard !flow.keepsUniform else { return (flow.outputs, flow.settings, flow.reduced) }
      // The sizes that forms leave out of what is shared make a difference here.
      let sizes = zip(inputs, context.inputs).map { rows, shape -> Shape? in
        if case .shared = rows { shape } else { nil }
      }
      return (flow.outputs, AnyHashable([flow.settings, AnyHashable(sizes)]), nil)
    } catch {
      let mixing = error.operation.isEmpty ? error.located(in: node) : error
      return (node.outputs.map { _ in .mixed(mixing) }, nil, nil)
    }
  }

  /// The shape of an output.
  package func shape(ofOutput output: Int) -> Shape {
    graph.type(of: graph.outputs[output].value).shape
  }

  /// What is computed of one example for an output; nil when that isn't proved to be of one example.
  package func form(ofOutput output: Int) -> RowForm? {
    if case .mixed = outputs[output] { return nil }
    var numbers: [Int: Int] = [:]
    var live = Set([graph.outputs[output].value.index])
    for node in graph.nodes.reversed()
    where node.outputs.contains(where: { live.contains($0.index) && constants[$0.index] == nil }) {
      live.formUnion(node.outputs.map(\.index))
      live.formUnion(node.inputs.map(\.index))
    }
    var steps: [RowForm.Step] = []
    for (index, value) in graph.values.enumerated() where live.contains(index) {
      numbers[index] = steps.count
      let type = RowForm.ValueForm(rows[index], value.type, count: count)
      if let constant = constants[index] {
        steps.append(RowForm.Step(type, constant: constant))
        continue
      }
      switch value.origin {
      case .input(let name): steps.append(RowForm.Step(type, source: AnyHashable("input \(name)")))
      case .variable(let number): steps.append(RowForm.Step(type, source: AnyHashable(number)))
      case .constant: programmerError("the constant %\(index) is not known")
      case .node(let number, let output):
        guard let settings = settings[number] else { return nil }
        let inputs = graph.nodes[number].inputs.map { numbers[$0.index] ?? -1 }
        steps.append(
          RowForm.Step(
            type, source: AnyHashable([settings, AnyHashable(inputs), AnyHashable(output)])))
      }
    }
    return RowForm(steps: steps)
  }
}

/// What a graph computes of one example, whatever the size of its batch.
package struct RowForm: Equatable {
  /// The type of a value, the number of examples apart.
  struct ValueForm: Hashable {
    let elementType: ElementType
    let sizes: [Int]
    let axis: Int?
    let inner: Int

    init(_ rows: Rows, _ type: ValueType, count: Int) {
      var sizes = type.shape.dimensions
      elementType = type.elementType
      switch rows {
      case .along(let axis, let inner):
        sizes[axis] /= count
        (self.axis, self.inner) = (axis, inner)
      case .shared(let uniform):
        for axis in uniform { sizes[axis] = -1 }
        (axis, inner) = (nil, 1)
      case .mixed: (axis, inner) = (nil, 0)
      }
      self.sizes = sizes
    }
  }

  /// A value on the way: what makes it, from the values before it.
  struct Step: Equatable {
    let type: ValueForm
    var source: AnyHashable?
    /// What a constant holds, once along axes where it repeats itself.
    var constant: Tensor?

    init(_ type: ValueForm, source: AnyHashable? = nil, constant: Tensor? = nil) {
      self.type = type
      self.source = source
      self.constant = constant
    }
  }

  let steps: [Step]
}

extension Tensor {
  /// The axes of more than one element along which all elements are equal, by their bits.
  var uniformAxes: Set<Int> {
    guard elementCount > 0 else { return [] }
    let width = elementType.byteCount
    return withUnsafeBytes { bytes in
      Set(
        shape.indices.filter { axis in
          guard shape[axis] > 1 else { return false }
          let step = shape.dimensions[(axis + 1)...].reduce(width, *)
          guard let base = bytes.baseAddress else { return false }
          // Each run of `step` bytes equals the one before it.
          return stride(from: 0, to: bytes.count, by: step * shape[axis]).allSatisfy { block in
            memcmp(base + block, base + block + step, step * (shape[axis] - 1)) == 0
          }
        })
    }
  }

  /// The first element along each of some axes.
  func withoutRepeats(along axes: Set<Int>) -> Tensor {
    guard !axes.isEmpty else { return self }
    let sizes = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
    let kept = Shape(sizes)
    let strides = shape.strides
    let width = elementType.byteCount
    var result = Tensor(zeros: kept, elementType: elementType)
    withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        for element in 0..<kept.elementCount {
          let place = offset(kept.index(ofElement: element), strides) * width
          for byte in 0..<width { target[element * width + byte] = source[place + byte] }
        }
      }
    }
    return result
  }
}
