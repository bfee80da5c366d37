import ArgumentParser
import Crest
import CrestPlugins
import Foundation

struct PluginsNew: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Create a plugin package with a test and no dependencies.")

  @Argument(help: "The plugin's name: letters, digits and _.")
  var name: String

  @Option(
    help: ArgumentHelp(
      "Its language: "
        + "\(PluginTemplate.Language.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "name"))
  var language: String

  func run() throws {
    let names = PluginTemplate.Language.allCases.map(\.rawValue)
    guard let language = PluginTemplate.Language(rawValue: language) else {
      throw CommandError.unknownName(what: "--language", name: language, known: names)
    }
    guard let first = name.first, first.isASCII, first.isLetter, name.utf8.count <= 64,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
    else { throw CommandError.pluginName(name) }
    let manager = FileManager.default
    guard !manager.fileExists(atPath: name) else { throw CommandError.folderExists(name) }
    do {
      try write(PluginTemplate(name: name, language: language), manager)
    } catch {
      // It was not there before, and a half of a package would be in the way of the next try.
      try? manager.removeItem(atPath: name)
      throw error
    }
    try StandardOutput.write("\(name): script/build builds build/\(name), script/test tests it\n")
  }

  private func write(_ template: PluginTemplate, _ manager: FileManager) throws {
    for file in template.files {
      let path = name + "/" + file.path
      let folder = path.split(separator: "/").dropLast().joined(separator: "/")
      do {
        try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
      } catch {
        throw OutputError(path: folder)
      }
      try writeFile(file.contents, to: path)
      if file.isProgram, chmod(path, 0o755) != 0 { throw OutputError(path: path) }
    }
  }
}
