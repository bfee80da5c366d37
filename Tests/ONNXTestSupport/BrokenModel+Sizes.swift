import CrestONNX
import CrestTensor

extension BrokenModel {
  /// Numbers that break what is sloppy.
  private static let most = Int64.max
  private static let least = Int64.min

  // MARK: Windows

  private static func conv(
    _ name: String, _ filter: Shape = [2, 1, 3, 3],
    _ attributes: KeyValuePairs<String, AttributeDraft> = [:], _ operation: String = "Conv"
  ) -> BrokenModel {
    node(name, operation, ["x", "w"], attributes, [zeros("w", filter)])
  }

  private static func pool(
    _ name: String, _ attributes: KeyValuePairs<String, AttributeDraft>,
    _ operation: String = "MaxPool"
  ) -> BrokenModel {
    node(name, operation, ["x"], attributes)
  }

  static let windows: [BrokenModel] = [
    conv("a convolution with stride 0", [2, 1, 3, 3], ["strides": .ints([0, 1])]),
    conv("a convolution with a negative stride", [2, 1, 3, 3], ["strides": .ints([1, -1])]),
    conv("a convolution with one stride", [2, 1, 3, 3], ["strides": .ints([1])]),
    conv("a convolution with dilation 0", [2, 1, 3, 3], ["dilations": .ints([1, 0])]),
    conv(
      "a convolution with a dilation of 2^62", [2, 1, 3, 3], ["dilations": .ints([1, 1 << 62])]),
    conv("a convolution with negative pads", [2, 1, 3, 3], ["pads": .ints([-1, 0, 0, 0])]),
    conv("a convolution with three pads", [2, 1, 3, 3], ["pads": .ints([1, 1, 1])]),
    conv(
      "a convolution with pads of 2^63 - 1", [2, 1, 3, 3], ["pads": .ints([most, 0, most, 0])]),
    conv("a convolution with pads of 2^40", [2, 1, 3, 3], ["pads": .ints([0, 0, 1 << 40, 0])]),
    conv("a convolution in 0 groups", [2, 1, 3, 3], ["group": .int(0)]),
    conv("a convolution in -1 groups", [2, 1, 3, 3], ["group": .int(-1)]),
    conv("a convolution in -2^63 groups", [2, 1, 3, 3], ["group": .int(least)]),
    conv("a convolution in 3 groups", [2, 1, 3, 3], ["group": .int(3)]),
    conv("a convolution of other channels", [2, 3, 3, 3]),
    conv("a convolution of other axes", [2, 1, 3]),
    conv("a convolution with an empty filter", [2, 1, 0, 3]),
    conv("a convolution with no filters", [0, 1, 3, 3]),
    conv("a convolution larger than its input", [2, 1, 9, 3]),
    conv(
      "a convolution whose kernel_shape differs", [2, 1, 3, 3], ["kernel_shape": .ints([5, 5])]),
    conv("a convolution with unknown padding", [2, 1, 3, 3], ["auto_pad": .string("SAME")]),
    conv(
      "automatic pads for a stride of 2^62", [2, 1, 3, 3],
      ["auto_pad": .string("SAME_UPPER"), "strides": .ints([1 << 62, 1])]),
    conv(
      "automatic pads for a dilation of 2^62", [2, 1, 3, 3],
      ["auto_pad": .string("SAME_LOWER"), "dilations": .ints([1 << 62, 1])]),
    node(
      "a convolution with a bias of another size", "Conv", ["x", "w", "b"], [:],
      [zeros("w", [2, 1, 3, 3]), zeros("b", [3])]),
    node(
      "a convolution of integers", "Conv", ["x", "w"], [:], [zeros("w", [2, 1, 3, 3], .int64)]),
    nodes(
      "a convolution of vectors",
      [
        NodeDraft("Flatten", inputs: ["x"], outputs: ["f"]),
        NodeDraft("Conv", inputs: ["f", "w"], outputs: ["y"]),
      ], [zeros("w", [2, 64])]),
    conv(
      "a transposed convolution to a negative size", [1, 2, 3, 3],
      ["output_shape": .ints([-1, 8])], "ConvTranspose"),
    conv(
      "a transposed convolution to a size out of reach", [1, 2, 3, 3],
      ["output_shape": .ints([1 << 40, 8])], "ConvTranspose"),
    conv(
      "a transposed convolution with negative output padding", [1, 2, 3, 3],
      ["output_padding": .ints([-1, 0])], "ConvTranspose"),
    conv(
      "a transposed convolution with output padding of 2^63 - 1", [1, 2, 3, 3],
      ["output_padding": .ints([most, 0])], "ConvTranspose"),
    conv(
      "a transposed convolution with a stride of 2^62", [1, 2, 3, 3],
      ["strides": .ints([1 << 62, 1])],
      "ConvTranspose"),
    conv(
      "a transposed convolution with a stride of 11,716,387, cut to size", [1, 2, 3, 3],
      ["strides": .ints([11_716_387, 2]), "output_shape": .ints([10, 9])], "ConvTranspose"),
    conv(
      "a transposed convolution with pads beyond", [1, 2, 3, 3], ["pads": .ints([99, 0, 99, 0])],
      "ConvTranspose"),
    conv(
      "a transposed convolution in 0 groups", [1, 2, 3, 3], ["group": .int(0)], "ConvTranspose"),
    pool("a pool without kernel", [:]),
    pool("a pool with kernel 0", ["kernel_shape": .ints([0, 2])]),
    pool("a pool with a negative kernel", ["kernel_shape": .ints([least, 2])]),
    pool("a pool with one kernel size", ["kernel_shape": .ints([2])]),
    pool("a pool with stride 0", ["kernel_shape": .ints([2, 2]), "strides": .ints([0, 2])]),
    pool("a pool with dilation 0", ["kernel_shape": .ints([2, 2]), "dilations": .ints([0, 1])]),
    pool("a pool larger than its input", ["kernel_shape": .ints([9, 9])]),
    pool(
      "a pool of padding", ["kernel_shape": .ints([2, 2]), "pads": .ints([2, 2, 2, 2])]),
    pool(
      "a pool of 2^30 × 2^30 padding",
      [
        "kernel_shape": .ints([1 << 30, 1 << 30]),
        "pads": .ints([1 << 29, 1 << 29, 1 << 29, 1 << 29]),
      ],
      "AveragePool"),
    pool(
      "a pool of 2^63 - 1",
      ["kernel_shape": .ints([most, most]), "auto_pad": .string("SAME_UPPER")]),
    pool(
      "a negative pool with automatic pads",
      ["kernel_shape": .ints([least, 1]), "auto_pad": .string("SAME_UPPER")]),
    pool("a pool with a ceil mode of 2", ["kernel_shape": .ints([2, 2]), "ceil_mode": .int(2)]),
    node("a global pool of a vector", "GlobalAveragePool", ["v"], [:], [zeros("v", [4])]),
  ]

  // MARK: Shapes

  /// An operation whose second input is a vector of whole numbers.
  private static func by(
    _ name: String, _ operation: String, _ numbers: [Int64],
    _ attributes: KeyValuePairs<String, AttributeDraft> = [:], _ more: [TensorDraft] = [],
    opset: Int64 = 17
  ) -> BrokenModel {
    node(
      name, operation, ["x", "n"] + more.map(\.name), attributes, [integers("n", numbers)] + more,
      opset: opset)
  }

  static let shapes: [BrokenModel] = [
    by("a reshape to other elements", "Reshape", [3, 5]),
    by("a reshape with two open sizes", "Reshape", [-1, -1]),
    by("a reshape to -2", "Reshape", [-2, 64]),
    by("a reshape to 2^64 elements", "Reshape", [1 << 32, 1 << 32]),
    by("a reshape to 2^63 - 1 and open", "Reshape", [most, most, -1]),
    by("a reshape that copies what isn't there", "Reshape", [0, 0, 0, 0, 0]),
    by("a reshape with 0 and an open size", "Reshape", [0, -1], ["allowzero": .int(1)]),
    by("a reshape to 20 dimensions of 2^62", "Reshape", [Int64](repeating: 1 << 62, count: 20)),
    node("a reshape to floats", "Reshape", ["x", "n"], [:], [zeros("n", [2])]),
    node("a reshape to what data say", "Reshape", ["x", "x"]),
    node("a reshape to nothing", "Reshape", ["x", ""]),
    by("an expansion to 2^120 elements", "Expand", [1 << 60, 1 << 60, 1, 1]),
    by("an expansion to a negative size", "Expand", [-8, 8]),
    by("an expansion to another size", "Expand", [7]),
    by("an expansion to 2^40 elements", "Expand", [1 << 40, 1, 1, 1]),
    by("a tile of negative repeats", "Tile", [-1, 1, 1, 1]),
    by("a tile of two repeats", "Tile", [1, 1]),
    by("a tile of 2^63 - 1 repeats", "Tile", [1, most, 1, 1]),
    by("a tile of 2^62 × 2^62 repeats", "Tile", [1 << 62, 1 << 62, 1, 1]),
    by("pads of another count", "Pad", [1, 1, 1]),
    by("pads of 2^63 - 1", "Pad", [0, 0, most, most, 0, 0, most, most]),
    by("pads of -2^63", "Pad", [0, 0, least, 0, 0, 0, 0, 0]),
    by("pads that take more than there is", "Pad", [0, 0, -9, 0, 0, 0, 0, 0]),
    by("pads by an unknown mode", "Pad", [0, 0, 1, 1, 0, 0, 1, 1], ["mode": .string("mirror")]),
    by("pads of 2^40", "Pad", [0, 0, 1 << 40, 0, 0, 0, 0, 0]),
    node("pads that are missing", "Pad", opset: 9),
    node(
      "pads along an axis twice", "Pad", ["x", "p", "", "a"], [:],
      [integers("p", [1, 1, 1, 1]), integers("a", [2, 2])], opset: 18),
    slice("a slice with step 0", [0], [4], [2], [0]),
    slice("a slice along an axis that isn't there", [0], [4], [7], [1]),
    slice("a slice along an axis twice", [0, 0], [4, 4], [2, -2], [1, 1]),
    slice("a slice with more ends than starts", [0], [4, 4], [2], [1]),
    slice("a slice with more steps than starts", [0], [4], [2], [1, 1]),
    node("a slice without ends", "Slice", ["x"], ["starts": .ints([0])], opset: 9),
    node(
      "a squeeze of a size that isn't 1", "Squeeze", ["x", "n"], [:], [integers("n", [2])]),
    by("a squeeze of an axis that isn't there", "Squeeze", [most]),
    by("a squeeze of -2^63", "Squeeze", [least]),
    by("an axis inserted twice", "Unsqueeze", [0, 0]),
    by("an axis inserted too far", "Unsqueeze", [9]),
    by("an axis inserted at -2^63", "Unsqueeze", [least]),
    node("axes inserted that are missing", "Unsqueeze", ["x"], opset: 11),
    node("a transposition of an axis twice", "Transpose", ["x"], ["perm": .ints([0, 1, 2, 2])]),
    node("a transposition of three axes", "Transpose", ["x"], ["perm": .ints([0, 1, 2])]),
    node("a transposition of -1", "Transpose", ["x"], ["perm": .ints([0, 1, 2, -1])]),
    node("a flattening beyond", "Flatten", ["x"], ["axis": .int(5)]),
    node("a flattening at -2^63", "Flatten", ["x"], ["axis": .int(least)]),
    node("a concatenation without axis", "Concat", ["x", "x"]),
    node(
      "a concatenation along an axis that isn't there", "Concat", ["x", "x"], ["axis": .int(-5)]),
    node("a concatenation at 2^63 - 1", "Concat", ["x", "x"], ["axis": .int(most)]),
    node(
      "a concatenation of ranks", "Concat", ["x", "w"], ["axis": .int(1)], [zeros("w", [8])]),
    node(
      "a split into other sizes", "Split", ["x", "n"], ["axis": .int(2)], [integers("n", [4, 5])],
      outputs: ["y", "z"]),
    node(
      "a split into a negative size", "Split", ["x", "n"], ["axis": .int(2)],
      [integers("n", [-1, 9])], outputs: ["y", "z"]),
    node(
      "a split into 2^63 - 1", "Split", ["x", "n"], ["axis": .int(2)],
      [integers("n", [most, most])], outputs: ["y", "z"]),
    node(
      "a split into three of eight", "Split", ["x"], ["axis": .int(2)], outputs: ["y", "z", "u"]),
    node(
      "a split into another number", "Split", ["x"], ["axis": .int(2), "num_outputs": .int(3)],
      outputs: ["y", "z"], opset: 18),
    node(
      "a choice along an axis that isn't there", "Gather", ["x", "n"], ["axis": .int(9)],
      [integers("n", [0])]),
    node("a choice beyond", "Gather", ["x", "n"], ["axis": .int(2)], [integers("n", [8])]),
    node("a choice of -2^63", "Gather", ["x", "n"], ["axis": .int(2)], [integers("n", [least])]),
    node("a choice by floats", "Gather", ["x", "x"]),
    node(
      "a choice of elements beyond", "GatherElements", ["w", "n"], [:],
      [zeros("w", [2]), integers("n", [0, 2])]),
    node(
      "a constant of 2^120 elements", "ConstantOfShape", ["n"], [:],
      [integers("n", [1 << 60, 1 << 60])]),
    node("a constant of a negative size", "ConstantOfShape", ["n"], [:], [integers("n", [-1])]),
    node("a constant of 2^40 elements", "ConstantOfShape", ["n"], [:], [integers("n", [1 << 40])]),
    node(
      "a constant of two values", "ConstantOfShape", ["n"], ["value": .tensor(zeros("", [2]))],
      [integers("n", [2])]),
    range("a range by 0", 0, 10, 0),
    range("a range of 2^63 numbers", least, most, 1),
    range("a range of 2^40 numbers", 0, 1 << 40, 1),
    node("a range of what data say", "Range", ["x", "x", "x"]),
    node("a range of nothing", "Range", ["", "", ""]),
    node(
      "a range of two types", "Range", ["a", "b", "b"], [:],
      [zeros("a", []), zeros("b", [], .int64)]),
    oneHot("classes of a negative depth", -1),
    oneHot("classes of a depth of 2^40", 1 << 40),
    oneHot("classes of a depth of 2^63 - 1", most),
    node("a sum along an axis that isn't there", "CumSum", ["x", "n"], [:], [integers("n", [4])]),
    node("a sum along an axis of -2^63", "CumSum", ["x", "n"], [:], [integers("n", [least])]),
    node("a sum along no axis", "CumSum", ["x", "n"], [:], [integers("n", [])]),
    node("a triangle of a vector", "Trilu", ["w"], [:], [zeros("w", [4])]),
    node("a cast to a type that nobody knows", "Cast", ["x"], ["to": .int(99)]),
    node("a cast to texts", "Cast", ["x"], ["to": .int(8)]),
    node("a cast to 2^40", "Cast", ["x"], ["to": .int(1 << 40)]),
    node("a cast to nothing", "Cast"),
  ]

  private static func slice(
    _ name: String, _ starts: [Int64], _ ends: [Int64], _ axes: [Int64], _ steps: [Int64]
  ) -> BrokenModel {
    node(
      name, "Slice", ["x", "starts", "ends", "axes", "steps"], [:],
      [
        integers("starts", starts), integers("ends", ends), integers("axes", axes),
        integers("steps", steps),
      ])
  }

  private static func scalar(_ name: String, _ value: Int64) -> TensorDraft {
    TensorDraft(name: name, Tensor(scalar: value))
  }

  private static func range(
    _ name: String, _ start: Int64, _ limit: Int64, _ step: Int64
  ) -> BrokenModel {
    node(
      name, "Range", ["a", "b", "c"], [:],
      [scalar("a", start), scalar("b", limit), scalar("c", step)])
  }

  private static func oneHot(_ name: String, _ depth: Int64) -> BrokenModel {
    nodes(
      name,
      [
        NodeDraft("ArgMax", inputs: ["x"], outputs: ["i"], attributes: [("axis", .int(3))]),
        NodeDraft("OneHot", inputs: ["i", "d", "v"], outputs: ["y"]),
      ], [scalar("d", depth), zeros("v", [2])])
  }

  // MARK: Arithmetic

  static let arithmetic: [BrokenModel] = [
    node("sizes that don't broadcast", "Add", ["x", "w"], [:], [zeros("w", [7])]),
    node("types that differ", "Mul", ["x", "w"], [:], [zeros("w", [8], .int64)]),
    node("logic of numbers", "And", ["x", "x"]),
    node("a choice by numbers", "Where", ["x", "x", "x"]),
    node("a root of truth", "Sqrt", ["w"], [:], [zeros("w", [1], .bool)]),
    node("a remainder of floats", "Mod", ["x", "x"]),
    nodes(
      "an integer divided by 0, as a shape",
      [
        NodeDraft("Div", inputs: ["a", "b"], outputs: ["n"]),
        NodeDraft("Reshape", inputs: ["x", "n"], outputs: ["y"]),
      ], [integers("a", [1]), integers("b", [0])]),
    nodes(
      "a remainder by 0, as a shape",
      [
        NodeDraft("Mod", inputs: ["a", "b"], outputs: ["n"]),
        NodeDraft("Reshape", inputs: ["x", "n"], outputs: ["y"]),
      ], [integers("a", [1]), integers("b", [0])]),
    nodes(
      "the least integer divided by -1, as a shape",
      [
        NodeDraft("Div", inputs: ["a", "b"], outputs: ["n"]),
        NodeDraft("Reshape", inputs: ["x", "n"], outputs: ["y"]),
      ], [integers("a", [least]), integers("b", [-1])]),
    node("a clip by a vector", "Clip", ["x", "w"], [:], [zeros("w", [3])]),
    node("a mean along an axis that isn't there", "ReduceMean", ["x"], ["axes": .ints([4])]),
    node("a mean along an axis twice", "ReduceMean", ["x"], ["axes": .ints([1, -3])]),
    node("a mean along -2^63", "ReduceMean", ["x"], ["axes": .ints([least])]),
    node("a softmax along an axis that isn't there", "Softmax", ["x"], ["axis": .int(4)]),
    node(
      "an old softmax along an axis that isn't there", "Softmax", ["x"], ["axis": .int(9)],
      opset: 11),
    node("an old softmax along -2^63", "Softmax", ["x"], ["axis": .int(least)], opset: 11),
    node("a largest along an axis that isn't there", "ArgMax", ["x"], ["axis": .int(most)]),
    node("a product of other sizes", "MatMul", ["x", "w"], [:], [zeros("w", [7, 2])]),
    node("a product with a number", "MatMul", ["x", "w"], [:], [zeros("w", [])]),
    node("Gemm of four axes", "Gemm", ["x", "w"], [:], [zeros("w", [8, 2])]),
    gemm("Gemm of other sizes", [63, 2]),
    gemm("Gemm with a flag of 2", [64, 2], ["transB": .int(2)]),
    gemm("Gemm with a bias of another size", [64, 2], [:], bias: [3]),
  ]

  private static func gemm(
    _ name: String, _ weight: Shape, _ attributes: KeyValuePairs<String, AttributeDraft> = [:],
    bias: Shape? = nil
  ) -> BrokenModel {
    nodes(
      name,
      [
        NodeDraft("Flatten", inputs: ["x"], outputs: ["f"]),
        NodeDraft(
          "Gemm", inputs: ["f", "w"] + (bias == nil ? [] : ["b"]), outputs: ["y"],
          attributes: attributes.map { ($0.key, $0.value) }),
      ], [zeros("w", weight)] + (bias.map { [zeros("b", $0)] } ?? []))
  }

  // MARK: Layers

  private static func norm(
    _ name: String, _ operation: String, _ size: Int,
    _ attributes: KeyValuePairs<String, AttributeDraft> = [:], opset: Int64 = 17
  ) -> BrokenModel {
    let inputs =
      operation == "BatchNormalization" ? ["s", "b", "m", "v"] : ["s", "b"]
    return node(
      name, operation, ["x"] + inputs, attributes, inputs.map { zeros($0, [size]) }, opset: opset)
  }

  private static func lstm(
    _ name: String, _ weight: Shape = [1, 8, 64], _ recurrence: Shape = [1, 8, 2],
    _ attributes: KeyValuePairs<String, AttributeDraft> = [:], _ operation: String = "LSTM",
    _ more: [TensorDraft] = []
  ) -> BrokenModel {
    nodes(
      name,
      [
        NodeDraft("Flatten", inputs: ["x"], outputs: ["f"], attributes: [("axis", .int(1))]),
        NodeDraft("Unsqueeze", inputs: ["f", "a"], outputs: ["s"]),
        NodeDraft(
          operation, inputs: ["s", "w", "r"] + more.map(\.name), outputs: ["", "y"],
          attributes: attributes.map { ($0.key, $0.value) }),
      ], [integers("a", [0]), zeros("w", weight), zeros("r", recurrence)] + more)
  }

  static let layers: [BrokenModel] = [
    norm("batch norm of other channels", "BatchNormalization", 2),
    norm("batch norm with an integer for epsilon", "BatchNormalization", 1, ["epsilon": .int(1)]),
    norm("batch norm with a negative epsilon", "BatchNormalization", 1, ["epsilon": .float(-1)]),
    norm("batch norm with a momentum of 2", "BatchNormalization", 1, ["momentum": .float(2)]),
    norm("batch norm with a momentum of NaN", "BatchNormalization", 1, ["momentum": .float(.nan)]),
    norm("old batch norm by element", "BatchNormalization", 1, ["spatial": .int(0)], opset: 7),
    norm("batch norm with a mode of 3", "BatchNormalization", 1, ["training_mode": .int(3)]),
    node(
      "batch norm of computed statistics", "BatchNormalization", ["x", "s", "s", "m", "m"], [:],
      [zeros("s", [1]), zeros("m", [1], .float64)]),
    norm("layer norm along an axis that isn't there", "LayerNormalization", 8, ["axis": .int(9)]),
    norm("layer norm along -2^63", "LayerNormalization", 8, ["axis": .int(least)]),
    norm("layer norm of another size", "LayerNormalization", 7),
    norm("layer norm with an epsilon of NaN", "LayerNormalization", 8, ["epsilon": .float(.nan)]),
    norm("instance norm of other channels", "InstanceNormalization", 2),
    norm("group norm in 0 groups", "GroupNormalization", 1, ["num_groups": .int(0)], opset: 21),
    norm("group norm in 3 groups", "GroupNormalization", 1, ["num_groups": .int(3)], opset: 21),
    norm(
      "group norm in -2^63 groups", "GroupNormalization", 1, ["num_groups": .int(least)], opset: 21),
    norm("group norm without groups", "GroupNormalization", 1, opset: 21),
    node("dropout of 1.5", "Dropout", ["x"], ["ratio": .float(1.5)], opset: 11),
    node("dropout of -1", "Dropout", ["x"], ["ratio": .float(-1)], opset: 11),
    node("dropout of NaN", "Dropout", ["x"], ["ratio": .float(.nan)], opset: 11),
    node("dropout of two ratios", "Dropout", ["x", "w"], [:], [zeros("w", [2])]),
    node("dropout of what data say", "Dropout", ["x", "x"]),
    lstm(
      "an LSTM in an odd direction", [1, 8, 64], [1, 8, 2], ["direction": .string("sideways")]),
    lstm(
      "an LSTM with weights for one direction", [1, 8, 64], [1, 8, 2],
      ["direction": .string("bidirectional")]),
    lstm("an LSTM of another hidden size", [1, 8, 64], [1, 8, 2], ["hidden_size": .int(3)]),
    lstm("an LSTM of a negative hidden size", [1, 8, 64], [1, 8, 2], ["hidden_size": .int(-2)]),
    lstm("an LSTM of no hidden size", [1, 0, 64], [1, 0, 0], ["hidden_size": .int(0)]),
    lstm("an LSTM with other gates", [1, 6, 64], [1, 6, 2]),
    lstm("an LSTM of other data", [1, 8, 63], [1, 8, 2]),
    lstm("an LSTM with a flat recurrence", [1, 8, 64], [8, 2]),
    lstm("an LSTM with a layout of 2", [1, 8, 64], [1, 8, 2], ["layout": .int(2)]),
    lstm("an LSTM with a negative clip", [1, 8, 64], [1, 8, 2], ["clip": .float(-1)]),
    lstm("an LSTM with a clip of NaN", [1, 8, 64], [1, 8, 2], ["clip": .float(.nan)]),
    lstm(
      "an LSTM with an unknown activation", [1, 8, 64], [1, 8, 2],
      ["activations": .strings(["Tanh", "Tanh", "Swish"])]),
    lstm(
      "an LSTM with two activations", [1, 8, 64], [1, 8, 2],
      ["activations": .strings(["Tanh", "Tanh"])]),
    lstm(
      "an LSTM with a bias of another size", [1, 8, 64], [1, 8, 2], [:], "LSTM",
      [zeros("b", [1, 8])]),
    lstm("a GRU with the weights of an LSTM", [1, 8, 64], [1, 8, 2], [:], "GRU"),
    lstm("an RNN with the weights of an LSTM", [1, 8, 64], [1, 8, 2], [:], "RNN"),
    node(
      "an LSTM of images", "LSTM", ["x", "w", "r"], [:],
      [zeros("w", [1, 8, 8]), zeros("r", [1, 8, 2])]),
  ]
}
