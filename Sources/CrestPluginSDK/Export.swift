import CCrestPlugin

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The table of a plugin's functions, to be returned from `crest_plugin_v1`.
///
/// - Precondition: a library exports one plugin.
public func export<Plugin: CrestPlugin>(_ type: Plugin.Type) -> UnsafeRawPointer? {
  UnsafeRawPointer(
    Table.shared.table(identifier: Plugin.identifier, version: Plugin.version) {
      host, configuration in
      let configuration = try JSONDecoder().decode(
        Plugin.Configuration.self, from: Data(configuration.utf8))
      return Instance(try Plugin(configuration, host: host), host)
    })
}

private func instance(_ state: UnsafeMutableRawPointer?) -> Instance {
  guard let state else { fatalError("the trainer gave no state back") }
  return Unmanaged<Instance>.fromOpaque(state).takeUnretainedValue()
}

/// The library's one plugin; C functions have no context to hold it.
private final class Table {
  // The trainer calls from one thread at a time.
  nonisolated(unsafe) static let shared = Table()
  private var pointer: UnsafeMutablePointer<crest_plugin>?
  private var texts: [CText] = []
  private var makeInstance: ((Host, String) throws -> Instance)?

  func table(
    identifier: String, version: String, make: @escaping (Host, String) throws -> Instance
  ) -> UnsafePointer<crest_plugin> {
    if let pointer { return UnsafePointer(pointer) }
    texts = [CText(identifier), CText(version)]
    makeInstance = make
    let table = UnsafeMutablePointer<crest_plugin>.allocate(capacity: 1)
    table.initialize(to: crest_plugin())
    table.pointee.size = UInt32(MemoryLayout<crest_plugin>.size)
    table.pointee.magic = UInt32(CREST_PLUGIN_MAGIC)
    table.pointee.major = CREST_PLUGIN_MAJOR
    table.pointee.minor = CREST_PLUGIN_MINOR
    table.pointee.identifier = texts[0].start
    table.pointee.version = texts[1].start
    table.pointee.create = { host, configuration, target in
      guard let host, let configuration, let target else { return CREST_FAILED.number }
      return Table.shared.make(host, configuration, target)
    }
    table.pointee.on_event = { state, event in
      Unmanaged<Instance>.fromOpaque(state.unsafelyUnwrapped)._withUnsafeGuaranteedRef {
        $0.handle(event.unsafelyUnwrapped)
      }
    }
    table.pointee.save_state = { state, write, sink in
      instance(state).save { bytes in write?(sink, bytes.baseAddress, UInt64(bytes.count)) }
    }
    table.pointee.load_state = { state, bytes, count in
      instance(state).load(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
    }
    table.pointee.destroy = { state in
      if let state { Unmanaged<Instance>.fromOpaque(state).release() }
    }
    pointer = table
    return UnsafePointer(table)
  }

  func make(
    _ services: UnsafePointer<crest_host>, _ configuration: UnsafePointer<CChar>,
    _ target: UnsafeMutablePointer<crest_instance>
  ) -> Int32 {
    let host = Host(services: services)
    do {
      guard let instance = try makeInstance?(host, String(cString: configuration)) else {
        return CREST_FAILED.number
      }
      instance.declare(in: target)
      target.pointee.state = Unmanaged.passRetained(instance).toOpaque()
      return CREST_OK.number
    } catch {
      services.pointee.fail(services.pointee.context, "\(error)")
      return CREST_FAILED.number
    }
  }
}

/// A plugin at work, without its type.
private final class Instance {
  private typealias Action = (UnsafePointer<crest_event>, Host) throws -> Void

  private let host: Host
  private let bindings: [Binding?]
  // The same, to be called without counting references for every event.
  private let table: UnsafeMutablePointer<Unmanaged<Binding>?>
  private let saveState: () throws -> Data
  private let loadState: (Data) throws -> Void
  private let declaration: Declaration

  init<Plugin: CrestPlugin>(_ plugin: Plugin, _ host: Host) {
    self.host = host
    var lists = [[Action]](repeating: [], count: Int(CREST_AFTER_FIT.rawValue) + 1)
    for hook in plugin.hooks {
      let (place, action) = Self.bind(hook)
      lists[Int(place.rawValue)].append(action)
    }
    bindings = lists.map { list in
      switch list.count {
      case 0: nil
      case 1: Binding(list[0])
      default: Binding { event, host in for action in list { try action(event, host) } }
      }
    }
    table = .allocate(capacity: bindings.count)
    for (place, binding) in bindings.enumerated() {
      (table + place).initialize(to: binding.map { .passUnretained($0) })
    }
    saveState = {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      return try encoder.encode(plugin.state)
    }
    loadState = { data in
      let decoder = JSONDecoder()
      decoder.nonConformingFloatDecodingStrategy = .convertFromString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      plugin.state = try decoder.decode(Plugin.State.self, from: data)
    }
    var hooks: UInt64 = 0
    for (place, binding) in bindings.enumerated() where binding != nil {
      hooks |= 1 << UInt64(place)
    }
    declaration = Declaration(plugin, hooks: hooks)
  }

  deinit { table.deallocate() }

  /// What is done at a hook.
  private final class Binding {
    let action: Action
    init(_ action: @escaping Action) { self.action = action }
  }

  private static func bind(_ hook: Hook) -> (crest_hook, Action) {
    func fit(_ action: @escaping (FitContext) throws -> Void) -> Action {
      { try action(FitContext(event: $0, host: $1)) }
    }
    func epoch(_ action: @escaping (EpochContext) throws -> Void) -> Action {
      { try action(EpochContext(event: $0, host: $1)) }
    }
    func pass(_ action: @escaping (PassContext) throws -> Void) -> Action {
      { try action(PassContext(event: $0, host: $1)) }
    }
    func batch(_ action: @escaping (BatchContext) throws -> Void) -> Action {
      { try action(BatchContext(event: $0, host: $1)) }
    }
    return switch hook {
    case .beforeFit(let action): (CREST_BEFORE_FIT, fit(action))
    case .beforeEpoch(let action): (CREST_BEFORE_EPOCH, epoch(action))
    case .beforeTrain(let action): (CREST_BEFORE_TRAIN, pass(action))
    case .beforeBatch(let action): (CREST_BEFORE_BATCH, batch(action))
    case .afterPrediction(let action): (CREST_AFTER_PREDICTION, batch(action))
    case .afterLoss(let action): (CREST_AFTER_LOSS, batch(action))
    case .beforeBackward(let action): (CREST_BEFORE_BACKWARD, batch(action))
    case .afterBackward(let action): (CREST_AFTER_BACKWARD, batch(action))
    case .beforeStep(let action): (CREST_BEFORE_STEP, batch(action))
    case .afterStep(let action): (CREST_AFTER_STEP, batch(action))
    case .afterBatch(let action): (CREST_AFTER_BATCH, batch(action))
    case .afterTrain(let action): (CREST_AFTER_TRAIN, pass(action))
    case .beforeValidate(let action): (CREST_BEFORE_VALIDATE, pass(action))
    case .afterValidate(let action): (CREST_AFTER_VALIDATE, pass(action))
    case .afterEpoch(let action): (CREST_AFTER_EPOCH, epoch(action))
    case .afterFit(let action): (CREST_AFTER_FIT, fit(action))
    }
  }

  func declare(in target: UnsafeMutablePointer<crest_instance>) { declaration.write(to: target) }

  func handle(_ event: UnsafePointer<crest_event>) -> Int32 {
    let place = Int(event.pointee.hook)
    guard bindings.indices.contains(place), let binding = table[place] else {
      return CREST_OK.number
    }
    do {
      try binding._withUnsafeGuaranteedRef { try $0.action(event, host) }
      return CREST_OK.number
    } catch let cancel as Cancel {
      let services = host.services.pointee
      let status = services.cancel(
        services.context, Int32(cancel.phase.rawValue), cancel.reason)
      if status == CREST_OK.number { return status }
      return fail(host.refusal)
    } catch {
      return fail("\(error)")
    }
  }

  func save(_ write: (UnsafeRawBufferPointer) -> Void) -> Int32 {
    do {
      try saveState().withUnsafeBytes(write)
      return CREST_OK.number
    } catch {
      return fail("the state can't be written: \(error)")
    }
  }

  func load(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    do {
      try loadState(Data(bytes))
      return CREST_OK.number
    } catch {
      return fail("the state can't be read: \(error)")
    }
  }

  private func fail(_ message: String) -> Int32 {
    host.services.pointee.fail(host.services.pointee.context, message)
    return CREST_FAILED.number
  }
}

/// What a plugin asks for, in memory that stays as long as the instance.
private final class Declaration {
  private var instance = crest_instance()
  private let texts: [CText]
  private let lists: UnsafeMutablePointer<UnsafePointer<CChar>?>

  init(_ plugin: some CrestPlugin, hooks: UInt64) {
    let layers = plugin.reads.compactMap { read in
      if case .activation(let path) = read { path } else { nil }
    }.sorted()
    let activations = layers.map(CText.init)
    let reports = plugin.reports.map(CText.init)
    texts = activations + reports
    let pointers = activations.map(\.start) + [nil] + reports.map(\.start) + [nil]
    lists = .allocate(capacity: pointers.count)
    for (place, pointer) in pointers.enumerated() { (lists + place).initialize(to: pointer) }
    instance.order = Int32(clamping: plugin.order)
    instance.hooks = hooks
    instance.reads = plugin.reads.reduce(0) { $0 | 1 << UInt64($1.kind) }
    instance.owns = plugin.owns.reduce(0) { $0 | 1 << $1.bit }
    instance.activations = UnsafePointer(lists)
    instance.reports = UnsafePointer(lists + activations.count + 1)
  }

  deinit { lists.deallocate() }

  func write(to target: UnsafeMutablePointer<crest_instance>) {
    target.pointee.order = instance.order
    target.pointee.hooks = instance.hooks
    target.pointee.reads = instance.reads
    target.pointee.owns = instance.owns
    target.pointee.activations = instance.activations
    target.pointee.reports = instance.reports
  }
}

/// Text as C has it, in memory of its own that moves nowhere.
private final class CText {
  private let memory: UnsafeMutablePointer<CChar>
  var start: UnsafePointer<CChar>? { UnsafePointer(memory) }

  init(_ text: String) {
    let characters = Array(text.utf8CString)
    memory = .allocate(capacity: characters.count)
    memory.initialize(from: characters, count: characters.count)
  }

  deinit { memory.deallocate() }
}

extension HyperparameterPart {
  /// As `CREST_OWNS` has it.
  fileprivate var bit: UInt64 {
    switch self {
    case .base(let hyperparameter): UInt64(2 * hyperparameter.rawValue)
    case .factor(let hyperparameter): UInt64(2 * hyperparameter.rawValue + 1)
    }
  }
}
