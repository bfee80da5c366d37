import Foundation
import ProcessSupport
import Testing

/// What `import Crest` gives: programs as a user writes them, compiled against the built modules alone,
/// outside the package, and the list of all top-level names.
@Suite struct `The front door` {
  /// Where the modules of this build lie: beside the test bundle.
  private static let modules: URL? = {
    let program = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let folder = program.deletingLastPathComponent().appending(path: "Modules")
    return FileManager.default.fileExists(atPath: folder.appending(path: "Crest.swiftmodule").path)
      ? folder : nil
  }()

  /// The compiler's complaints about a program.
  private static func errors(in program: URL) throws -> [String] {
    let modules = try #require(modules, "the modules of the build aren't beside the tests")
    var arguments = ["swiftc", "-typecheck", "-swift-version", "6", "-I", modules.path]
    let folders = [Project.root.appending(path: "Sources"), checkouts()]
    for folder in folders {
      let files = try #require(
        FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
      for case let file as URL in files where file.lastPathComponent == "module.modulemap" {
        arguments += ["-Xcc", "-fmodule-map-file=\(file.path)"]
      }
    }
    let result = try Executable.env.run(arguments + [program.path])
    let errors = result.error.split(separator: "\n").filter { $0.contains("error:") }
      .map(String.init)
    #expect(result.status == 0 || !errors.isEmpty, "\(result.error)")
    return errors
  }

  /// What packages that the library depends on bring in C.
  private static func checkouts() -> URL {
    Project.root.appending(path: ".build/checkouts/swift-crypto/Sources")
  }

  private static func programs() throws -> [URL] {
    let folder = Project.root.appending(path: "Tests/ProjectTests/Programs")
    return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .sorted { $0.path < $1.path }
  }

  @Test func `opens for every program of a user's`() throws {
    let programs = try Self.programs()
    #expect(programs.count >= 8)
    for program in programs {
      #expect(try Self.errors(in: program) == [], "\(program.lastPathComponent)")
    }
  }

  @Test func `shows a mistake`() throws {
    let folder = try TemporaryFolder()
    try folder.write("import Crest\nlet a = Elementwise(.add)\n", to: "mistake.swift")
    let errors = try Self.errors(in: folder["mistake.swift"])
    #expect(errors.contains { $0.contains("cannot find 'Elementwise' in scope") }, "\(errors)")
  }

  @Test func `has the names that docs/api.md lists`() throws {
    let exports = try Project.text("Sources/Crest/Crest.swift").matches(
      of: /@_exported import (\w+)/
    ).map { String($0.output.1) }
    var lines: [String] = []
    var count = 0
    for module in exports.sorted() {
      var names: Set<String> = []
      let files = try #require(
        FileManager.default.enumerator(
          at: Project.root.appending(path: "Sources/\(module)"), includingPropertiesForKeys: nil))
      for case let file as URL in files where file.pathExtension == "swift" {
        let source = try String(contentsOf: file, encoding: .utf8)
        let declaration =
          /(?m)^public (?:final |indirect )*(?:struct|class|enum|protocol|func|typealias|actor|let|var) (\w+)/
        names.formUnion(source.matches(of: declaration).map { String($0.output.1) })
      }
      count += names.count
      lines += ["", "## \(module), \(names.count)", ""]
      lines.append(names.sorted().map { "`\($0)`" }.joined(separator: ", "))
    }
    let text =
      ([
        "# Top-level names", "",
        "All \(count) that `import Crest` gives, by the module that declares them. The tests make this "
          + "page: `CREST_APPROVE=1 swift test -c release --filter FrontDoor` regenerates it.",
      ] + lines).joined(separator: "\n") + "\n"
    let page = Project.root.appending(path: "docs/api.md")
    if ProcessInfo.processInfo.environment["CREST_APPROVE"] == "1" {
      try Data(text.utf8).write(to: page)
    }
    #expect(try Project.text("docs/api.md") == text)
  }
}
