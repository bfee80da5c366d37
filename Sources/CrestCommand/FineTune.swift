import ArgumentParser
import Crest

struct FineTune: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fine-tune",
    abstract: "Train an ONNX network on other classes: its new last layer first, then all.",
    discussion: """
      The network gets a new last layer for the classes of the data. It trains alone for --frozen-epochs, at most at \
      --max-lr; then all layers train for the other epochs, the last at most at half of that, the first at a hundredth of \
      the last, each part with a 1cycle schedule (fastai's fine_tune). --max-lr is 0.002 unless given. All other options \
      are those of crest train.
      """)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The epochs, of --epochs, in which the last layer trains alone.", valueName: "n"))
  var frozenEpochs = 1

  @OptionGroup var train: Train

  func run() throws {
    try train.run(fineTuning: FineTuning(frozenEpochs: frozenEpochs))
  }
}

/// How a network is fine-tuned.
struct FineTuning {
  let frozenEpochs: Int

  /// The rate when none is given: fastai's.
  static let standardRate = 2e-3

  /// Refuses what doesn't go with it.
  func check(_ schedule: ScheduleOptions, _ model: ModelOptions, epochs: Int) throws(CommandError) {
    guard model.model.isONNXFile else { throw .fineTunesFiles(model: model.model) }
    guard frozenEpochs >= 1, frozenEpochs < epochs else {
      throw .frozenEpochs(frozenEpochs, epochs: epochs)
    }
    let option = schedule.schedule != nil ? "--schedule" : schedule.style != nil ? "--style" : nil
    if let option { throw .scheduleOfFineTuning(option: option) }
    _ = try schedule.oneRate(elseBy: Self.standardRate)
  }

  /// The schedule of rates for a learner.
  func scheduler(
    for learner: Learner, _ schedule: ScheduleOptions
  ) throws -> any ScheduledCallback {
    try FineTuneScheduler(
      for: learner, baseLR: schedule.oneRate(elseBy: Self.standardRate),
      frozenEpochs: frozenEpochs)
  }
}

extension FineTuneScheduler: ScheduledCallback {}
