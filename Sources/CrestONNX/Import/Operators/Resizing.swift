import CrestGraph
import CrestTensor

extension OperatorTable {
  /// Values resized along axes.
  static let resizing: [String: [OperatorImport]] = [
    "Resize": [
      OperatorImport(since: 18, inputs: 1...4, slots: sizes) { try resize($0) },
      OperatorImport(since: 11, inputs: 1...4, slots: sizes) { try resize($0) },
      OperatorImport(since: 10, inputs: 2...2, slots: sizes) {
        try upsample($0, scales: $0.numbers(1, "scales"))
      },
    ],
    "Upsample": [
      OperatorImport(since: 9, inputs: 2...2, slots: sizes) {
        try upsample($0, scales: $0.numbers(1, "scales"))
      },
      OperatorImport(since: 7, inputs: 1...1) { node in
        guard let scales = try node.floats("scales") else {
          throw node.problem(expected: "the attribute scales", got: "none")
        }
        return try upsample(node, scales: scales)
      },
    ],
  ]

  /// Regions, scales and sizes.
  private static let sizes: [Int: ParameterSlot] = [1: .setting, 2: .setting, 3: .setting]

  private typealias Coordinates = Symbol.ResizeAttributes.Coordinates

  private static func resize(_ node: NodeImport) throws -> [Symbol] {
    let x = try node.input(0)
    var attributes = Symbol.ResizeAttributes(
      coordinates: try node.choice("coordinate_transformation_mode", default: .halfPixel))
    attributes.mode = try node.resizeMode()
    attributes.excludesOutside = try node.flag("exclude_outside")
    attributes.extrapolation = try node.float("extrapolation_value", default: 0)
    attributes.antialiases = try node.opset >= 18 && node.flag("antialias")
    let names = try node.opset >= 18 ? node.integers("axes") : nil
    let axes = try names.map { try node.resolved($0, of: x) } ?? Array(x.shape.indices)
    var resized = try node.resizedAxes(x, axes)
    if attributes.coordinates == .cropAndResize {
      let region = try node.numbers(1, "a region") ?? []
      guard region.count == 2 * axes.count else {
        throw node.problem(
          expected: "a region of \(2 * axes.count) numbers", got: "\(region.count) numbers")
      }
      for place in axes.indices {
        resized[place].region = (region[place], region[axes.count + place])
      }
    }
    return [try x.resized(resized, attributes)]
  }

  private static func upsample(_ node: NodeImport, scales: [Double]?) throws -> [Symbol] {
    let x = try node.input(0)
    let mode = try node.text("mode", default: "nearest", of: ["nearest", "linear", "bilinear"])
    let attributes = Symbol.ResizeAttributes(
      mode: mode == "nearest" ? .nearest(.floor) : .linear, coordinates: .asymmetric)
    let axes = try node.scaledAxes(x, Array(x.shape.indices), scales ?? [])
    return [try x.resized(axes, attributes)]
  }
}

extension NodeImport {
  /// The numbers of a float input; nil when it is left out or empty.
  fileprivate func numbers(_ place: Int, _ what: String) throws -> [Double]? {
    guard let tensor = try optionalConstant(place, what), tensor.elementCount > 0 else {
      return nil
    }
    return tensor.doubles
  }

  /// One of the values that an attribute can have by name.
  fileprivate func choice<Value: RawRepresentable & CaseIterable>(
    _ name: String, default: Value
  ) throws -> Value where Value.RawValue == String {
    let text = try text(name, default: `default`.rawValue, of: Value.allCases.map(\.rawValue))
    return Value(rawValue: text) ?? `default`
  }

  fileprivate func resizeMode() throws -> Symbol.ResizeAttributes.Mode {
    let rounding: Symbol.ResizeAttributes.Rounding = try choice(
      "nearest_mode", default: .preferringFloor)
    let slope = try float("cubic_coeff_a", default: -0.75)
    switch try text("mode", default: "nearest", of: ["nearest", "linear", "cubic"]) {
    case "linear": return .linear
    case "cubic": return .cubic(a: slope)
    default: return .nearest(rounding)
    }
  }

  /// The axes with their new sizes, by the third input's scales or the fourth's sizes.
  fileprivate func resizedAxes(
    _ x: Symbol, _ axes: [Int]
  ) throws -> [Symbol.ResizeAttributes.Axis] {
    let policies = ["stretch", "not_larger", "not_smaller"]
    let policy =
      try opset >= 18
      ? text("keep_aspect_ratio_policy", default: "stretch", of: policies) : "stretch"
    let scales = try numbers(2, "scales")
    guard let sizes = try optionalIntegers(3, "sizes"), !sizes.isEmpty else {
      return try scaledAxes(x, axes, scales ?? [])
    }
    guard scales == nil, sizes.count == axes.count else {
      throw problem(
        expected: "either scales or sizes, one for each of \(axes.count) axes",
        got: "\(sizes.count) sizes" + (scales == nil ? "" : " and scales"))
    }
    let ratios = zip(axes, sizes).map { Double($1) / Double(max(x.shape[$0], 1)) }
    let scale = policy == "not_larger" ? ratios.min() : ratios.max()
    return try zip(axes, zip(sizes, ratios)).map { axis, wanted in
      guard policy != "stretch", let scale else {
        return Symbol.ResizeAttributes.Axis(axis: axis, size: wanted.0, scale: wanted.1)
      }
      let size = (scale * Double(x.shape[axis])).rounded()
      return Symbol.ResizeAttributes.Axis(axis: axis, size: try count(size), scale: scale)
    }
  }

  /// The axes with sizes that follow from scales.
  fileprivate func scaledAxes(
    _ x: Symbol, _ axes: [Int], _ scales: [Double]
  ) throws -> [Symbol.ResizeAttributes.Axis] {
    guard scales.count == axes.count else {
      throw problem(
        expected: "scales or sizes, one for each of \(axes.count) axes",
        got: "\(scales.count) scales")
    }
    return try zip(axes, scales).map { axis, scale in
      let size = (scale * Double(x.shape[axis])).rounded(.down)
      return Symbol.ResizeAttributes.Axis(axis: axis, size: try count(size), scale: scale)
    }
  }

  private func count(_ size: Double) throws -> Int {
    guard let count = Int(exactly: size) else {
      throw problem(expected: "sizes that fit in 64 bits", got: "\(size)")
    }
    return count
  }
}
