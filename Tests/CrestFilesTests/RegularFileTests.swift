import CrestFiles
import CrestPlatform
import ProcessSupport
import Testing

@Suite struct `A regular file` {
  @Test func `is read within its bounds`() throws {
    try TemporaryFolder.lent { folder in
      let path = FilePath.join(folder, "a")
      try OutputFile.write([1, 2, 3, 4, 5], to: path)
      let file = try RegularFile(path)
      #expect(file.byteCount == 5)
      #expect(try file.bytes(count: 2, at: 3) == [4, 5])
      let error = try #require(throws: RegularFile.Failure.self) {
        try file.bytes(count: 3, at: 3)
      }
      guard case .shortened(let byteCount) = error else { throw error }
      #expect(byteCount == 5)
      #expect(error.reason == "it was shortened while it was read")
    }
  }

  @Test func `is no folder and no pipe, which nobody waits for`() throws {
    try TemporaryFolder.lent { folder in
      let pipe = FilePath.join(folder, "pipe")
      #expect(mkfifo(pipe, 0o600) == 0)
      for (path, reason) in [
        (folder, "Is a directory (fstat)"), (pipe, "Illegal seek (fstat)"),
        ("/dev/null", "Illegal seek (fstat)"),
      ] {
        let error = try #require(throws: RegularFile.Failure.self) { _ = try RegularFile(path) }
        guard case .notRegular = error else { throw error }
        #expect(error.reason == reason, "\(path)")
      }
    }
  }

  @Test func `has to be there`() throws {
    try TemporaryFolder.lent { folder in
      let error = try #require(throws: RegularFile.Failure.self) {
        _ = try RegularFile(FilePath.join(folder, "none"))
      }
      guard case .system(let failure) = error else { throw error }
      #expect(failure.isMissingFile)
      #expect(error.reason == "No such file or directory (open)")
    }
  }
}
