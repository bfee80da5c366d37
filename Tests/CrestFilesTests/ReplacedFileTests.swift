import CrestFiles
import CrestPlatform
import ProcessSupport
import Testing

@Suite struct `A file that is replaced` {
  /// The ways there are, which must not differ.
  enum Way: CaseIterable, Sendable {
    case output, checkpoint

    func write(_ bytes: [UInt8], to path: String) throws {
      switch self {
      case .output: try OutputFile.write(bytes, to: path)
      case .checkpoint:
        try SystemFiles().replaceFile(at: path) { (put) throws(SystemError) in
          let sent = bytes.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in try put(bytes, 0) }
          }
          try sent.get()
        }
      }
    }
  }

  @Test(arguments: Way.allCases)
  func `stays at the end of its links, with its permissions`(way: Way) throws {
    try TemporaryFolder.lent { folder in
      let (file, link) = (FilePath.join(folder, "file"), FilePath.join(folder, "link"))
      try way.write([1], to: file)
      #expect(chmod(file, 0o640) == 0)
      #expect(symlink("file", link) == 0)
      try way.write([2, 3], to: link)
      var status = stat()
      #expect(lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
      #expect(FileStatus(of: file)?.permissions == 0o640)
      #expect(try RegularFile(file).bytes(count: 2) == [2, 3])
      #expect(try SystemFiles().names(inFolder: folder).sorted() == ["file", "link"])
    }
  }

  @Test(arguments: Way.allCases)
  func `is no pipe that nobody reads`(way: Way) throws {
    try TemporaryFolder.lent { folder in
      let pipe = FilePath.join(folder, "pipe")
      #expect(mkfifo(pipe, 0o600) == 0)
      #expect(throws: (any Error).self) { try way.write([1], to: pipe) }
      #expect(FileStatus(of: pipe)?.kind == .other)
      let names = try SystemFiles().names(inFolder: folder)
      #expect(names == ["pipe"])
    }
  }

  @Test func `is no device: bytes go there, or are refused`() throws {
    try Way.output.write([1], to: "/dev/null")
    let error = try #require(throws: SystemError.self) {
      try Way.checkpoint.write([1], to: "/dev/null")
    }
    #expect(error.description == "Operation not supported (open)")
    #expect(FileStatus(of: "/dev/null")?.kind == .other)
  }

  @Test func `leaves nothing when it isn't finished`() throws {
    try TemporaryFolder.lent { folder in
      let path = FilePath.join(folder, "a")
      try OutputFile.write([1], to: path)
      do {
        var output = try OutputFile(replacing: path)
        try [UInt8](repeating: 7, count: 1 << 17).withUnsafeBytes { try output.write($0) }
      }
      #expect(try RegularFile(path).bytes(count: 1) == [1])
      #expect(try SystemFiles().names(inFolder: folder) == ["a"])
    }
  }

  @Test func `is refused where something is, if it is to be new`() throws {
    try TemporaryFolder.lent { folder in
      let path = FilePath.join(folder, "a")
      try OutputFile.write([1], to: path)
      let error = try #require(throws: OutputFailure.self) { _ = try OutputFile(creating: path) }
      #expect(error.code == EEXIST)
      #expect(try RegularFile(path).bytes(count: 1) == [1])
    }
  }

  @Test func `may have many parts`() throws {
    try TemporaryFolder.lent { folder in
      let path = FilePath.join(folder, "a")
      var output = try OutputFile(replacing: path)
      var expected: [UInt8] = []
      for (index, count) in [3, 70_000, 0, 65_536, 1, 65_535, 2].enumerated() {
        let part = [UInt8](repeating: UInt8(index), count: count)
        try part.withUnsafeBytes { try output.write($0) }
        expected += part
      }
      try output.commit()
      let file = try RegularFile(path)
      #expect(try file.bytes(count: file.byteCount) == expected)
    }
  }
}
