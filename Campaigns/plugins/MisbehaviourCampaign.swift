import Crest
import CrestPlugins
import Foundation
import ProcessSupport

/// Trains with a library that changes its process or ends it, in every way and place of `misbehave.c`: the run ends with an
/// error that names the plugin and what it did, and everything is as it was.
struct MisbehaviourCampaign {
  /// A way to misbehave.
  private struct Mode {
    let name: String
    /// What the error says.
    let what: String
    var endsProcess: Bool { what.hasPrefix("it ended") }
    /// Whether other processes can change it, so that it is compared around single calls only.
    var isOfOthers: Bool { what.hasPrefix("the limit") }
  }

  /// Where it happens: a number of `misbehave.c`, and how the error names it.
  private static let places: [(number: Int, name: String)] = [
    (-1, "create"), (0, "beforeFit"), (3, "a pass"), (5, "a pass"), (14, "afterEpoch"),
    (-2, "save_state"),
  ]

  private let modes: [Mode]
  private let plugin: CampaignPlugin

  init() throws {
    let source = try String(
      contentsOfFile: CampaignPlugin.Sources.own.folder + "/misbehave.c", encoding: .utf8)
    modes = source.matches(of: #/(?m)^MODE\((\w+), "([^"]*)"\)/#).map {
      Mode(name: String($0.1), what: String($0.2))
    }
    plugin = try CampaignPlugin(
      "Misbehave",
      configuration: #"""
        {"mode":{"type":"string","summary":""},"place":{"type":"integer","summary":""},
         "at":{"type":"integer","summary":""}}
        """#)
    try plugin.write(CampaignPlugin.build("misbehave.c"))
  }

  /// Runs every mode in every place `count` times, at events that differ; for a count of 0, once in one place.
  func run(count: Int, seed: UInt64) throws {
    let random = Philox(seed: seed, stream: Philox.Stream.split)
    let run = try ShortRun()
    var failures: [String] = []
    var number = 0
    var counts = (changes: 0, ends: 0)
    for (row, mode) in modes.enumerated() {
      let places = Self.places.filter { !mode.isOfOthers || $0.name != "a pass" }
      let chosen = count > 0 ? places : [places[(row + Int(seed % 64)) % places.count]]
      for place in chosen {
        for _ in 0..<max(count, 1) {
          number += 1
          // Passes have several batches, places of other kinds come once.
          let at =
            place.number == 3 || place.number == 5
            ? 1 + random.integer(below: ShortRun.batchCount, UInt64(number)) : 1
          let failure: String?
          if mode.endsProcess {
            counts.ends += 1
            failure = try failureOfEnd(mode, place, at)
          } else {
            counts.changes += 1
            failure = Self.failure(mode, place, try train(mode.name, place.number, at, run))
          }
          if let failure {
            failures.append("\(mode.name) in \(place.name) (\(place.number)), \(at): \(failure)")
          }
        }
      }
    }
    print(
      "\(modes.count) modes, \(count > 0 ? "in \(Self.places.count) places \(count) times each" : "each in one place"), seed "
        + "\(seed): \(counts.changes) changes put back and reported, \(counts.ends) ends reported, but for "
        + "\(failures.count)")
    for failure in failures { print("  \(failure)") }
    if !failures.isEmpty { exit(1) }
  }

  /// What was wrong about the end of a run; nil when it was right.
  private static func failure(
    _ mode: Mode, _ place: (number: Int, name: String), _ result: (error: String?, left: String?)
  ) -> String? {
    if let left = result.left { return "the process was left with other \(left)" }
    guard let error = result.error else { return "no error" }
    // Floating-point control is compared around every event.
    let isControl = MisbehaviourControl.isOfEvents(mode.what)
    let name =
      isControl && place.number == 3
      ? "beforeBatch" : isControl && place.number == 5 ? "afterLoss" : place.name
    let expected = "plugin Misbehave failed in \(name): it changes \(mode.what)"
    return error.hasPrefix(expected) ? nil : "the error is \"\(error)\", expected \"\(expected)…\""
  }

  /// Trains an epoch without a rehearsal, which would find most; the error, and what it left changed.
  private func train(
    _ mode: String, _ place: Int, _ at: Int, _ run: ShortRun
  ) throws -> (error: String?, left: String?) {
    let process = MisbehaviourControl()
    var error: String?
    do {
      let loaded = try Plugin(
        plugin.folder,
        ["mode": .text(mode), "place": .number(Double(place)), "at": .number(Double(at))],
        lock: plugin.lock, rehearses: false, log: { _, _ in })
      try run.train(with: loaded)
      if let failure = loaded.state.failure { error = "\(failure)" }
    } catch let failure as PluginError {
      error = "\(failure)"
    }
    return (error, process.difference)
  }

  /// Trains in a process of its own, which must not look like a success.
  private func failureOfEnd(
    _ mode: Mode, _ place: (number: Int, name: String), _ at: Int
  ) throws -> String? {
    let result = try Executable.own.run([
      "misbehave", plugin.folder, plugin.lock, mode.name, "\(place.number)", "\(at)",
    ])
    let expected = "Error: plugin Misbehave failed in "
    guard result.status == 65, result.error.contains(expected), result.error.contains(mode.what)
    else {
      return
        "\(result.end), \(result.error.debugDescription); expected exit code 65 and \(mode.what)"
    }
    return nil
  }

  /// One run in this process: `misbehave FOLDER LOCK MODE PLACE AT`.
  static func once(_ words: [String]) throws {
    let loaded = try Plugin(
      words[0], ["mode": .text(words[2]), "place": .written(words[3]), "at": .written(words[4])],
      lock: words[1], rehearses: false)
    try ShortRun().train(with: loaded)
    if let failure = loaded.state.failure { print(failure) }
  }

  /// The same without a host that looks: each change stays, and each end is a success or as the library chose.
  func control() throws {
    var unnoticed = 0
    for mode in modes {
      let result = try Executable.own.run(["misbehave-alone", plugin.library, mode.name])
      let isLost =
        mode.endsProcess
        ? result.error.isEmpty
        : !result.output.isEmpty || !result.error.isEmpty || result.status != 0
      if isLost { unnoticed += 1 } else { print("  \(mode.name): \(result.end), \(result.output)") }
    }
    print(
      "control: of \(modes.count) modes \(unnoticed) changed or ended the process without a word of a host"
    )
    if unnoticed != modes.count { exit(1) }
  }

  /// Calls a mode in this process and writes what stays changed: `misbehave-alone LIBRARY MODE`.
  static func alone(_ words: [String]) {
    guard let library = dlopen(words[0], RTLD_NOW), let symbol = dlsym(library, "misbehave_now")
    else {
      fatalError(String(cString: dlerror()))
    }
    typealias Misbehave = @convention(c) (UnsafePointer<CChar>) -> Void
    let process = MisbehaviourControl()
    // Standard output may be what it closes.
    let output = dup(STDOUT_FILENO)
    unsafeBitCast(symbol, to: Misbehave.self)(words[1])
    let text = process.difference ?? ""
    _ = text.withCString { write(output, $0, strlen($0)) }
  }
}
