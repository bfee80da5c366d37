import Foundation
import ProcessSupport

/// The package's own files.
enum Project {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The Swift files in a folder, by their names.
  static func sources(in folder: String = "Sources") throws -> [(name: String, text: String)] {
    let files = FileManager.default.enumerator(
      at: root.appending(path: folder), includingPropertiesForKeys: nil)
    var sources: [(name: String, text: String)] = []
    for case let file as URL in files ?? .init() where file.pathExtension == "swift" {
      sources.append((file.lastPathComponent, try String(contentsOf: file, encoding: .utf8)))
    }
    return sources
  }

  /// What `Package.swift` says, as SwiftPM reads it.
  ///
  /// In a build folder of its own, since the one of the running tests is locked.
  static func manifest() throws -> Manifest {
    let result = try TemporaryFolder.lent { scratch in
      try Executable.env.run([
        "swift", "package", "--package-path", root.path, "--scratch-path", scratch, "dump-package",
      ])
    }
    guard result.status == 0 else { throw ManifestError(complaints: result.error) }
    return try JSONDecoder().decode(Manifest.self, from: Data(result.output.utf8))
  }
}

/// `swift package dump-package` failed.
struct ManifestError: Error {
  let complaints: String
}

/// The part of a manifest that documents describe.
struct Manifest: Decodable {
  let targets: [Target]

  struct Target: Decodable {
    let name: String
    let type: String
    let path: String?
    let dependencies: [Dependency]

    /// Where its sources are, from the package's root.
    var folder: String { path ?? "Sources/\(name)" }
  }

  struct Dependency: Decodable {
    /// The target, or the package of a product.
    let name: String

    private enum CodingKeys: CodingKey { case byName, target, product }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      for key in [CodingKeys.byName, .target, .product] where container.contains(key) {
        let parts = try container.decode([Part].self, forKey: key)
        // A product is [name, package, …].
        name = parts.compactMap(\.text)[key == .product ? 1 : 0]
        return
      }
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "an unknown kind of dependency"))
    }
  }

  /// A string, or what stands for none or for a condition.
  private struct Part: Decodable {
    let text: String?

    init(from decoder: any Decoder) throws {
      text = try? decoder.singleValueContainer().decode(String.self)
    }
  }
}
