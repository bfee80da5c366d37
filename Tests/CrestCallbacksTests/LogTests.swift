import CrestCallbacks
import CrestFiles
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTraining
import Foundation
import ProcessSupport
import Testing
import TrainingTestSupport

struct LogTests {
  /// Runs `body` with a path in a folder of its own.
  private static func withPath(_ body: (String) throws -> Void) throws {
    try TemporaryFolder.lent { try body($0 + "/log.csv") }
  }

  private static func rows(_ path: String) throws -> [[String]] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.hasSuffix("\n"))
    return text.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
  }

  private static func learner() throws -> Learner {
    try Learner(
      TinyModel.full(), data: TinyData.split(train: 12), metrics: [Accuracy()], batchSize: 5)
  }

  @Test func `a row a step holds what the step used, to the last digit`() throws {
    try Self.withPath { path in
      let recorder = Recorder()
      try Self.learner().fitOneCycle(
        epochs: 2, maxLR: 0.05, callbacks: [recorder, StepLogger(path: path)])
      let rows = try Self.rows(path)
      #expect(rows.first == ["step", "epoch", "batch", "loss", "learning_rate", "momentum"])
      #expect(
        rows.dropFirst().map { $0[0...2].joined(separator: " ") }
          == ["0 1 0", "1 1 1", "2 1 2", "3 2 0", "4 2 1", "5 2 2"])
      #expect(rows.dropFirst().map { Float($0[3]) } == recorder.steps.map(\.loss))
      #expect(rows.dropFirst().map { Double($0[4]) } == recorder.steps.map(\.learningRate))
      #expect(rows.dropFirst().map { Double($0[5]) } == recorder.steps.map(\.momentum))
    }
  }

  @Test func `a row is on disk as soon as its step is done`() throws {
    try Self.withPath { path in
      var counts: [Int] = []
      let reader = CallbackOf(
        .afterStep { _ in counts.append(try Self.rows(path).count) }, order: 100)
      try Self.learner().fit(epochs: 1, callbacks: [StepLogger(path: path), reader])
      #expect(counts == [2, 3, 4])
    }
  }

  @Test func `a row an epoch holds its results`() throws {
    try Self.withPath { path in
      let recorder = Recorder()
      let logger = CSVLogger(path: path)
      let learner = try Self.learner()
      try learner.fit(epochs: 2, callbacks: [recorder, logger])
      let rows = try Self.rows(path)
      #expect(
        rows.first == [
          "epoch", "train_loss", "valid_loss", "accuracy", "seconds", "examples_per_second",
        ])
      for (index, epoch) in recorder.epochs.enumerated() {
        let row = rows[index + 1]
        #expect(row[0] == "\(index + 1)")
        #expect(Double(row[1]) == epoch.train?.loss)
        #expect(Double(row[2]) == epoch.validation?.loss)
        #expect(Double(row[3]) == epoch.validation?["accuracy"])
        #expect(Double(row[5]) == epoch.train?.examplesPerSecond)
      }
      try learner.fit(epochs: 1, callbacks: [logger])
      #expect(try Self.rows(path).map { $0[0] } == ["epoch", "1", "2", "1"], "it goes on")
      try learner.fit(epochs: 1, callbacks: [CSVLogger(path: path)])
      #expect(try Self.rows(path).map { $0[0] } == ["epoch", "1"], "another logger begins anew")
    }
  }

  @Test(
    arguments: [
      ("rename", "it was renamed or replaced during the run"),
      ("replace", "it was renamed or replaced during the run"),
      ("append", "it has %d bytes, but this run has written %d: something else writes to it"),
      ("truncate", "it has %d bytes, but this run has written %d: something else writes to it"),
    ])
  func `a file that others change is not written to any more`(change: String, reason: String) throws
  {
    try Self.withPath { path in
      var sizes = (now: 0, before: 0)
      let neighbour = CallbackOf(
        .afterStep { context in
          guard context.index == 1 else { return }
          sizes.before = FileStatus(of: path)?.byteCount ?? 0
          switch change {
          case "rename": #expect(rename(path, path + ".1") == 0)
          case "replace": try Data().write(to: URL(filePath: path), options: .atomic)
          case "append":
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            try file.seekToEnd()
            try file.write(contentsOf: Data("mine\n".utf8))
          default: #expect(truncate(path, 10) == 0)
          }
          sizes.now = FileStatus(of: path)?.byteCount ?? 0
        }, order: 100)
      let error = try #require(throws: CallbackError.self) {
        try Self.learner().fit(epochs: 1, callbacks: [StepLogger(path: path), neighbour])
      }
      #expect(
        error.description
          == "\(path) can't be written: \(String(format: reason, sizes.now, sizes.before))")
      // What others have written there stays.
      #expect((FileStatus(of: path)?.byteCount ?? 0) == sizes.now)
    }
  }

  @Test func `what an epoch doesn't have is empty`() throws {
    try Self.withPath { path in
      let skip = CallbackOf(.beforeValidate { _ in throw Cancel(.validate, reason: "a test") })
      try Self.learner().fit(epochs: 1, callbacks: [skip, CSVLogger(path: path)])
      let row = try Self.rows(path)[1]
      #expect(row[2] == "")
      #expect(row[3] == "")
      #expect(row[1] != "")
    }
  }

  @Test func `a path that can't be written is an error before training`() throws {
    let learner = try Self.learner()
    let before = learner.snapshot().store
    for logger in [
      CSVLogger(path: "/nowhere/log.csv"), StepLogger(path: "/nowhere/log.csv"),
    ] as [any Callback] {
      let error = #expect(throws: CallbackError.self) {
        try learner.fit(epochs: 1, callbacks: [logger])
      }
      #expect(
        error?.description == "/nowhere/log.csv can't be written: No such file or directory; "
          + "choose another path")
    }
    #expect(learner.snapshot().store == before)
  }

  @Test(arguments: [true, false])
  func `a log that is gone or was cut is found before a run is gone on with`(isGone: Bool) throws {
    try Self.withPath { path in
      try Self.withPath { folder in
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let learner = try Self.learner()
        let interrupt = CallbackOf(
          .afterStep { if $0.step == 3 { $0.learner.interruption.raise() } })
        try learner.fit(
          epochs: 2,
          callbacks: [StepLogger(path: path), interrupt, BackupAndRestore(folder: folder)])
        let size = try Data(contentsOf: URL(filePath: path)).count
        if isGone {
          try FileManager.default.removeItem(atPath: path)
        } else {
          try Data("step".utf8).write(to: URL(filePath: path))
        }
        var batches = 0
        let error = #expect(throws: CallbackError.self) {
          try Self.learner().fit(
            epochs: 2,
            callbacks: [
              StepLogger(path: path), BackupAndRestore(folder: folder),
              CallbackOf(.beforeBatch { _ in batches += 1 }),
            ])
        }
        #expect(batches == 0)
        #expect(
          error?.description
            == "\(path) \(isGone ? "is gone" : "has 4 bytes"), but \(size) bytes were written to "
            + "it before the checkpoint; restore it, or skip callbacks.StepLogger to start it "
            + "again")
        #expect(FileManager.default.fileExists(atPath: path) == !isGone)
      }
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"))
  func `a full disk ends the fit with an error`() throws {
    #expect(
      throws: CallbackError.unwritable(
        path: "/dev/full", reason: "No space left on device; choose another path or make room")
    ) { try Self.learner().fit(epochs: 1, callbacks: [StepLogger(path: "/dev/full")]) }
  }

  /// A log that is a pipe can't be written when its reader goes, and can again when there is another.
  @Test(arguments: [false, true])
  func `a row that can't be written is in the checkpoint, and comes first later`(
    isCancelled: Bool
  ) throws {
    try Self.withPath { folder in
      try Self.withPath { path in
        #expect(mkfifo(path, 0o600) == 0)
        func reader() -> FileHandle {
          FileHandle(
            fileDescriptor: open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), closeOnDealloc: true)
        }
        let first = reader()
        signal(SIGPIPE, SIG_IGN)
        let stop = CallbackOf(
          .afterEpoch { epoch in
            if epoch.index == 1 {
              try first.close()
              if isCancelled { throw Cancel(.fit, reason: "a test") }
            }
          }, order: 0)
        let backup = try BackupAndRestore(folder: folder, every: .epochs(100))
        let error = #expect(throws: CallbackError.self) {
          try Self.learner().fit(epochs: 4, callbacks: [CSVLogger(path: path), stop, backup])
        }
        #expect(
          error == .unwritable(path: path, reason: "Broken pipe; choose another path"))
        guard case .saved = backup.interruption else {
          Issue.record("the fit was not saved")
          return
        }
        let second = reader()
        let again = try Self.learner()
        let outcome = try again.fit(
          epochs: 4,
          callbacks: [
            CSVLogger(path: path), CallbackOf(.afterEpoch { _ in }, order: 0),
            try BackupAndRestore(folder: folder, every: .epochs(100)),
          ])
        #expect(outcome.isFinished != isCancelled)
        let text = String(decoding: try second.readToEnd() ?? Data(), as: UTF8.self)
        #expect(
          text.split(separator: "\n").map { $0.prefix { $0 != "," } }
            == (isCancelled ? ["2"] : ["2", "3", "4"]), "\(text)")
      }
    }
  }

  @Test func `a recorder starts anew with each fit`() throws {
    let recorder = Recorder()
    let learner = try Self.learner()
    try learner.fit(epochs: 2, callbacks: [recorder])
    #expect(recorder.steps.count == 6)
    #expect(recorder.epochs.count == 2)
    let first = try #require(recorder.steps.first)
    #expect(abs(first.smoothedLoss - Double(first.loss)) < 1e-12)
    try learner.fit(epochs: 1, callbacks: [recorder])
    #expect(recorder.steps.count == 3)
    #expect(recorder.epochs.count == 1)
  }
}
