import CrestCallbacks
import CrestTraining
import Testing
import TrainingTestSupport

struct ProgressBarTests {
  /// What a fit of two epochs writes, with a clock that goes on by half a second each time it is read;
  /// real durations are replaced by `_`, losses by `#`, and notes on slowness are left out.
  private static func written(
    isTerminal: Bool, isUnicode: Bool = true, width: Int = 80, interval: Double = 0,
    learningRate: Double = 0.01, _ callbacks: [any Callback] = []
  ) throws -> String {
    var text = ""
    var time = 0.0
    // What a debug build is told of its slowness, each time after clearing the line.
    var slowdowns: [String] = []
    let listen = CallbackOf(
      .beforeFit { fit in
        slowdowns = fit.slowdowns.map { (isTerminal ? "\r\u{1B}[K" : "") + $0 }
      })
    let output = ProgressBar.Output(
      isTerminal: isTerminal, isUnicode: isUnicode, width: { width }, write: { text += $0 })
    let bar = ProgressBar(output, interval: interval) {
      defer { time += 0.5 }
      return time
    }
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(train: 12, valid: 4), metrics: [Accuracy()],
      callbacks: [bar], batchSize: 5)
    try learner.fit(epochs: 2, learningRate: learningRate, callbacks: [listen] + callbacks)
    for line in slowdowns { text = text.replacing(line + "\n", with: "", maxReplacements: 1) }
    return text.replacing(/\d+\.\d s/, with: "_ s").replacing(/\d\.\d{4}/, with: "#.####")
  }

  @Test func `a pipe gets the rows of the table and nothing else`() throws {
    let text = try Self.written(isTerminal: false)
    #expect(
      text == """
        epoch  train loss  valid loss  accuracy      time
          1/2      #.####      #.####    #.####     _ s
          2/2      #.####      #.####    #.####     _ s

        """)
  }

  @Test func `a terminal gets a live line, which a row replaces`() throws {
    let text = try Self.written(isTerminal: true)
      .replacing("\r", with: "\n⏎").replacing("\u{1B}[K", with: "⌫")
    #expect(
      text == """

        ⏎epoch 1/2  ━━━━━━━━━───────────────────  1/3  0:04 left  loss #.####  rate 1e-2⌫
        ⏎epoch 1/2  ━━━━━━━━━━━━━━━━━━──────────  2/3  0:03 left  loss #.####  rate 1e-2⌫
        ⏎epoch 1/2  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━  3/3  0:03 left  loss #.####  rate 1e-2⌫
        ⏎epoch 1/2 validation  ━━━━━━━━━━━━━━━━━  1/1  0:02 left  loss #.####  rate 1e-2⌫
        ⏎⌫epoch  train loss  valid loss  accuracy      time

        ⏎⌫  1/2      #.####      #.####    #.####     _ s

        ⏎epoch 2/2  ━━━━━━━━━───────────────────  1/3  0:02 left  loss #.####  rate 1e-2⌫
        ⏎epoch 2/2  ━━━━━━━━━━━━━━━━━━──────────  2/3  0:01 left  loss #.####  rate 1e-2⌫
        ⏎epoch 2/2  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━  3/3  0:01 left  loss #.####  rate 1e-2⌫
        ⏎epoch 2/2 validation  ━━━━━━━━━━━━━━━━━  1/1  0:00 left  loss #.####  rate 1e-2⌫
        ⏎⌫  2/2      #.####      #.####    #.####     _ s

        """)
  }

  @Test(arguments: [
    (.leastNonzeroMagnitude, "4.94e-324"), (2024 * .leastNonzeroMagnitude, "1e-320"),
    (1e-300, "1e-300"), (2.5e-8, "2.5e-8"),
  ])
  func `the smallest learning rates are shown`(rate: Double, text: String) throws {
    let line = try Self.written(isTerminal: true, learningRate: rate)
    #expect(line.contains("rate \(text)\u{1B}[K"), "\(line)")
  }

  @Test func `ASCII is enough`() throws {
    let text = try Self.written(isTerminal: true, isUnicode: false)
    #expect(text.utf8.allSatisfy { $0 < 0x80 })
    #expect(text.contains("##"))
  }

  @Test(arguments: [0, 1, 12, 20, 30, 43, 60, 79, 80, 200])
  func `no live line reaches the last column`(width: Int) throws {
    let text = try Self.written(isTerminal: true, width: width)
    let live = text.split(separator: "\r").filter { $0.hasPrefix("epoch") && $0.contains("\u{1B}") }
    for line in live { #expect(line.count - "\u{1B}[K".count <= max(width - 1, 0), "\(line)") }
    #expect(live.count >= (width > 12 ? 8 : 0))
  }

  @Test func `the line is drawn no more often than its interval, but at the end of a pass`() throws
  {
    let text = try Self.written(isTerminal: true, interval: 1000)
    #expect(text.split(separator: "\r").count { $0.contains("left") } == 5)
  }

  @Test func `the end says who ended a fit and why`() throws {
    let stop = CallbackOf(.afterEpoch { _ in throw Cancel(.fit, reason: "a test") }, name: "Stop")
    #expect(
      try Self.written(isTerminal: false, [stop]).hasSuffix("ended by Stop: a test\n"))
    let interrupt = CallbackOf(.afterStep { $0.learner.interruption.raise() })
    #expect(try Self.written(isTerminal: false, [interrupt]) == "interrupted\n")
    let fail = CallbackOf(.afterStep { _ in throw Mishap("broken") })
    var text = ""
    let bar = ProgressBar(ProgressBar.Output(isTerminal: true, write: { text += $0 }))
    #expect(throws: Mishap("broken")) {
      try Learner(TinyModel.linear(), data: TinyData.split()).fit(
        epochs: 1, callbacks: [bar, fail])
    }
    #expect(text.hasSuffix("\r\u{1B}[K"), "the live line makes room for the error")
    #expect(!text.contains("epoch"))
  }

  @Test func `what makes a fit slow is said first`() throws {
    var text = ""
    var slowdowns: [String] = []
    let learner = try Learner(TinyModel.linear(), data: TinyData.split())
    try learner.fit(
      epochs: 1,
      callbacks: [
        CallbackOf(.beforeFit { slowdowns = $0.slowdowns }),
        ProgressBar(ProgressBar.Output(isTerminal: false, write: { text += $0 })),
      ])
    #expect(text.hasPrefix(slowdowns.map { $0 + "\n" }.joined() + "epoch"))
  }
}
