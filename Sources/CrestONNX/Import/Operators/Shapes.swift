import CrestGraph
import CrestTensor

extension OperatorTable {
  /// The same elements, or some of them, in another arrangement.
  static let shapes: [String: [OperatorImport]] = [
    "Cast": [
      OperatorImport(inputs: 1...1, passesThrough: true) { node in
        guard let type = try node.elementType("to") else {
          throw node.problem(expected: "the attribute to", got: "none")
        }
        // It concerns 8-bit floats only, which are refused above.
        node.ignore("saturate")
        node.ignore("round_mode")
        return [try node.input(0).cast(to: type)]
      }
    ],
    "CastLike": [
      OperatorImport(since: 15, inputs: 2...2, slots: [1: .choice], passesThrough: true) { node in
        node.ignore("saturate")
        node.ignore("round_mode")
        return [try node.input(0).cast(to: node.input(1).elementType)]
      }
    ],
    "Compress": [
      OperatorImport(since: 9, inputs: 2...2, slots: [1: .setting]) { node in
        guard let condition = try node.optionalConstant(1, "conditions")?.integers else {
          throw node.problem(expected: "boolean conditions", got: "other ones")
        }
        let x = try node.input(0)
        let axis = try node.optionalInteger("axis")
        let from = try axis == nil ? x.reshaped(to: [-1]) : x
        let chosen = condition.indices.filter { condition[$0] != 0 }.map(Int64.init)
        return [try from.gathered(node.constant(Tensor(chosen)), axis: axis ?? 0)]
      }
    ],
    "Concat": [
      OperatorImport(inputs: 1...Int.max, passesThrough: true) { node in
        guard let axis = try node.optionalInteger("axis") ?? (node.opset < 4 ? 1 : nil) else {
          throw node.problem(expected: "the attribute axis", got: "none")
        }
        let inputs = try node.allInputs()
        return [try inputs[0].concatenated(with: Array(inputs.dropFirst()), axis: axis)]
      }
    ],
    "DepthToSpace": [
      .unary { node, x in
        let order = try node.text(
          "mode", default: "DCR", of: Symbol.DepthOrder.allCases.map(\.rawValue))
        return try x.depthToSpace(
          block: node.blockSize(), order: Symbol.DepthOrder(rawValue: order) ?? .placeFirst)
      }
    ],
    "Expand": [
      OperatorImport(inputs: 2...2, slots: [1: .setting], passesThrough: true) { node in
        let x = try node.input(0)
        let wanted = try node.shape(node.integers(1, "sizes"))
        guard let shape = x.shape.broadcast(with: wanted) else {
          throw node.problem(expected: "sizes that broadcast with \(x.shape)", got: "\(wanted)")
        }
        return [try x.expanded(to: shape)]
      }
    ],
    "Flatten": [
      OperatorImport(inputs: 1...1, passesThrough: true) { node in
        [try node.input(0).flattened(axis: node.integer("axis", default: 1))]
      }
    ],
    "Gather": [
      OperatorImport(inputs: 2...2, slots: [0: .parameter(.weight), 1: .choice]) { node in
        [try node.input(0).gathered(node.input(1), axis: node.integer("axis", default: 0))]
      }
    ],
    "GatherElements": [
      OperatorImport(since: 11, inputs: 2...2, slots: lookup) { node in
        [
          try node.input(0).gatheredElements(
            node.input(1), axis: node.integer("axis", default: 0))
        ]
      }
    ],
    "GatherND": [
      OperatorImport(since: 11, inputs: 2...2, slots: lookup) { node in
        [
          try node.input(0).gatheredParts(
            node.input(1), batchDimensions: node.integer("batch_dims", default: 0))
        ]
      }
    ],
    "Identity": [OperatorImport(inputs: 1...1, passesThrough: true) { [try $0.input(0)] }],
    "OneHot": [
      OperatorImport(
        since: 9, inputs: 3...3, slots: [0: .choice, 1: .setting, 2: .choice]
      ) { node in
        // Depth and indices may be floats, which stand for the integers they hold.
        let number = try node.optionalNumber(1, "a depth") ?? .nan
        guard let depth = Int(exactly: number) else {
          throw node.problem(expected: "a whole depth", got: "\(number)")
        }
        let values = try node.input(2).split(count: 2).map { try $0.reshaped(to: []) }
        let indices = try node.input(0)
        return [
          try (indices.elementType.isFloat ? indices.cast(to: .int64) : indices).oneHot(
            depth: depth, axis: node.integer("axis", default: -1), on: values[1],
            off: values[0])
        ]
      }
    ],
    "Pad": [
      OperatorImport(since: 18, inputs: 2...4, slots: [1: .setting, 2: .setting, 3: .setting]) {
        node in
        try pad(
          node, pads: node.integers(1, "pads"), value: node.optionalNumber(2, "a value") ?? 0,
          axes: node.optionalIntegers(3, "axes"))
      },
      OperatorImport(since: 11, inputs: 2...3, slots: [1: .setting, 2: .setting]) { node in
        try pad(
          node, pads: node.integers(1, "pads"), value: node.optionalNumber(2, "a value") ?? 0,
          axes: nil)
      },
      OperatorImport(inputs: 1...1) { node in
        guard let pads = try node.integers("pads") else {
          throw node.problem(expected: "the attribute pads", got: "none")
        }
        return try pad(node, pads: pads, value: node.float("value", default: 0), axes: nil)
      },
    ],
    "Reshape": [
      OperatorImport(inputs: 2...2, slots: [1: .setting], passesThrough: true) { node in
        let allowsZero = try node.flag("allowzero")
        let x = try node.input(0)
        let sizes = try node.integers(1, "sizes")
        // What is copied or inferred can't be more than the input has.
        _ = try node.shape(sizes.filter { $0 > 0 } + x.shape.dimensions)
        return try node.builder.apply(Reshape(sizes, allowsZero: allowsZero), [x])
      }
    ],
    "Scatter": [
      OperatorImport(since: 9, inputs: 3...3, slots: [1: .choice]) {
        try scatterElements($0, reductions: [.none])
      }
    ],
    "ScatterElements": [
      OperatorImport(since: 18, inputs: 3...3, slots: [1: .choice]) {
        try scatterElements($0, reductions: ScatterReduction.allCases)
      },
      OperatorImport(since: 11, inputs: 3...3, slots: [1: .choice]) {
        try scatterElements($0, reductions: [.none, .add, .mul])
      },
    ],
    "ScatterND": [
      OperatorImport(since: 11, inputs: 3...3, slots: [1: .choice]) { node in
        let reduction = try node.scatterReduction(among: ScatterReduction.allCases)
        return [
          try node.input(0).scatteringParts(node.input(2), at: node.input(1), reduction: reduction)
        ]
      }
    ],
    "Slice": [
      OperatorImport(
        since: 10, inputs: 3...5,
        slots: [1: .setting, 2: .setting, 3: .setting, 4: .setting], passesThrough: true
      ) { node in
        try slice(
          node, starts: node.integers(1, "starts"), ends: node.integers(2, "ends"),
          axes: node.optionalIntegers(3, "axes"), steps: node.optionalIntegers(4, "steps"))
      },
      OperatorImport(inputs: 1...1, passesThrough: true) { node in
        guard let starts = try node.integers("starts"), let ends = try node.integers("ends") else {
          throw node.problem(expected: "the attributes starts and ends", got: "neither or one")
        }
        return try slice(
          node, starts: starts, ends: ends, axes: node.integers("axes"), steps: nil)
      },
    ],
    "SpaceToDepth": [.unary { node, x in try x.spaceToDepth(block: node.blockSize()) }],
    "Split": [
      OperatorImport(
        since: 18, inputs: 1...2, outputs: 1...Int.max, slots: [1: .setting], passesThrough: true
      ) { node in
        let count = try node.optionalInteger("num_outputs")
        return try split(node, sizes: node.optionalIntegers(1, "sizes"), count: count)
      },
      OperatorImport(
        since: 13, inputs: 1...2, outputs: 1...Int.max, slots: [1: .setting], passesThrough: true
      ) { node in
        try split(node, sizes: node.optionalIntegers(1, "sizes"), count: nil)
      },
      OperatorImport(inputs: 1...1, outputs: 1...Int.max, passesThrough: true) { node in
        try split(node, sizes: node.integers("split"), count: nil)
      },
    ],
    "Squeeze": [
      OperatorImport(since: 13, inputs: 1...2, slots: [1: .setting], passesThrough: true) { node in
        [try node.input(0).squeezed(axes: node.optionalIntegers(1, "axes"))]
      },
      OperatorImport(inputs: 1...1, passesThrough: true) { node in
        [try node.input(0).squeezed(axes: node.integers("axes"))]
      },
    ],
    "Tile": [
      OperatorImport(inputs: 2...2, slots: [1: .setting], passesThrough: true) { node in
        [try node.input(0).tiled(node.integers(1, "repeats"))]
      }
    ],
    "Transpose": [
      OperatorImport(inputs: 1...1, passesThrough: true) { node in
        let x = try node.input(0)
        return [
          try x.transposed(node.integers("perm") ?? (0..<x.shape.rank).reversed())
        ]
      }
    ],
    "Trilu": [
      OperatorImport(since: 14, inputs: 1...2, slots: [1: .setting]) { node in
        let diagonal = try node.optionalIntegers(1, "a diagonal")?.first ?? 0
        let isUpper = try node.flag("upper", default: true)
        return [try node.input(0).triangle(isUpper: isUpper, diagonal: diagonal)]
      }
    ],
    "Unsqueeze": [
      OperatorImport(since: 13, inputs: 2...2, slots: [1: .setting], passesThrough: true) { node in
        [try node.input(0).unsqueezed(axes: node.integers(1, "axes"))]
      },
      OperatorImport(inputs: 1...1, passesThrough: true) { node in
        guard let axes = try node.integers("axes") else {
          throw node.problem(expected: "the attribute axes", got: "none")
        }
        return [try node.input(0).unsqueezed(axes: axes)]
      },
    ],
  ]

  /// An array that places are looked up in, and the places.
  private static let lookup: [Int: ParameterSlot] = [0: .parameter(.weight), 1: .choice]

  private static func pad(
    _ node: NodeImport, pads: [Int], value: Double, axes: [Int]?
  ) throws -> [Symbol] {
    let x = try node.input(0)
    let known = ["constant"] + Symbol.BorderMode.allCases.map(\.rawValue)
    let mode = try node.text("mode", default: "constant", of: known)
    let axes = try axes.map { try node.resolved($0, of: x) } ?? Array(0..<x.shape.rank)
    guard pads.count == 2 * axes.count else {
      throw node.problem(expected: "\(2 * axes.count) pads", got: "\(pads)")
    }
    var before = x.shape.map { _ in 0 }
    var after = before
    for (place, axis) in axes.enumerated() {
      before[axis] = pads[place]
      after[axis] = pads[axes.count + place]
    }
    if let border = Symbol.BorderMode(rawValue: mode) {
      return [try x.padded(before: before, after: after, mode: border)]
    }
    return [try x.padded(before: before, after: after, value: value)]
  }

  private static func split(
    _ node: NodeImport, sizes: [Int]?, count: Int?
  ) throws -> [Symbol] {
    let axis = try node.integer("axis", default: 0)
    let outputs = node.node.outputs.count
    guard count ?? outputs == outputs, sizes?.count ?? outputs == outputs else {
      throw node.problem(
        expected: "\(outputs) parts, one for each output", got: "\(sizes?.count ?? count ?? 0)")
    }
    let x = try node.input(0)
    // Since opset 18 the last part may be smaller.
    if sizes == nil, count == nil, let axis = x.shape.resolved(axis: axis),
      !x.shape[axis].isMultiple(of: outputs)
    {
      throw node.problem(expected: "equal parts of axis \(axis) of \(x.shape)", got: "\(outputs)")
    }
    guard let sizes else { return try x.split(count: outputs, axis: axis) }
    return try x.split(sizes: sizes, axis: axis)
  }

  private static func scatterElements(
    _ node: NodeImport, reductions: [ScatterReduction]
  ) throws -> [Symbol] {
    [
      try node.input(0).scatteringElements(
        node.input(2), at: node.input(1), axis: node.integer("axis", default: 0),
        reduction: node.scatterReduction(among: reductions))
    ]
  }

  private static func slice(
    _ node: NodeImport, starts: [Int], ends: [Int], axes: [Int]?, steps: [Int]?
  ) throws -> [Symbol] {
    let x = try node.input(0)
    let axes = try axes.map { try node.resolved($0, of: x) } ?? Array(starts.indices)
    let operation = Slice(
      starts: starts, ends: ends, axes: axes, steps: steps ?? starts.map { _ in 1 })
    return try node.builder.apply(operation, [x])
  }
}

extension NodeImport {
  /// The side of the blocks of an image.
  fileprivate func blockSize() throws -> Int {
    guard let size = try optionalInteger("blocksize") else {
      throw problem(expected: "the attribute blocksize", got: "none")
    }
    return size
  }

  /// How updates join what is there; none was all there was at first.
  fileprivate func scatterReduction(
    among known: [ScatterReduction]
  ) throws -> ScatterReduction {
    let name = try text("reduction", default: "none", of: known.map(\.rawValue))
    return ScatterReduction(rawValue: name) ?? .none
  }

  /// Axes of `x` counted from the start.
  func resolved(_ axes: [Int], of x: Symbol) throws -> [Int] {
    let resolved = axes.compactMap(x.shape.resolved(axis:))
    guard resolved.count == axes.count, Set(resolved).count == axes.count else {
      throw problem(expected: "different axes of \(x.shape)", got: "\(axes)")
    }
    return resolved
  }
}
