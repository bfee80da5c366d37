import CCrestPluginHost
import Foundation

/// How this process is at a time, to be compared later.
struct MisbehaviourControl {
  private let state = crest_process_state_take(0)

  /// What differs now, and is put back; nil when nothing does.
  ///
  /// To be asked once.
  var difference: String? {
    guard let state else { fatalError("there is no memory") }
    var text = [CChar](repeating: 0, count: 1024)
    guard crest_process_state_settle(state, &text, text.count) > 0 else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Whether what is said is about floating-point control.
  static func isOfEvents(_ what: String) -> Bool {
    ["rounding", "flushing", "reading of tiny", "traps of floating", "precision"].contains {
      what.contains($0)
    }
  }
}
