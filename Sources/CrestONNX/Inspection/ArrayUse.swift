import CrestGraph
public import CrestTensor

extension ONNXInspection {
  /// How an array is used.
  public enum ArrayKind: String, Sendable, Equatable, CaseIterable {
    /// It is trained.
    case trained
    /// It could be trained, but isn't.
    case notTrained = "not trained"
    /// It is a running statistic.
    case statistic = "statistics"
    /// It is something else.
    case constant = "constants"
  }

  /// An array of the file.
  public struct ArrayUse: Sendable, Equatable {
    /// The name.
    public let name: String
    /// The type of the elements.
    public let elementType: String
    /// The sizes.
    public let shape: Shape
    /// How it is used.
    public let kind: ArrayKind
    /// Why, in a few words.
    public let reason: String
    /// Whether `ParameterSelection` can train it: `float32` that a gradient reaches.
    public let canBeTrained: Bool
    /// The parameter of which it is another arrangement, bit for bit; nil if there is none.
    public let original: String?
  }
}

extension ONNXInspection.ArrayUse {
  init(_ row: ParameterPlan.Row) {
    name = row.array.name
    elementType = row.array.proto.dataType.name
    shape = row.array.proto.shape
    switch row.decision {
    case .statistic:
      (kind, reason) = (.statistic, "of \(row.uses.map(\.operation).min() ?? "BatchNormalization")")
    case .trained(let assumed):
      (kind, reason) = (
        .trained,
        row.original.map { "\"\($0)\" in another arrangement" } ?? assumed?.description ?? row.place
      )
    case .fixed(let why):
      (kind, reason) = (why.isNoteworthy ? .notTrained : .constant, why.description)
    }
    original = row.original
    canBeTrained =
      row.array.proto.dataType.elementType == .float32 && row.uses.contains(where: \.hasGradient)
      && !row.uses.contains { $0.slot == .setting }
  }
}

extension ONNXFile {
  /// Every array of the file and how it is used, in the file's order.
  ///
  /// - Throws: ``ONNXError`` when external data files can't be read.
  public func arrays() throws(ONNXError) -> [ONNXInspection.ArrayUse] {
    try ParameterPlan(model, TensorReader(model.proto), ParameterSelection()).rows
      .map(ONNXInspection.ArrayUse.init)
  }
}

extension ParameterPlan.Row {
  /// Where a parameter is read, as in `weight of Conv`.
  fileprivate var place: String {
    let learned = uses.filter(\.isLearnedPlace)
    let found = (learned.isEmpty ? uses.filter(\.hasGradient) : learned).map { use in
      switch use.slot {
      case .parameter(let role): "\(role.title) of \(use.operation)"
      default: "\(use.operation) with data"
      }
    }
    return found.sorted().joined(separator: ", ")
  }
}

extension Graph.ParameterRole {
  /// The word for it.
  fileprivate var title: String {
    switch self {
    case .weight: "weight"
    case .bias: "bias"
    case .normalizationScale: "scale"
    case .normalizationShift: "shift"
    }
  }
}
