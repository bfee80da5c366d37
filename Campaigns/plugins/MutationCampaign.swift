import Crest
import CrestPlugins
import Foundation
import ProcessSupport

/// Loads and trains with libraries that were damaged and locked as they are: however they fail, the trainer lives.
struct MutationCampaign {
  let control: Bool
  /// How many a trainer loads: more than one does, and few, since each may have written where it should not.
  private static let size = 10

  /// Runs `count` mutants, ten in a trainer, which is started again if it dies.
  func run(count: Int, seed: UInt64) throws {
    let good = try CampaignPlugin("Good")
    try good.write(CampaignPlugin.build("cost.c"))
    var deaths: [String] = []
    var totals: [String: Int] = [:]
    var next = 0
    while next < count {
      let last = min(next + Self.size, count)
      // Crashes are what it is about; reports of them take seconds.
      let result = try Executable.own.start(
        [
          "mutate", good.library, "\(next)", "\(last)", "\(seed)",
          control ? "control" : "rehearse",
        ], environment: ["SWIFT_BACKTRACE": "enable=no"]
      ).finish()
      let lines = result.output.split(separator: "\n")
      for line in lines where line.hasPrefix("end ") {
        totals[String(line.dropFirst(4)), default: 0] += 1
      }
      let begun = lines.last { $0.hasPrefix("begin ") || $0.hasPrefix("loaded ") }
      let ended = lines.count { $0.hasPrefix("end ") }
      if result.status == 0, ended == last - next {
        next = last
      } else {
        deaths.append("\(begun ?? "at the start"): \(result.end) \(result.error.suffix(300))")
        // A trainer that ends badly after its last mutant has none to go on with.
        next = ended == last - next ? last : next + ended + 1
      }
    }
    for (end, number) in totals.sorted(by: { $0.key < $1.key }) { print("\(end): \(number)") }
    let loading = deaths.count { $0.hasPrefix("begin ") }
    print(
      "\(count) damaged libraries, seed \(seed): \(loading) deaths of the trainer while loading, \(deaths.count - loading) "
        + "later")
    for death in deaths.prefix(20) { print("  \(death)") }
    if deaths.isEmpty == control { exit(1) }
  }

  /// The trainer: `mutate LIBRARY FIRST LAST SEED rehearse|control`.
  static func trainer(
    _ library: String, _ first: Int, _ last: Int, seed: UInt64, rehearses: Bool
  ) throws {
    // At once: it may be the last that this process says.
    func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
    let good = try [UInt8](Data(contentsOf: URL(filePath: library)))
    let plugin = try CampaignPlugin("Cost")
    let run = try ShortRun()
    for number in first..<last {
      try plugin.write(mutant(of: good, number, seed))
      say("begin \(number)")
      do {
        let loaded = try Plugin(
          plugin.folder, lock: plugin.lock, rehearses: rehearses, log: { _, _ in })
        say("loaded \(number)")
        try run.train(with: loaded)
        say("end trained")
      } catch let error as PluginError {
        say("end \(Self.kind(of: error))")
      }
    }
  }

  private static func kind(of error: PluginError) -> String {
    switch error {
    case .refused: "refused"
    case .rehearsal: "failed in a rehearsal"
    case .manifestLies: "not what its manifest says"
    case .failed: "failed at work"
    default: "\(error)"
    }
  }

  /// One to eight bytes that differ, of which half lie in what is loaded first.
  private static func mutant(of good: [UInt8], _ number: Int, _ seed: UInt64) -> [UInt8] {
    let random = Philox(seed: seed &+ UInt64(number), stream: Philox.Stream.split)
    var draw: UInt64 = 0
    func below(_ limit: Int) -> Int {
      draw += 1
      return random.integer(below: limit, draw)
    }
    var bytes = good
    for _ in 0..<(1 + below(8)) {
      let place = below(2) == 0 ? below(min(0x1000, good.count)) : below(good.count)
      bytes[place] = below(2) == 0 ? bytes[place] ^ UInt8(1 << below(8)) : UInt8(below(256))
    }
    return bytes
  }
}
