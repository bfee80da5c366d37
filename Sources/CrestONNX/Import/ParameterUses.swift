import CrestGraph
import CrestTensor

/// Where a node reads a value.
struct InputEdge: Hashable, Sendable {
  /// The node's place in ``CheckedModel/nodes``.
  let node: Int
  /// The place among its inputs.
  let input: Int
}

/// One way in which what an array holds comes to bear on the output.
struct ArrayUse: Hashable, Sendable {
  /// What lies between an array and the operation where it meets data.
  struct Path: OptionSet, Hashable, Sendable {
    let rawValue: UInt8
    /// A sine or cosine of it: it is a frequency or an angle.
    static let angle = Path(rawValue: 1)
    /// A square root of nothing but it: it is a variance.
    static let root = Path(rawValue: 2)
  }

  /// The operation where it meets data.
  let operation: String
  /// What it is there.
  let slot: ParameterSlot
  /// Whether it meets data there; if not, the operation only tells what it is for.
  let meetsData: Bool
  /// What lies between.
  var path: Path = []
  /// Whether it meets the input as it was given, before anything learned.
  var preparesInput = false
  /// Whether it meets what a product gives, and nothing learned but such arithmetic follows.
  var scalesOutput = false
  /// Whether something was computed from it and others before it meets data.
  var isCombined = false

  /// Whether it is learned by the place where it is read.
  var isLearnedPlace: Bool {
    if case .parameter = slot { meetsData && !isCombined } else { false }
  }

  /// Whether it matters only if a gradient reaches it.
  var needsGradient: Bool {
    switch slot {
    case .parameter, .arithmetic: true
    case .statistic, .choice, .setting: false
    }
  }

  /// Whether a gradient reaches it along this way.
  var hasGradient: Bool { needsGradient && meetsData }
}

/// What each value that doesn't depend on data is read as, found by following it to the operations where
/// it meets data, through all that is computed on the way.
struct ParameterUses {
  /// What a value is read as along each edge that matters, in the nodes' order.
  private(set) var edges: [String: [(edge: InputEdge, uses: Set<ArrayUse>)]] = [:]
  /// The values that depend on what is given at a run, not only on its shape.
  let data: Set<String>

  /// What may prepare an input before anything is learned from it, besides arrangements.
  private static let preparing: Set<String> = [
    "Abs", "Add", "Clip", "Div", "Log", "Mul", "Neg", "Pad", "Pow", "Resize", "Sqrt", "Sub",
    "Upsample",
  ]
  /// What scales and shifts.
  private static let affine: Set<String> = ["Add", "Div", "Mul", "Sub"]

  /// What values are read as on their way to outputs, the first unless others are named: that is trained.
  init(_ model: CheckedModel, outputs: [String]? = nil) {
    let imports = model.nodes.map { OperatorTable.find($0, opsets: model.opsets) }
    let data = Self.valuesOfData(model)
    self.data = data
    let arithmetic = Arithmetic(model, imports, data)
    var uses: [String: Set<ArrayUse>] = [:]
    var reached = Set(outputs ?? [model.outputs[0].name])
    var followed: Set<String> = []
    for place in model.nodes.indices.reversed() {
      // What reads the sizes of an array alone is no use of it.
      guard let operation = imports[place], !model.nodes[place].readsSizesOnly else { continue }
      let node = model.nodes[place]
      let isReached = node.outputs.contains(where: reached.contains) && !node.makesIntegers
      let passed = node.outputs.reduce(into: Set<ArrayUse>()) { $0.formUnion(uses[$1] ?? []) }
      let leadsOn = node.outputs.contains(where: followed.contains)
      let dataInputs = node.inputs.filter(data.contains)
      let meetsLearned = node.inputs.enumerated().contains { number, name in
        if case .parameter = operation.slot(number) {
          !name.isEmpty && !data.contains(name)
        } else {
          false
        }
      }
      if isReached, leadsOn || meetsLearned { followed.formUnion(dataInputs) }
      for (number, name) in node.inputs.enumerated() where !name.isEmpty {
        let slot = operation.slot(number)
        var found: Set<ArrayUse> = []
        switch slot {
        case .setting, .statistic:
          found = [ArrayUse(operation: node.operation, slot: slot, meetsData: true)]
        case .choice:
          found = passed.filter { !$0.needsGradient }
        case .parameter, .arithmetic:
          if isReached { reached.insert(name) }
          if data.contains(name) { continue }
          if dataInputs.isEmpty {
            let passed = isReached ? passed : passed.filter { !$0.needsGradient }
            found = Self.passed(passed, node, operation)
            if case .parameter = slot, found.contains(where: \.hasGradient) {
              found.insert(ArrayUse(operation: node.operation, slot: slot, meetsData: false))
            }
          } else if isReached {
            found = [arithmetic.use(at: place, node, slot, dataInputs, leadsOn: leadsOn)]
          }
        }
        guard !found.isEmpty else { continue }
        uses[name, default: []].formUnion(found)
        edges[name, default: []].append((InputEdge(node: place, input: number), found))
      }
    }
    edges = edges.mapValues { $0.reversed() }
  }

  /// The values between the input and the first product, and between the last and the output, by which
  /// arithmetic on data is told apart.
  private struct Arithmetic {
    private let raw: Set<String>
    private let products: Set<String>
    private let scaled: Set<Int>

    init(_ model: CheckedModel, _ imports: [OperatorImport?], _ data: Set<String>) {
      raw = ParameterUses.rawValues(model, imports, data)
      products = ParameterUses.products(model, imports, data, withBias: false)
      scaled = ParameterUses.scaledOutputs(
        model, imports, data, ParameterUses.products(model, imports, data, withBias: true))
    }

    /// What an array is where the node at `place` reads it beside data.
    func use(
      at place: Int, _ node: NodeProto, _ slot: ParameterSlot, _ dataInputs: [String], leadsOn: Bool
    ) -> ArrayUse {
      let addsToProduct = node.operation == "Add" && dataInputs.allSatisfy(products.contains)
      return ArrayUse(
        operation: node.operation, slot: addsToProduct ? .parameter(.bias) : slot,
        meetsData: true,
        preparesInput: affine.contains(node.operation) && leadsOn
          && dataInputs.allSatisfy(raw.contains),
        scalesOutput: !addsToProduct && scaled.contains(place))
    }
  }

  /// What an input of a node without data is read as, when its output is read as `uses`.
  private static func passed(
    _ uses: Set<ArrayUse>, _ node: NodeProto, _ operation: OperatorImport
  ) -> Set<ArrayUse> {
    Set(
      uses.map { use in
        var use = use
        if !operation.passesThrough { use.isCombined = true }
        switch node.operation {
        case "Sin", "Cos": use.path.insert(.angle)
        case "Sqrt": use.path.insert(.root)
        case "Clip", "Max": break
        default:
          // What a function or a sum makes of it may be a variance where it is none.
          if !operation.passesThrough, !affine.contains(node.operation) { use.path.remove(.root) }
        }
        return use
      })
  }

  private static func valuesOfData(_ model: CheckedModel) -> Set<String> {
    var data = Set(model.inputs.map(\.name))
    for node in model.nodes where !node.readsSizesOnly {
      if node.inputs.contains(where: data.contains) { data.formUnion(node.outputs) }
    }
    data.remove("")
    return data
  }

  /// The inputs as they were given, arranged, scaled or shifted.
  private static func rawValues(
    _ model: CheckedModel, _ imports: [OperatorImport?], _ data: Set<String>
  ) -> Set<String> {
    var raw = Set(model.inputs.map(\.name))
    for (node, operation) in zip(model.nodes, imports) {
      let dataInputs = node.inputs.filter(data.contains)
      guard let operation, !dataInputs.isEmpty, dataInputs.allSatisfy(raw.contains) else {
        continue
      }
      // Channels may be put in another order; what is looked up in a table is learned.
      let isGathered =
        node.operation == "Gather" && node.inputs.count == 2
        && (model.initializers[node.inputs[1]]?.shape.rank ?? 0) > 0
      let isAlone = dataInputs.count == 1 && (isGathered || preparing.contains(node.operation))
      if operation.passesThrough || isAlone { raw.formUnion(node.outputs) }
    }
    return raw
  }

  /// The nodes that scale and shift the first output, after the last product.
  private static func scaledOutputs(
    _ model: CheckedModel, _ imports: [OperatorImport?], _ data: Set<String>,
    _ products: Set<String>
  ) -> Set<Int> {
    func isArranging(_ place: Int) -> Bool {
      imports[place]?.passesThrough ?? false || affine.contains(model.nodes[place].operation)
    }
    var afterProducts = products
    for (place, node) in model.nodes.enumerated() where isArranging(place) {
      let dataInputs = node.inputs.filter(data.contains)
      if dataInputs.count == 1, afterProducts.contains(dataInputs[0]) {
        afterProducts.formUnion(node.outputs)
      }
    }
    var found: Set<Int> = []
    var last: Set = [model.outputs[0].name]
    for (place, node) in model.nodes.enumerated().reversed()
    where isArranging(place) && node.outputs.contains(where: last.contains) {
      let dataInputs = node.inputs.filter(data.contains)
      guard dataInputs.count == 1 else { continue }
      last.insert(dataInputs[0])
      if affine.contains(node.operation), afterProducts.contains(dataInputs[0]) {
        found.insert(place)
      }
    }
    return found
  }

  /// The products of data with what is learned, those that have a bias already too if so asked.
  private static func products(
    _ model: CheckedModel, _ imports: [OperatorImport?], _ data: Set<String>, withBias: Bool
  ) -> Set<String> {
    var products: Set<String> = []
    for (node, operation) in zip(model.nodes, imports) {
      guard let operation,
        ["Conv", "ConvTranspose", "Einsum", "Gemm", "MatMul"].contains(node.operation)
      else { continue }
      let isLearned = node.inputs.enumerated().contains { number, name in
        operation.slot(number) == .parameter(.weight) && !data.contains(name)
      }
      let hasBias = node.operation != "Einsum" && node.inputs.count > 2 && !node.inputs[2].isEmpty
      if isLearned, withBias || !hasBias { products.formUnion(node.outputs) }
    }
    return products
  }
}

extension NodeProto {
  /// Whether it rounds to integers or booleans, through which no gradient goes.
  fileprivate var makesIntegers: Bool {
    guard operation == "Cast" else { return false }
    return attributes.contains { attribute in
      guard attribute.name == "to", case .int(let number) = attribute.value,
        let raw = Int32(exactly: number),
        let type = TensorDataType(rawValue: raw).elementType
      else { return false }
      return !type.isFloat
    }
  }
}
