import Crest
import Foundation

/// What a table of measurements has to say about where it was made.
enum Machine {
  /// The date, the CPU, what ran and how busy the machine was.
  static func description(threads: Int, pytorch: String? = nil) throws -> String {
    let date = Date.now.formatted(.iso8601.year().month().day())
    let set = try Engine.InstructionSet.preferred()
    var parts = [
      date, processor, "\(Engine.availableCoreCount) cores", "\(set)", "\(threads) threads",
    ]
    if let pytorch { parts.append("PyTorch \(pytorch)") }
    var loads = [0.0, 0, 0]
    if getloadavg(&loads, 3) > 0 { parts.append("load \(loads[0].rounded(to: 1))") }
    return parts.joined(separator: ", ")
  }

  private static var processor: String {
    // Linux says so here; elsewhere nothing does without a call of the system's own.
    let list = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
    let line = list?.split(separator: "\n").first { $0.hasPrefix("model name") }
    let name = line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
    return name ?? "an unknown processor"
  }
}
