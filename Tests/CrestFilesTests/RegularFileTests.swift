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

  @Test func `that was written to while it was read is no mixture of old and new`() throws {
    try TemporaryFolder.lent { folder in
      let path = FilePath.join(folder, "a")
      try OutputFile.write([1, 2, 3, 4], to: path)
      // An old file, so that the clock need not have ticked.
      let times = [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]
      #expect(utimes(path, times) == 0)
      let file = try RegularFile(path)
      #expect(try file.bytes(count: 2) == [1, 2])
      let descriptor = open(path, O_WRONLY)
      #expect(pwrite(descriptor, [9] as [UInt8], 1, 3) == 1)
      close(descriptor)
      let error = try #require(throws: RegularFile.Failure.self) {
        try file.bytes(count: 2, at: 2)
      }
      guard case .changed = error else { throw error }
      #expect(error.reason == "it was changed while it was read")
      #expect(error.message == error.reason)
    }
  }

  @Test func `that was written just now is waited for, so that a further write shows`() throws {
    try TemporaryFolder.lent { folder in
      let path = FilePath.join(folder, "a")
      try OutputFile.write([3, 4, 5], to: path)
      let file = try RegularFile.settled(path)
      var now = timespec()
      clock_gettime(CLOCK_REALTIME, &now)
      #expect(now.tv_sec * 1_000_000_000 + now.tv_nsec - file.status.modified >= 10_000_000)
      #expect(try file.bytes(count: 3) == [3, 4, 5])
    }
  }

  @Test func `of another clock's time is not waited for`() throws {
    try TemporaryFolder.lent { folder in
      let path = FilePath.join(folder, "a")
      try OutputFile.write([1], to: path)
      let times = [timeval(tv_sec: 1 << 32, tv_usec: 0), timeval(tv_sec: 1 << 32, tv_usec: 0)]
      #expect(utimes(path, times) == 0)
      var file = try RegularFile(path)
      try file.settle()
      #expect(try file.bytes(count: 1) == [1])
    }
  }

  @Test func `is read around its holes`() throws {
    try TemporaryFolder.lent { folder in
      let path = FilePath.join(folder, "a")
      let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
      let size = 1 << 22
      #expect(pwrite(descriptor, [7] as [UInt8], 1, 0) == 1)
      #expect(pwrite(descriptor, [8] as [UInt8], 1, 3 << 20) == 1)
      #expect(ftruncate(descriptor, off_t(size)) == 0)
      close(descriptor)
      let file = try RegularFile(path)
      // What is not zero stays where nothing is read.
      var memory = [UInt8](repeating: 1, count: size)
      try memory.withUnsafeMutableBytes { try file.read(intoZeros: $0) }
      #expect(memory[0] == 7 && memory[3 << 20] == 8)
      if file.status.storedByteCount < size / 2 {
        #expect(memory[1 << 20] == 1 && memory[size - 1] == 1, "the holes were read")
      }
      var zeros = [UInt8](repeating: 0, count: size)
      try zeros.withUnsafeMutableBytes { try file.read(intoZeros: $0) }
      #expect(try zeros == file.bytes(count: size))
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
