import CrestPluginHost
import Foundation
import ProcessSupport
import Testing

/// Paths that others could make lead elsewhere.
@Suite struct `A path to what is run` {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["safe", "open", "sticky", "open/inner"] {
      try FileManager.default.createDirectory(at: folder[name], withIntermediateDirectories: true)
    }
    for name in ["safe/program", "open/inner/program", "sticky/program"] {
      try Data("#!/bin/sh\n".utf8).write(to: folder[name])
      chmod(folder[name].path, 0o755)
    }
    chmod(folder["open"].path, 0o777)
    chmod(folder["sticky"].path, 0o1777)
    try FileManager.default.createSymbolicLink(
      atPath: folder["safe/link"].path, withDestinationPath: "../open/inner/program")
    try FileManager.default.createSymbolicLink(
      atPath: folder["safe/good"].path, withDestinationPath: "../sticky/program")
    try FileManager.default.createSymbolicLink(
      atPath: folder["safe/circle"].path, withDestinationPath: "circle")
  }

  private func message(_ name: String) -> String? {
    #expect(throws: PluginError.self) { try TrustedPath.check(folder[name].path) }?.description
  }

  private var objection: String {
    "\(folder["open"].path) is refused: users other than its owner may write to it; run chmod go-w "
      + folder["open"].path
  }

  @Test func `is followed to where it leads`() throws {
    let place = try TrustedPath.check(folder["safe/program"].path)
    #expect(place.hasSuffix("/safe/program"))
    #expect(try TrustedPath.check(folder["safe/good"].path).hasSuffix("/sticky/program"))
    #expect(
      try TrustedPath.check(folder["safe/../sticky/program"].path).hasSuffix("/sticky/program"))
  }

  @Test(arguments: [
    "open/inner/program", "safe/link", "safe/../open/inner/program",
    "open/inner/../../safe/program",
  ])
  func `is refused where others may write on the way`(name: String) {
    #expect(message(name) == objection)
  }

  @Test func `that leads nowhere says so`() {
    #expect(message("safe/nothing") == "\(folder["safe/nothing"].path): No such file or directory")
    #expect(
      message("safe/circle") == "\(folder["safe/circle"].path): Too many levels of symbolic links")
  }

  @Test func `of an interpreter is refused by what could be changed`() throws {
    let plugins = try PluginFolder()
    for name in ["open/inner/program", "safe/link"] {
      var manifest = Manifest.chaos()
      manifest.more += #", "interpreter": ["\#(folder[name].path)"]"#
      let path = try plugins.write(Compiler.chaos.get(), manifest)
      try plugins.trust("Chaos", in: path)
      let error = #expect(throws: PluginError.self) { try Plugin(path, lock: plugins.lock) }
      #expect(
        error?.description
          == "\(folder[name].path) is refused: it would run the plugin Chaos, but another user could change what it is: "
          + objection)
    }
  }

  @Test func `of a copy is safe or refused`() throws {
    let file = try TrustedFile("program", in: folder["safe"].path, limit: 1 << 20)
    let sealed = try PrivateCopy(of: file)
    let descriptor = try #require(sealed.descriptor)
    #expect(sealed.path == "/proc/self/fd/\(descriptor)")
    #expect(try Data(contentsOf: URL(filePath: sealed.path)) == Data(file.bytes))
    // Sealed: nobody writes to it, through whichever descriptor.
    #expect(open(sealed.path, O_WRONLY) < 0 || write(descriptor, "x", 1) < 0)
    let copy = try PrivateCopy(of: file, named: "program", below: folder["sticky"].path)
    #expect(copy.descriptor == nil)
    #expect(try Data(contentsOf: URL(filePath: copy.path)) == Data(file.bytes))
    let error = #expect(throws: PluginError.self) {
      try PrivateCopy(of: file, named: "program", below: folder["open/inner"].path)
    }
    #expect(
      error?.description
        == "\(folder["open/inner"].path): a plugin can't be copied to where others could change it (\(objection)); set "
        + "TMPDIR to a folder of your own")
  }
}
