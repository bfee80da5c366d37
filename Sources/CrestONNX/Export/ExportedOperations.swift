import CrestGraph
import CrestTensor

/// An operation that ONNX has under the same name, without attributes.
private protocol SameInONNX: ExportedOperation {}

extension SameInONNX {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name)
  }
}

extension GlobalAveragePool: SameInONNX {}
extension MatMul: SameInONNX {}

extension Elementwise: ExportedOperation {
  var isInOpset: Bool {
    if case .composed = function.row.onnx { false } else { true }
  }

  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    let inputs = node.inputs.map { export.name(of: $0) }
    let output = export.name(of: node.outputs[0])
    switch function.row.onnx {
    case .operator: export.add(name)
    case .comparison(let comparison):
      let mask = export.intermediate(comparison, inputs)
      let type = export.graph.type(of: node.outputs[0]).elementType
      export.add("Cast", [mask], [output], [("to", .type(type))])
    case .choice:
      let condition = export.intermediate("Cast", [inputs[2]], [("to", .type(.bool))])
      export.add("Where", [condition, inputs[0], inputs[1]], [output])
    case .composed, .none: throw export.unsupported("an operation that exists in ONNX", got: name)
    }
  }
}

extension Cast: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, [("to", .type(elementType))])
  }
}

extension Softmax: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, [("axis", .int(Int64(axis)))])
  }
}

extension Concat: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, [("axis", .int(Int64(axis)))])
  }
}

extension Gather: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, [("axis", .int(Int64(axis)))])
  }
}

extension Flatten: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, [("axis", .int(Int64(axis)))])
  }
}

extension Split: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    let inputs = node.inputs.map { export.name(of: $0) }
    let outputs = node.outputs.map { export.name(of: $0) }
    export.add(
      name, inputs + [export.initializer(.sizes(sizes), "split")], outputs,
      [("axis", .int(Int64(axis)))])
  }
}

extension Unsqueeze: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, more: [export.initializer(.sizes(axes), "axes")])
  }
}

extension Squeeze: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, more: [export.initializer(.sizes(axes), "axes")])
  }
}

extension Transpose: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, [("perm", .sizes(permutation))])
  }
}

extension Reshape: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    let shape = export.initializer(.sizes(sizes), "shape")
    export.add(name, more: [shape], allowsZero ? [("allowzero", .int(1))] : [])
  }
}

extension Expand: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, more: [export.initializer(.sizes(shape.dimensions), "shape")])
  }
}

extension Slice: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(
      name,
      more: [
        export.initializer(.sizes(starts), "starts"), export.initializer(.sizes(ends), "ends"),
        export.initializer(.sizes(axes), "axes"), export.initializer(.sizes(steps), "steps"),
      ])
  }
}

extension Pad: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    let type = export.graph.type(of: node.inputs[0]).elementType
    let border =
      type.isFloat
      ? Tensor(rounding: [value], to: type, shape: [])
      : Tensor(wrapping: [Int64(value)], to: type, shape: [])
    export.add(
      name,
      more: [
        export.initializer(.sizes(before + after), "pads"), export.initializer(border, "border"),
      ])
  }
}

extension Reduce: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    let keeps: (String, AttributeDraft) = ("keepdims", .int(keepsDimensions ? 1 : 0))
    switch kind {
    case .sum: export.add(name, more: [export.initializer(.sizes(axes), "axes")], [keeps])
    // These take axes as an input only from opset 18 on.
    case .max, .mean, .min, .product: export.add(name, [("axes", .sizes(axes)), keeps])
    }
  }
}

extension Gemm: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(
      name,
      [
        ("alpha", .float(Float(alpha))), ("beta", .float(Float(beta))),
        ("transA", .int(transposesA ? 1 : 0)), ("transB", .int(transposesB ? 1 : 0)),
      ])
  }
}

extension Conv: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    let filter = export.graph.type(of: node.inputs[1]).shape
    export.add(
      name,
      [
        ("dilations", .sizes(attributes.dilations)), ("group", .int(Int64(attributes.groups))),
        ("kernel_shape", .sizes(Array(filter.dropFirst(2)))),
        ("pads", .sizes(attributes.padsBefore + attributes.padsAfter)),
        ("strides", .sizes(attributes.strides)),
      ])
  }
}

extension ConvTranspose: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    let filter = export.graph.type(of: node.inputs[1]).shape
    export.add(
      name,
      [
        ("dilations", .sizes(attributes.dilations)), ("group", .int(Int64(attributes.groups))),
        ("kernel_shape", .sizes(Array(filter.dropFirst(2)))),
        ("output_padding", .sizes(outputPadding)),
        ("pads", .sizes(attributes.padsBefore + attributes.padsAfter)),
        ("strides", .sizes(attributes.strides)),
      ])
  }
}

extension Tile: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, more: [export.initializer(.sizes(repeats), "repeats")])
  }
}

extension MaxPool: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, attributes.common + [("dilations", .sizes(attributes.dilations))])
  }
}

extension AveragePool: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    guard attributes.dilations.allSatisfy({ $0 == 1 }) else {
      throw export.unsupported(
        "dilations of 1, because ONNX has others only from opset 19", got: "\(attributes.dilations)"
      )
    }
    export.add(
      name,
      attributes.common + [("count_include_pad", .int(attributes.countsPadding ? 1 : 0))])
  }
}

extension PoolAttributes {
  fileprivate var common: [(name: String, value: AttributeDraft)] {
    [
      ("ceil_mode", .int(ceilMode ? 1 : 0)), ("kernel_shape", .sizes(kernel)),
      ("pads", .sizes(padsBefore + padsAfter)), ("strides", .sizes(strides)),
    ]
  }
}

extension BatchNormalization: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(
      name, [("epsilon", .float(Float(epsilon))), ("momentum", .float(Float(momentum)))])
  }
}

extension LayerNormalization: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, [("axis", .int(Int64(axis))), ("epsilon", .float(Float(epsilon)))])
  }
}

extension Dropout: ExportedOperation {
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError) {
    export.add(name, more: [export.initializer(Tensor(scalar: Float(rate)), "ratio")])
  }
}

extension AttributeDraft {
  fileprivate static func sizes(_ sizes: [Int]) -> AttributeDraft { .ints(sizes.map(Int64.init)) }

  fileprivate static func type(_ type: ElementType) -> AttributeDraft {
    .int(Int64(TensorDataType(type).rawValue))
  }
}

extension Tensor {
  fileprivate static func sizes(_ sizes: [Int]) -> Tensor { Tensor(sizes.map(Int64.init)) }
}
