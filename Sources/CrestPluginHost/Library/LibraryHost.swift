import CCrestPlugin
import CrestGraph
import CrestLayers
import CrestPlatform
import CrestRuntime
import CrestTensor
import CrestTraining

/// The services of the host as C functions.
final class LibraryHost {
  /// What a library is given; stays where it is.
  let table: UnsafeMutablePointer<crest_host>
  fileprivate let services: PluginServices
  private var refusalText = strdup("")
  private var failureText: String?
  private var catalogue: TensorCatalogue?

  init(_ services: PluginServices) {
    self.services = services
    table = .allocate(capacity: 1)
    table.initialize(to: crest_host())
    table.pointee.size = UInt32(MemoryLayout<crest_host>.size)
    table.pointee.major = CREST_PLUGIN_MAJOR
    table.pointee.minor = CREST_PLUGIN_MINOR
    table.pointee.context = Unmanaged.passUnretained(self).toOpaque()
    table.pointee.log = { context, level, message in
      host(context).services.log(
        PluginLogLevel(rawValue: Int(level)) ?? .info, string(message) ?? "")
    }
    table.pointee.fail = { context, message in host(context).failureText = string(message) }
    table.pointee.refusal = { context in UnsafePointer(host(context).refusalText) }
    addNumbers()
    addTensorsAndCancel()
  }

  /// Hyperparameters and metrics.
  private func addNumbers() {
    table.pointee.get_hyperparameter = { context, number, part, value in
      host(context).answer { (services) throws(PluginServices.Refusal) in
        let (hyperparameter, part) = try meaning(number, part)
        value?.pointee = try services.value(of: hyperparameter, part)
      }
    }
    table.pointee.set_hyperparameter = { context, number, part, value in
      host(context).answer { (services) throws(PluginServices.Refusal) in
        guard let part = try meaning(number, part).1 else {
          throw PluginServices.Refusal(
            status: CREST_REFUSED, reason: "the value in effect can't be set; set base or factor")
        }
        try services.set(part, to: value)
      }
    }
    table.pointee.get_metric = { context, name, value in
      host(context).answer { (services) throws(PluginServices.Refusal) in
        value?.pointee = try services.metric(try required(name))
      }
    }
    table.pointee.report_metric = { context, name, value in
      host(context).answer { (services) throws(PluginServices.Refusal) in
        try services.report(value, as: try required(name))
      }
    }
  }

  /// What is looked at, and how a phase is ended.
  private func addTensorsAndCancel() {
    table.pointee.count_tensors = { context, kind, count in
      let host = host(context)
      return host.answer { (_) throws(PluginServices.Refusal) in
        count?.pointee = UInt64(try host.tensors(kind).count)
      }
    }
    table.pointee.view_tensor = { context, kind, index, tensor in
      let host = host(context)
      return host.answer { (_) throws(PluginServices.Refusal) in
        try host.view(kind, index, tensor)
      }
    }
    table.pointee.cancel = { context, phase, reason in
      host(context).answer { (services) throws(PluginServices.Refusal) in
        guard let phase = Phase(rawValue: Int(phase)) else {
          throw PluginServices.Refusal(
            status: CREST_UNKNOWN, reason: "there is no phase \(phase), expected 0 to 6")
        }
        try services.cancel(phase, reason: string(reason)?.asPluginWrote ?? "no reason given")
      }
    }
  }

  deinit {
    free(refusalText)
    table.deallocate()
  }

  /// What the library said before it returned a failure.
  func takeFailure() -> String {
    defer { failureText = nil }
    return failureText?.asPluginWrote ?? "it gave no reason"
  }

  fileprivate func answer(
    _ body: (PluginServices) throws(PluginServices.Refusal) -> Void
  ) -> Int32 {
    do throws(PluginServices.Refusal) {
      try body(services)
      return Int32(CREST_OK.rawValue)
    } catch {
      free(refusalText)
      refusalText = strdup(error.reason)
      return Int32(error.status.rawValue)
    }
  }

  private func tensors(_ number: Int32) throws(PluginServices.Refusal) -> [TensorCatalogue.Item] {
    guard let kind = TensorKind(rawValue: Int(number)) else {
      throw PluginServices.Refusal(
        status: CREST_UNKNOWN, reason: "there is no kind of tensor \(number), expected 0 to 5")
    }
    let context = try services.context()
    guard services.declaration.tensors.contains(kind) else {
      throw PluginServices.Refusal(
        status: CREST_REFUSED,
        reason: "the plugin has not declared that it reads \(kind); declare it")
    }
    if let reason = unavailability(of: kind, context) {
      throw PluginServices.Refusal(status: CREST_UNAVAILABLE, reason: reason)
    }
    let store = context.learner.model.store
    if catalogue?.store !== store {
      catalogue = TensorCatalogue(store, activations: services.declaration.activations)
    }
    return catalogue?.items[kind] ?? []
  }

  private func unavailability(of kind: TensorKind, _ context: PhaseContext) -> String? {
    let batch = context as? BatchContext
    let hook = services.hook ?? .beforeFit
    func isKnown(from first: PluginHook) -> Bool { batch != nil && hook.rawValue >= first.rawValue }
    switch kind {
    case .parameters, .statistics: return nil
    case .gradients:
      let isThere = isKnown(from: .afterBackward) && batch?.isTraining == true
      return isThere
        ? nil : "gradients are available in training batches, from afterBackward to afterBatch"
    case .predictions, .activations:
      return isKnown(from: .afterPrediction)
        ? nil : "\(kind) are available from afterPrediction to afterBatch"
    case .losses:
      return isKnown(from: .afterLoss) ? nil : "losses are available from afterLoss to afterBatch"
    }
  }

  private func view(
    _ kind: Int32, _ index: UInt64, _ target: UnsafeMutablePointer<crest_tensor>?
  ) throws(PluginServices.Refusal) {
    let items = try tensors(kind)
    guard index < UInt64(items.count), let target else {
      throw PluginServices.Refusal(
        status: CREST_UNKNOWN, reason: "there is no tensor \(index), there are \(items.count)")
    }
    guard Int(target.pointee.size) >= MemoryLayout<crest_tensor>.size else {
      throw PluginServices.Refusal(
        status: CREST_REFUSED,
        reason: "the size of a crest_tensor is \(target.pointee.size), expected at least "
          + "\(MemoryLayout<crest_tensor>.size)")
    }
    let item = items[Int(index)]
    let store = try services.context().learner.model.store
    switch item.place {
    case .stored(let buffer, let range):
      let start = store.withBuffer(buffer) { $0.baseAddress.map { $0 + range.lowerBound } }
      target.pointee.elements = UnsafeRawPointer(start)
      item.write(to: target, elementType: CREST_FLOAT32, count: range.count)
    case .computed(let read):
      guard let batch = try services.context() as? BatchContext else {
        programmerError("\(read) was looked at outside of a batch")
      }
      batch.withRead(read) { type, bytes in
        target.pointee.elements = bytes.baseAddress
        item.shape(type.shape.dimensions)
        item.write(to: target, elementType: type.elementType.number, count: type.shape.elementCount)
      }
    }
  }
}

/// The tensors of a learner, with their names and shapes as C has them.
private final class TensorCatalogue {
  final class Item {
    enum Place {
      case stored(ParameterStore.Buffer, Range<Int>)
      case computed(Capture)
    }

    let place: Place
    private let name: UnsafeMutablePointer<CChar>?
    private var dimensions: [Int64] = []
    private var memory: UnsafeMutableBufferPointer<Int64>

    init(_ name: String, _ place: Place, shape: [Int] = []) {
      self.place = place
      self.name = strdup(name)
      memory = .allocate(capacity: 0)
      self.shape(shape)
    }

    deinit {
      free(name)
      memory.deallocate()
    }

    /// The last batch of an epoch may be smaller.
    func shape(_ shape: [Int]) {
      let new = shape.map(Int64.init)
      if new == dimensions { return }
      dimensions = new
      memory.deallocate()
      memory = .allocate(capacity: new.count)
      _ = memory.initialize(fromContentsOf: new)
    }

    func write(
      to target: UnsafeMutablePointer<crest_tensor>, elementType: crest_element_type, count: Int
    ) {
      target.pointee.element_type = Int32(elementType.rawValue)
      target.pointee.name = UnsafePointer(name)
      target.pointee.element_count = UInt64(count)
      target.pointee.shape = UnsafePointer(memory.baseAddress)
      target.pointee.rank = UInt64(memory.count)
    }
  }

  let store: ParameterStore
  let items: [TensorKind: [Item]]

  init(_ store: ParameterStore, activations: [String]) {
    self.store = store
    func stored(_ entries: [ParameterStore.Entry], _ buffer: ParameterStore.Buffer) -> [Item] {
      entries.map { Item($0.name, .stored(buffer, $0.range), shape: $0.shape.dimensions) }
    }
    items = [
      .parameters: stored(store.parameters, .parameters),
      .gradients: stored(store.parameters, .gradients),
      .statistics: stored(store.statistics, .statistics),
      .predictions: [Item("predictions", .computed(.predictions))],
      .losses: [Item("losses", .computed(.losses))],
      .activations: activations.map { Item($0, .computed(.activation($0))) },
    ]
  }
}

extension ElementType {
  fileprivate var number: crest_element_type {
    switch self {
    case .float32: CREST_FLOAT32
    case .float64: CREST_FLOAT64
    case .float16: CREST_FLOAT16
    case .bfloat16: CREST_BFLOAT16
    case .int8: CREST_INT8
    case .int16: CREST_INT16
    case .int32: CREST_INT32
    case .int64: CREST_INT64
    case .uint8: CREST_UINT8
    case .bool: CREST_BOOL
    }
  }
}

private func host(_ context: UnsafeMutableRawPointer?) -> LibraryHost {
  guard let context else { programmerError("a service was called without its context") }
  return Unmanaged<LibraryHost>.fromOpaque(context).takeUnretainedValue()
}

private func string(_ text: UnsafePointer<CChar>?) -> String? { text.map { String(cString: $0) } }

private func required(_ text: UnsafePointer<CChar>?) throws(PluginServices.Refusal) -> String {
  guard let text = string(text) else {
    throw PluginServices.Refusal(status: CREST_UNKNOWN, reason: "a name is missing")
  }
  return text
}

/// A hyperparameter and its part by their numbers; no part for the value in effect.
private func meaning(
  _ number: Int32, _ part: Int32
) throws(PluginServices.Refusal) -> (Hyperparameter, Hyperparameter.Part?) {
  guard Hyperparameter.numbered.indices.contains(Int(number)) else {
    throw PluginServices.Refusal(
      status: CREST_UNKNOWN, reason: "there is no hyperparameter \(number), expected 0 to 2")
  }
  let hyperparameter = Hyperparameter.numbered[Int(number)]
  switch part {
  case Int32(CREST_EFFECTIVE.rawValue): return (hyperparameter, nil)
  case Int32(CREST_BASE.rawValue): return (hyperparameter, .base(hyperparameter))
  case Int32(CREST_FACTOR.rawValue): return (hyperparameter, .factor(hyperparameter))
  default:
    throw PluginServices.Refusal(
      status: CREST_UNKNOWN, reason: "there is no part \(part) of a hyperparameter, expected 0 to 2"
    )
  }
}
