import ArgumentParser
import Foundation
import ProcessSupport

/// Sends damaged models through all that a model from elsewhere goes through, in processes that may be
/// lost.
struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read, import, run and write damaged models.",
    discussion: """
      Fails when one ends the process, takes more than its time or memory, or is met by a fault of \
      ours. Such models are saved as FOLDER/failed-SEED-NUMBER.onnx.
      """)

  @OptionGroup var models: FuzzModels

  @Option(help: "How many damaged models.")
  var count = 1_000_000

  @Option(help: "The number of the first.")
  var first = 0

  @Option(help: "How many processes at a time.")
  var jobs = ProcessInfo.processInfo.activeProcessorCount

  func run() throws {
    guard count > 0, jobs > 0 else {
      throw ValidationError("--count and --jobs: expected 1 or more")
    }
    try FileManager.default.createDirectory(
      atPath: models.folder, withIntermediateDirectories: true)
    let start = Date()
    var workers: [FuzzWorker] = []
    let share = (count + jobs - 1) / jobs
    for begin in stride(from: first, to: first + count, by: share) {
      workers.append(
        try FuzzWorker(models, numbers: begin..<min(begin + share, first + count)))
    }
    var tally = FuzzTally()
    var failures: [String] = []
    while !workers.isEmpty {
      Thread.sleep(forTimeInterval: 0.05)
      for (place, worker) in workers.enumerated().reversed() where !worker.isRunning {
        let end = try worker.finish()
        tally.add(end.tally)
        if let failure = end.failure {
          report(failure)
          failures.append(failure)
        }
        workers.remove(at: place)
        if !end.rest.isEmpty { workers.append(try FuzzWorker(models, numbers: end.rest)) }
      }
    }
    let seconds = Date().timeIntervalSince(start)
    report("seed \(models.seed), models \(first)..<\(first + count): \(tally)")
    report(
      "\(failures.count) failures, \(Int(seconds)) s, \(Int(Double(count) / seconds)) models a second"
    )
    guard failures.isEmpty else { throw ExitCode.failure }
  }
}

/// One process of a search, and what it left.
struct FuzzWorker {
  struct End {
    let tally: FuzzTally
    /// What went wrong with a model, in words.
    let failure: String?
    /// The numbers after that model.
    let rest: Range<Int>
  }

  private let run: RunningProgram
  private let models: FuzzModels
  private let numbers: Range<Int>
  private let folder: String

  init(_ models: FuzzModels, numbers: Range<Int>) throws {
    self.models = models
    self.numbers = numbers
    folder = try models.makeWorkFolder(name: "\(numbers.lowerBound)")
    run = try Executable.own.start(
      ["fuzz-range"] + models.arguments + [
        "--first", "\(numbers.lowerBound)", "--end", "\(numbers.upperBound)", "--work", folder,
      ],
      environment: [
        // Swift's runtime keeps what looks lost to the leak checker. The rest bounds memory.
        "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=16:max_allocation_size_mb=512:"
          + "allocator_may_return_null=0:abort_on_error=1"
      ])
  }

  var isRunning: Bool { run.isRunning }

  /// What the process left, once it has ended.
  func finish() throws -> End {
    let result = try run.finish()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let state = try FuzzState(readingFrom: folder)
    if result.status == 0 {
      return End(tally: state.tally, failure: nil, rest: numbers.upperBound..<numbers.upperBound)
    }
    let number = state.next
    let saved = "\(models.folder)/failed-\(models.seed)-\(number).onnx"
    try? FileManager.default.removeItem(atPath: saved)
    try FileManager.default.copyItem(atPath: folder + "/model.onnx", toPath: saved)
    return End(
      tally: state.tally,
      failure: "model \(number): \(result.end); saved as \(saved)\n\(result.error)",
      rest: min(number + 1, numbers.upperBound)..<numbers.upperBound)
  }
}
