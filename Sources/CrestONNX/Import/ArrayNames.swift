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
  private static let results: Set<String> = [
    "_to_copy", "_unsafe_view", "add", "alias", "arange", "cat", "clamp", "concat", "const", "cos",
    "cumsum", "detach", "div", "exp", "expand", "full", "full_like", "index", "index_select", "log",
    "masked_fill", "matmul", "mul", "neg", "new_zeros", "new_ones", "ones", "ones_like", "outer",
    "permute", "pow", "reciprocal", "repeat", "reshape", "rsqrt", "rsub", "scalar_tensor",
    "scalar_tensor_default", "select", "sigmoid", "sin", "slice", "softplus", "split", "sqrt",
    "squeeze", "stack", "sub", "sum", "tanh", "transpose", "tril", "triu", "unsqueeze", "val",
    "view",
    "where", "zeros", "zeros_like",
  ]
}
