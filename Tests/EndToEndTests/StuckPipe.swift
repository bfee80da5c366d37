import Foundation
import ProcessSupport
import Testing

/// A pipe called `pipe` in a folder, whose reader never reads, and that is soon full.
struct StuckPipe {
  private let reader: FileHandle
  private let folder: TemporaryFolder

  init(in folder: TemporaryFolder) throws {
    self.folder = folder
    #expect(mkfifo(folder["pipe"].path, 0o600) == 0)
    let descriptor = open(folder["pipe"].path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
    #if os(Linux)
      let setPipeSize: Int32 = 1031
      #expect(fcntl(descriptor, setPipeSize, 4096) >= 4096)
    #endif
    reader = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// Waits until a run that writes to the pipe waits for its reader: until its log grows no more.
  func waitUntilFull(by run: RunningProgram, log: String) throws {
    var before = -1
    #expect(
      try run.wait {
        usleep(200_000)
        let rows = (try? folder.lines(of: log).count) ?? 0
        defer { before = rows }
        return rows > 8 && rows == before
      })
  }

  func close() throws { try reader.close() }
}
