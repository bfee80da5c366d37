import CrestTensor

extension ClosedRange<Double> {
  /// All numbers.
  package static let anyNumber = -Double.infinity...Double.infinity

  /// The smallest range that has both.
  func union(_ other: ClosedRange<Double>) -> ClosedRange<Double> {
    Swift.min(lowerBound, other.lowerBound)...Swift.max(upperBound, other.upperBound)
  }

  /// What a rising function makes of it.
  func mapped(_ rising: (Double) -> Double) -> ClosedRange<Double> {
    let (low, high) = (rising(lowerBound), rising(upperBound))
    return low <= high ? low...high : .anyNumber
  }

  /// What any function of two makes of it and another that takes its extremes at the corners.
  func combined(
    _ other: ClosedRange<Double>, _ function: (Double, Double) -> Double
  ) -> ClosedRange<Double> {
    let corners = [
      function(lowerBound, other.lowerBound), function(lowerBound, other.upperBound),
      function(upperBound, other.lowerBound), function(upperBound, other.upperBound),
    ]
    guard !corners.contains(where: \.isNaN) else { return .anyNumber }
    return (corners.min() ?? 0)...(corners.max() ?? 0)
  }
}

extension Graph {
  /// The numbers that a value can have whatever the inputs and parameters are, by interval arithmetic: what
  /// is outside it never is, NaN apart.
  package func valueRange(of value: ValueID) -> ClosedRange<Double> {
    var ranges: [ValueID: ClosedRange<Double>] = [:]
    func range(_ value: ValueID) -> ClosedRange<Double> {
      if let known = ranges[value] { return known }
      guard case .constant(let tensor) = values[value.index].origin,
        let low = tensor.doubles.min(), let high = tensor.doubles.max(), low <= high
      else { return .anyNumber }
      return low...high
    }
    for node in nodes {
      let inputs = node.inputs.map(range)
      var found = node.operation.valueRange(inputs, node.inputs.map(type(of:)))
      if isShare(node), inputs[0].lowerBound >= 0 { found = 0...1 }
      if let clipped = clippedRange(of: node, range) { found = clipped }
      ranges[node.outputs[0]] = found
      // All parts of a split have numbers of its input.
      if node.operation.outputNumbers != .new {
        for output in node.outputs.dropFirst() { ranges[output] = found }
      }
    }
    return range(value)
  }

  /// Whether a node divides numbers by their sum, or by what each is with a number that isn't negative.
  private func isShare(_ node: Node) -> Bool {
    guard node.function == .divide else { return false }
    if case .node(let number, output: 0) = values[node.inputs[1].index].origin,
      nodes[number].function == .add, nodes[number].inputs.contains(node.inputs[0]),
      let other = nodes[number].inputs.first(where: { $0 != node.inputs[0] }),
      case .constant(let constant) = values[other.index].origin,
      constant.doubles.allSatisfy({ $0 >= 0 })
    {
      return true
    }
    var divisor = node.inputs[1]
    while case .node(let number, output: 0) = values[divisor.index].origin {
      let producer = nodes[number]
      if producer.operation.outputNumbers == .kept {
        divisor = producer.inputs[0]
        continue
      }
      return producer.sum != nil && producer.inputs[0] == node.inputs[0]
    }
    return false
  }

  /// The range of a value held within a bound, which ``Symbol/clipped(minimum:maximum:)`` makes: the bound is
  /// chosen where the value is beyond it or equal.
  private func clippedRange(
    of node: Node, _ range: (ValueID) -> ClosedRange<Double>
  ) -> ClosedRange<Double>? {
    func producer(_ value: ValueID) -> Node? {
      guard case .node(let number, output: 0) = values[value.index].origin else { return nil }
      return nodes[number]
    }
    guard node.function == .select, let held = producer(node.inputs[2]), held.function == .add,
      let comparison = producer(held.inputs[0]),
      comparison.inputs == [node.inputs[1], node.inputs[0]]
    else { return nil }
    let (bound, value) = (range(node.inputs[0]), range(node.inputs[1]))
    switch comparison.function {
    case .less: return value.combined(bound, Swift.max)
    case .greater: return value.combined(bound, Swift.min)
    default: return nil
    }
  }
}

extension Elementwise {
  package func valueRange(
    _ inputs: [ClosedRange<Double>], _ types: [ValueType]
  ) -> ClosedRange<Double> {
    let a = inputs[0]
    switch function {
    case .sigmoid, .equal, .less, .greater, .and, .or, .xor, .not: return 0...1
    case .tanh, .erf, .sine, .cosine, .sign: return -1...1
    case .softplus: return 0...Double.infinity
    // Its least is at -1.5.
    case .hardSwish: return -0.375...Swift.max(0, a.upperBound)
    // Their least are at -0.752 and -0.750; the slopes', at ∓√2 and near it, and the largest are 1 minus these.
    case .gelu, .geluTanh: return -0.1701...Swift.max(0, a.upperBound)
    case .geluSlope, .geluTanhSlope: return -0.13...1.13
    case .exponential, .squareRoot, .relu, .floor, .ceiling, .round:
      guard let real = function.row.real, function != .squareRoot || a.lowerBound >= 0 else {
        return .anyNumber
      }
      return a.mapped { real([$0]) }
    case .absolute:
      let largest = Swift.max(a.lowerBound.magnitude, a.upperBound.magnitude)
      let isOneSided = a.lowerBound >= 0 || a.upperBound <= 0
      return (isOneSided ? Swift.min(a.lowerBound.magnitude, a.upperBound.magnitude) : 0)...largest
    case .negate: return -a.upperBound ... -a.lowerBound
    case .add: return a.combined(inputs[1], +)
    case .subtract: return a.combined(inputs[1], -)
    case .multiply: return a.combined(inputs[1], *)
    case .divide: return inputs[1].contains(0) ? .anyNumber : a.combined(inputs[1], /)
    case .reciprocal: return a.contains(0) ? .anyNumber : (1.0...1.0).combined(a, /)
    case .maximum: return a.combined(inputs[1], Swift.max)
    case .minimum: return a.combined(inputs[1], Swift.min)
    case .select: return a.union(inputs[1])
    case .reluMask: return a.union(0...0)
    case .power, .logarithm, .tangent, .arcSine, .arcCosine, .arcTangent, .hyperbolicSine,
      .hyperbolicCosine, .areaSine, .areaCosine, .areaTangent:
      return .anyNumber
    }
  }
}
