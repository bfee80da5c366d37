import CrestPlatform

extension RangeTest {
  /// A sentence on how to train, with what speaks for it.
  public struct Advice: Sendable, Hashable {
    /// What it is about.
    public enum Topic: String, Sendable, Hashable, CaseIterable, Codable {
      /// The highest rate.
      case maxLR
      /// The weight decay.
      case weightDecay
      /// The batch size.
      case batchSize
      /// The momentum.
      case momentum
      /// The dropout.
      case dropout
      /// The length of the run.
      case cycleLength
      /// The part of the running statistics that stays.
      case batchNorm
      /// How many examples there are.
      case littleData

      /// As in `weight decay`.
      public var name: String {
        switch self {
        case .maxLR: "maximum rate"
        case .weightDecay: "weight decay"
        case .batchSize: "batch size"
        case .momentum: "momentum"
        case .dropout: "dropout"
        case .cycleLength: "cycle length"
        case .batchNorm: "batch norm"
        case .littleData: "little data"
        }
      }
    }

    /// What it is about.
    public let topic: Topic
    /// What to do.
    public let text: String
    /// Where it was seen, with numbers.
    public let source: String
    /// What it was not tested on.
    public let untested: String
    /// The command's option for it, if there is one that can be given right away.
    public let option: String?
  }

  /// How a learner trains, by which advice is given.
  public struct Setup: Sendable, Hashable {
    /// The training examples.
    public var exampleCount: Int
    /// The classes; nil if targets are values.
    public var classCount: Int?
    /// The examples of a batch.
    public var batchSize: Int
    /// The momentum, if the optimiser has one.
    public var momentum: Double?
    /// The layers with parameters.
    public var layerCount: Int
    /// The part of the running statistics that stays, if there is a batch norm.
    public var batchNormMomentum: Double?
    /// The largest share of dropout, if there is any.
    public var dropout: Double?

    /// A setup of its parts.
    public init(
      exampleCount: Int, classCount: Int?, batchSize: Int, momentum: Double?, layerCount: Int,
      batchNormMomentum: Double? = nil, dropout: Double? = nil
    ) {
      self.exampleCount = exampleCount
      self.classCount = classCount
      self.batchSize = batchSize
      self.momentum = momentum
      self.layerCount = layerCount
      self.batchNormMomentum = batchNormMomentum
      self.dropout = dropout
    }
  }

  /// Advice on training with ``maxLR``; none without a verdict.
  public func advice(for setup: Setup) -> [Advice] {
    guard let verdict, let maxLR else { return [] }
    return setup.advice(
      maxLR: maxLR, verdict: verdict, topRate: topRate, usualRate: usualRate)
  }
}

extension RangeTest.Setup {
  /// Advice on training with a rate.
  ///
  /// - Parameters:
  ///   - maxLR: The highest rate.
  ///   - verdict: The verdict of a range test; nil without one.
  ///   - topRate: Up to where accuracy holds, if that is known.
  ///   - usualRate: A usual constant rate, if it is known.
  /// - Returns: A sentence for each topic that applies.
  public func advice(
    maxLR: Double, verdict: RangeTest.Verdict? = nil, topRate: Double? = nil,
    usualRate: Double? = nil
  ) -> [RangeTest.Advice] {
    [
      rateAdvice(maxLR, verdict, topRate), decayAdvice(verdict), batchAdvice, momentumAdvice,
      dropoutAdvice(maxLR, usualRate), lengthAdvice(verdict), normAdvice, sizeAdvice,
    ].compactMap { $0 }
  }

  private func rateAdvice(
    _ maxLR: Double, _ verdict: RangeTest.Verdict?, _ topRate: Double?
  ) -> RangeTest.Advice {
    let text =
      switch verdict {
      case .plateau:
        "Train with 1cycle to \(maxLR.short): accuracy holds up to \((topRate ?? maxLR).short), so super-convergence is "
          + "likely."
      case .peak:
        "Train with 1cycle to \(maxLR.short), where the peak is: a larger rate won't help here, but 1cycle still may."
      case .undecided:
        "Train with 1cycle to \(maxLR.short), the safe choice while the verdict is open."
      case nil:
        "Train with 1cycle to \(maxLR.short); a range test tells whether much larger rates are possible."
      }
    return RangeTest.Advice(
      topic: .maxLR, text: text,
      source: verdict == .plateau
        ? "Smith's logs of ResNet-20, -56 and -110 on CIFAR-10 and -100 (1708.07120)"
        : "LeNet on 10,000 images of Fashion-MNIST, 10 epochs, three seeds: 1cycle to the peak 88.8 %, the best constant "
          + "rate 86.4 %",
      untested: "other optimisers than SGD, batch sizes and weight decays than those of the test",
      option: "--max-lr \(maxLR.short)")
  }

  private func decayAdvice(_ verdict: RangeTest.Verdict?) -> RangeTest.Advice {
    let isPlateau = verdict == .plateau
    // Above a rate of 1, decay and rate together wiped out what was learned.
    let decay = isPlateau ? "1e-4" : layerCount <= 10 ? "5e-4" : "1e-4"
    return RangeTest.Advice(
      topic: .weightDecay,
      text: isPlateau
        ? "Begin with 1e-4, halve it when you double the rate, and never take 1e-3 with a rate above 1"
          + (layerCount >= 100 ? "; for so many layers try 1e-5 too." : ".")
        : "Try 1e-2 to 1e-4; a shallow network bears more.",
      source:
        "Smith's logs at a maximum of 3: 1e-3 diverged, 1e-4 92.4 %, 1e-5 88.3 %, 1e-6 87.3 %",
      untested: "AdamW, whose decay means something else", option: "--weight-decay \(decay)")
  }

  private var batchAdvice: RangeTest.Advice {
    let perEpoch = max(1, exampleCount / batchSize)
    let epochs = (1500 + perEpoch - 1) / perEpoch
    return RangeTest.Advice(
      topic: .batchSize,
      text: "Take the largest batch that leaves 1,500 steps: \(batchSize) needs \(epochs) "
        + "\(epochs == 1 ? "epoch" : "epochs") for that. The maximum rate grows with the batch up to 1,024, then with "
        + "its root.",
      source: "1708.07120, figure 5, whose larger batches also saw more images at equal steps",
      untested: "equal numbers of epochs", option: nil)
  }

  private var momentumAdvice: RangeTest.Advice? {
    guard momentum != nil else { return nil }
    let low = layerCount <= 6 ? "0.8" : "0.85"
    return RangeTest.Advice(
      topic: .momentum,
      text: "Let it go from 0.95 to \(low) and back, against the rate; if it is constant, 0.9.",
      source:
        "Smith's logs at a maximum of 3, constant: 0.8 91.9 %, 0.85 92.3 %, 0.9 92.4 %, 0.95 90.7 %",
      untested: "Adam's β₁ with large rates", option: "--momentum 0.95,\(low)")
  }

  private func dropoutAdvice(_ maxLR: Double, _ usualRate: Double?) -> RangeTest.Advice? {
    guard let dropout, dropout > 0, let usualRate, maxLR >= 10 * usualRate else {
      return nil
    }
    return RangeTest.Advice(
      topic: .dropout,
      text:
        "Lower the dropout of \(dropout.short) by half, or leave it out: so large a rate regularises by itself.",
      source:
        "1708.07120, section 6, without numbers; in Smith's log the plateau is as wide with a dropout of 0.2",
      untested: "what it gains", option: nil)
  }

  private func lengthAdvice(_ verdict: RangeTest.Verdict?) -> RangeTest.Advice {
    RangeTest.Advice(
      topic: .cycleLength,
      text:
        "Let one cycle be the whole run: 12 to 25 epochs for sets like MNIST, 25 to 50 for those like CIFAR-10.",
      source: verdict == .plateau
        ? "1708.07120: 2,000 steps 89.7 %, 20,000 steps 92.7 %"
        : "Smith's logs of 1803.09820, whose cycles take 86 to 98 % of the run",
      untested: "text and tables", option: nil)
  }

  private var normAdvice: RangeTest.Advice? {
    guard let momentum = batchNormMomentum else { return nil }
    // Smith's settings for half cycles of 1,000 to 10,000 steps: 1 − f is about 280 over the steps.
    let steps = momentum < 1 ? Int((280 / (1 - momentum)).rounded(.up)) : nil
    return RangeTest.Advice(
      topic: .batchNorm,
      text: "Running statistics with a momentum of \(momentum.short) "
        + (steps.map { "suit half cycles of \($0) steps and more" } ?? "never change")
        + "; in shorter ones estimate them anew at the end.",
      source:
        "Smith's scripts: 0.8 for half cycles of 1,000 steps, 0.95 for 5,000, 0.97 for 10,000",
      untested: "batches of other sizes than 1,000", option: nil)
  }

  private var sizeAdvice: RangeTest.Advice? {
    guard let classes = classCount, classes > 0, exampleCount / classes < 2000 else {
      return nil
    }
    return RangeTest.Advice(
      topic: .littleData,
      text:
        "With \(exampleCount / classes) examples a class the gain over other schedules is larger.",
      source:
        "10,000 images of CIFAR-10: 80.6 against 71.2 % (1708.07120), 79.5 against 73.5 % with this package",
      untested: "fewer than 1,000 examples a class", option: nil)
  }
}
