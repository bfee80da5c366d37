import CCrestPlugin

/// The trainer's services for a plugin, available on the hook's thread while the hook is running.
public struct Host {
  let services: UnsafePointer<crest_host>

  private var context: UnsafeMutableRawPointer? { services.pointee.context }

  /// Whether this is only a trial run in a separate process: the plugin is created and ended, and
  /// should leave no traces.
  public var isRehearsal: Bool { services.pointee.is_rehearsal != 0 }

  /// The severity of a line of the log.
  public enum LogLevel: Int32, Sendable, Hashable {
    /// For the plugin's author.
    case debug
    /// For its user.
    case info
    /// Something is not as it should be.
    case warning
    /// Something went wrong.
    case error
  }

  /// Writes a line to the log, under the plugin's name.
  public func log(_ message: String, level: LogLevel = .info) {
    services.pointee.log(context, level.rawValue, message)
  }

  /// A hyperparameter in effect.
  ///
  /// - Throws: ``PluginError`` outside of events.
  public func value(of hyperparameter: Hyperparameter) throws -> Double {
    try read(hyperparameter, CREST_EFFECTIVE)
  }

  /// A part of a hyperparameter.
  ///
  /// - Throws: ``PluginError`` outside of events.
  public func value(of part: HyperparameterPart) throws -> Double {
    switch part {
    case .base(let hyperparameter): try read(hyperparameter, CREST_BASE)
    case .factor(let hyperparameter): try read(hyperparameter, CREST_FACTOR)
    }
  }

  /// Sets a part of a hyperparameter that is among the plugin's ``CrestPlugin/owns``.
  ///
  /// - Throws: ``PluginError`` unless the value is finite and at least 0, and outside of events.
  public func set(_ part: HyperparameterPart, to value: Double) throws {
    let (hyperparameter, half) =
      switch part {
      case .base(let hyperparameter): (hyperparameter, CREST_BASE)
      case .factor(let hyperparameter): (hyperparameter, CREST_FACTOR)
      }
    try check(
      services.pointee.set_hyperparameter(
        context, Int32(hyperparameter.rawValue), half.number, value))
  }

  /// A result of the running epoch: `train_loss`, `valid_loss`, a metric of validation, or what a callback
  /// reported; nil when there is none of that name yet.
  ///
  /// - Throws: ``PluginError`` outside of events.
  public func metric(_ name: String) throws -> Double? {
    var value = 0.0
    let status = services.pointee.get_metric(context, name, &value)
    if status == CREST_UNKNOWN.number { return nil }
    try check(status)
    return value
  }

  /// Reports a number of the running epoch, under a name among the plugin's ``CrestPlugin/reports``.
  ///
  /// - Throws: ``PluginError`` outside of epochs.
  public func report(_ value: Double, as name: String) throws {
    try check(services.pointee.report_metric(context, name, value))
  }

  /// Reads what the plugin has among its ``CrestPlugin/reads``, without copying.
  ///
  /// - Throws: ``PluginError`` when it is not available at this hook.
  public func tensors(_ capture: Capture) throws -> [TensorView] {
    let kind = capture.kind
    var count: UInt64 = 0
    try check(services.pointee.count_tensors(context, kind, &count))
    let all = try (0..<count).map { index in
      var tensor = crest_tensor()
      tensor.size = UInt32(MemoryLayout<crest_tensor>.size)
      try check(services.pointee.view_tensor(context, kind, index, &tensor))
      return TensorView(tensor)
    }
    guard case .activation(let path) = capture else { return all }
    return all.filter { $0.name == path }
  }

  private func read(_ hyperparameter: Hyperparameter, _ part: crest_part) throws -> Double {
    var value = 0.0
    try check(
      services.pointee.get_hyperparameter(
        context, Int32(hyperparameter.rawValue), part.number, &value))
    return value
  }

  private func check(_ status: Int32) throws {
    guard status != CREST_OK.number else { return }
    throw PluginError(refusal)
  }

  /// Why the last service was not done.
  var refusal: String {
    services.pointee.refusal(context).map { String(cString: $0) } ?? "no reason given"
  }
}

/// A view of the trainer's memory, valid while the hook runs.
public struct TensorView {
  /// The name, as in `block1.conv.weight`.
  public let name: String
  /// The shape.
  public let shape: [Int]
  /// The elements, row-major, to be read only.
  ///
  /// Empty unless ``isFloat32``.
  public let floats: UnsafeBufferPointer<Float>
  /// The elements as they are in memory.
  public let bytes: UnsafeRawPointer?
  /// Whether elements are 32-bit floats, as those of parameters and gradients always are.
  public let isFloat32: Bool

  init(_ tensor: crest_tensor) {
    name = String(cString: tensor.name)
    shape = UnsafeBufferPointer(start: tensor.shape, count: Int(tensor.rank)).map { Int($0) }
    bytes = tensor.elements
    isFloat32 = tensor.element_type == CREST_FLOAT32.number
    floats = UnsafeBufferPointer(
      start: tensor.elements?.assumingMemoryBound(to: Float.self),
      count: isFloat32 ? Int(tensor.element_count) : 0)
  }
}

extension Capture {
  var kind: Int32 {
    switch self {
    case .parameters: CREST_PARAMETERS.number
    case .statistics: CREST_STATISTICS.number
    case .gradients: CREST_GRADIENTS.number
    case .predictions: CREST_PREDICTIONS.number
    case .losses: CREST_LOSSES.number
    case .activation: CREST_ACTIVATIONS.number
    }
  }
}

// C's enumerations come as types of their own, whose numbers are unsigned.
protocol CEnumeration {
  var rawValue: UInt32 { get }
}

extension CEnumeration {
  var number: Int32 { Int32(rawValue) }
}

extension crest_status: CEnumeration {}
extension crest_part: CEnumeration {}
extension crest_outcome: CEnumeration {}
extension crest_purpose: CEnumeration {}
extension crest_tensor_kind: CEnumeration {}
extension crest_element_type: CEnumeration {}
