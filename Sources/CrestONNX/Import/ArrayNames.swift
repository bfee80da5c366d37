/// What exporters call arrays that have no name in the program that they export.
enum ArrayNames {
  /// Whether an exporter made the name up, so that it is none of a parameter or buffer.
  static func isMadeUp(_ name: String) -> Bool {
    // PyTorch's older exporter: onnx::Mul_17, /layer/Constant_output_0, 17.
    if name.hasPrefix("onnx::") || name.hasPrefix("/") { return true }
    let stem = stem(of: name)
    return stem.isEmpty || results.contains(stem) || literals.contains(stem)
  }

  /// Whether it is the name of numbers that the program states where it computes with them.
  static func isLiteral(_ name: String) -> Bool { literals.contains(stem(of: name)) }

  /// Whether the last part of the name is one of mean, deviation or variance.
  static func isStatistic(_ name: String) -> Bool {
    let last = name.lowercased().split(separator: ".").last.map(String.init) ?? ""
    return ["mean", "std", "stdev", "var", "variance"].contains { word in
      last == word || last.hasSuffix("_" + word)
    }
  }

  /// Whether an exporter named a result so that it is another arrangement of arrays, or of numbers.
  static func isArrangement(_ name: String) -> Bool {
    let stem = stem(of: name)
    // A parameter may have the shorter names of operations as well.
    return arrangements.contains(stem) || literals.contains(stem)
      || ["t", "flatten", "embedding"].contains(stem)
  }

  /// Whether an exporter named a result of what was picked from an array by indices.
  static func isLookup(_ name: String) -> Bool {
    ["embedding", "index", "index_select", "select"].contains(stem(of: name))
  }

  /// Whether an exporter named it after an operation that computes new numbers.
  static func isComputed(_ name: String) -> Bool {
    computed.contains(stem(of: name))
  }

  /// Whether it is the name of a vector of spectral norm's power iteration.
  static func isPowerIteration(_ name: String) -> Bool {
    ["weight_u", "weight_v", ".0._u", ".0._v"].contains { name.hasSuffix($0) }
  }

  /// Whether it is what the optimiser of PyTorch's newer exporter calls a bound of joined operations.
  static func isJoinedBound(_ name: String) -> Bool {
    ["_min", "_max", "min_val_cast", "max_val_cast"].contains { name.hasSuffix($0) }
  }

  /// The name without a number at its end.
  private static func stem(of name: String) -> String {
    let digits = name.reversed().prefix { $0.isNumber }.count
    guard digits > 0 else { return name }
    let rest = name.dropLast(digits)
    return rest.isEmpty ? "" : rest.hasSuffix("_") ? String(rest.dropLast()) : name
  }

  /// What PyTorch's newer exporter calls literals, of which `clone` is the copy that it computes with.
  private static let literals: Set<String> = [
    "_tensor_constant", "clone", "lift_fresh_copy", "lifted_tensor", "tensor_constant",
  ]

  /// What it calls results that it computes when it exports: by their operation.
  ///
  /// Those of `val` come from what an operation is made of, as the transpose of a weight.
  private static let results = arrangements.union(computed)

  private static let arrangements: Set<String> = [
    "_to_copy", "_unsafe_view", "alias", "arange", "cat", "concat", "const", "contiguous", "detach",
    "expand", "expand_as", "full", "full_like", "index", "index_select", "new_ones", "new_zeros",
    "ones", "ones_like", "permute", "repeat", "reshape", "scalar_tensor", "scalar_tensor_default",
    "select", "slice", "split", "squeeze", "stack", "transpose", "unbind", "unsqueeze", "val",
    "view",
    "zeros", "zeros_like",
  ]

  private static let computed: Set<String> = [
    "_softmax", "_weight_norm", "_weight_norm_interface", "abs", "add", "addmm", "bmm", "clamp",
    "clamp_max", "clamp_min", "cos", "cumsum", "div", "einsum", "erf", "exp", "expm1", "hardtanh",
    "linalg_vector_norm", "log", "log1p", "log_softmax", "masked_fill", "matmul", "maximum",
    "minimum",
    "mm", "mul", "neg", "outer", "pow", "prod", "reciprocal", "relu", "rsqrt", "rsub", "sigmoid",
    "silu",
    "sin", "softmax", "softplus", "sqrt", "sub", "sum", "tanh", "tril", "triu", "where",
  ]
}
