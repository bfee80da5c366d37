extension ElementwiseFunction.Row {
  static let and: Self = .logical("And", arity: 2) { $0[0] & $0[1] }
  static let or: Self = .logical("Or", arity: 2) { $0[0] | $0[1] }
  static let xor: Self = .logical("Xor", arity: 2) { $0[0] ^ $0[1] }
  static let not: Self = .logical("Not", arity: 1) { 1 - $0[0] }
  static let equal: Self = .two(
    "EqualMask", .comparison("Equal"), { $0 == $1 ? 1 : 0 }, whole: { $0 == $1 ? 1 : 0 },
    types: .all)
  static let less: Self = .two(
    "LessMask", .comparison("Less"), { $0 < $1 ? 1 : 0 }, whole: { $0 < $1 ? 1 : 0 })
  static let greater: Self = .two(
    "GreaterMask", .comparison("Greater"), { $0 > $1 ? 1 : 0 }, whole: { $0 > $1 ? 1 : 0 })
  // A value that isn't chosen has no effect, not even as NaN.
  static let select = Self(
    name: "Select", arity: 3, onnx: .choice, types: .all,
    real: { $0[2] != 0 ? $0[0] : $0[1] }, whole: { $0[2] != 0 ? $0[0] : $0[1] },
    gradients: [
      { dy, x, _ in try dy.selected(where: x[2], else: dy.scalar(0)) },
      { dy, x, _ in try dy.scalar(0).selected(where: x[2], else: dy) },
      nil,
    ])
}
