public import ArgumentParser
public import Crest

/// Where a run is saved, and how it is resumed.
struct CheckpointOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A folder for checkpoints, saved regularly and when the run is interrupted.",
      valueName: "folder"))
  var checkpointDir: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How often, as in 2epochs, 500steps or 10minutes (default: \(Self.standardInterval)).",
      valueName: "interval"))
  var checkpointEvery: ModelCheckpoint.Interval?

  private static let standardInterval = ModelCheckpoint.Interval.epochs(1)

  @Flag(help: "Resume the run in the folder, bit for bit, or start one if it is empty.")
  var resume = false

  @Flag(help: "Resume even if --epochs has changed, with the new schedule.")
  var reschedule = false

  @Option(
    help: ArgumentHelp(
      "A saved field to skip when resuming, with everything in it. May be repeated.",
      valueName: "field"))
  var partial: [String] = []

  /// The callback that saves the run; nil if not requested.
  func makeCallback() throws -> BackupAndRestore? {
    guard let checkpointDir else { return nil }
    return try BackupAndRestore(
      folder: checkpointDir, every: checkpointEvery ?? Self.standardInterval,
      resume: resume ? .automatically : .never,
      skipping: partial, reschedules: reschedule,
      warnings: .warnings(of: "BackupAndRestore", as: "--checkpoint-dir"))
  }
}

extension ModelCheckpoint.Interval: ExpressibleByArgument {
  /// An interval as in `2epochs`.
  public init?(argument: String) { self.init(argument) }
}
