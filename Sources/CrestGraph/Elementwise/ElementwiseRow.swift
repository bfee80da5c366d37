package import CrestTensor

extension ElementwiseFunction {
  /// What is known of a function.
  package struct Row: Sendable {
    /// How ONNX writes it.
    package enum ONNXForm: Sendable {
      /// As the operator of the same name, which it has since an opset.
      case `operator`(since: Int64 = 1)
      /// As a comparison, whose booleans are cast.
      case comparison(String)
      /// As `Where`, whose condition is cast.
      case choice
      /// As several of its operators, because it has the operator only since an opset after that of files.
      case composed(@Sendable ([Symbol]) throws -> Symbol)
      /// Not at all.
      case none
    }

    /// Which element types it takes.
    package enum Types: Sendable {
      case floats, numbers, booleans, all
    }

    /// A gradient from dy, the inputs and the output.
    package typealias Gradient =
      @Sendable (_ dy: Symbol, _ inputs: [Symbol], _ output: Symbol) throws -> Symbol

    /// ONNX's operator, or our own name where ONNX has none.
    package let name: String
    /// The number of scalars it takes.
    package let arity: Int
    /// How ONNX writes it.
    package let onnx: ONNXForm
    /// Which element types it takes.
    package let types: Types
    /// Its value of floats, in `Double`; nil where it has none.
    package let real: (@Sendable ([Double]) -> Double)?
    /// Its value of integers, and of booleans as 0 and 1; nil where it has none.
    package let whole: (@Sendable ([Int64]) -> Int64)?
    /// The gradient by each input before it is summed over what was broadcast; nil where it is zero.
    package let gradients: [Gradient?]

    /// Whether no input has a gradient.
    package var isFlat: Bool { gradients.allSatisfy { $0 == nil } }
  }

  /// The number of scalars it takes.
  package var arity: Int { row.arity }

  /// Whether it is defined on elements of a type.
  package func takes(_ type: ElementType) -> Bool {
    switch row.types {
    case .floats: type.isFloat
    case .numbers: type != .bool
    case .booleans: type == .bool
    case .all: true
    }
  }
}

extension ElementwiseFunction.Row {
  typealias UnaryGradient = @Sendable (_ dy: Symbol, _ x: Symbol, _ y: Symbol) throws -> Symbol
  typealias BinaryGradient =
    @Sendable (_ dy: Symbol, _ a: Symbol, _ b: Symbol, _ y: Symbol) throws -> Symbol

  /// A function of one float.
  static func one(
    _ name: String, _ onnx: ONNXForm, _ real: @escaping @Sendable (Double) -> Double,
    gradient: UnaryGradient? = nil
  ) -> Self {
    Self(
      name: name, arity: 1, onnx: onnx, types: .floats, real: { real($0[0]) }, whole: nil,
      gradients: [unary(gradient)])
  }

  /// A function of one number, float or whole.
  static func one(
    _ name: String, _ onnx: ONNXForm, _ real: @escaping @Sendable (Double) -> Double,
    whole: @escaping @Sendable (Int64) -> Int64, gradient: UnaryGradient? = nil
  ) -> Self {
    Self(
      name: name, arity: 1, onnx: onnx, types: .numbers, real: { real($0[0]) },
      whole: { whole($0[0]) }, gradients: [unary(gradient)])
  }

  /// A function of two numbers, float or whole.
  static func two(
    _ name: String, _ onnx: ONNXForm, _ real: @escaping @Sendable (Double, Double) -> Double,
    whole: @escaping @Sendable (Int64, Int64) -> Int64, types: Types = .numbers,
    gradients first: BinaryGradient? = nil, _ second: BinaryGradient? = nil
  ) -> Self {
    Self(
      name: name, arity: 2, onnx: onnx, types: types, real: { real($0[0], $0[1]) },
      whole: { whole($0[0], $0[1]) }, gradients: [binary(first), binary(second)])
  }

  /// A function of booleans as 0 and 1.
  static func logical(
    _ name: String, arity: Int, _ whole: @escaping @Sendable ([Int64]) -> Int64
  ) -> Self {
    Self(
      name: name, arity: arity, onnx: .operator(), types: .booleans, real: nil, whole: whole,
      gradients: .init(repeating: nil, count: arity))
  }

  private static func unary(_ gradient: UnaryGradient?) -> Gradient? {
    guard let gradient else { return nil }
    return { dy, x, y in try gradient(dy, x[0], y) }
  }

  private static func binary(_ gradient: BinaryGradient?) -> Gradient? {
    guard let gradient else { return nil }
    return { dy, x, y in try gradient(dy, x[0], x[1], y) }
  }
}
