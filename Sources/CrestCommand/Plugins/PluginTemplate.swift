/// The files of a new plugin package.
struct PluginTemplate {
  enum Language: String, CaseIterable {
    case swift
    case c
    case python
  }

  struct File {
    let path: String
    let contents: [UInt8]
    var isProgram = false
  }

  let name: String
  let language: Language

  /// The library or program.
  private var builtFile: String {
    switch language {
    case .swift, .c: "lib\(name).so"
    case .python: "\(name).py"
    }
  }

  var files: [File] {
    [
      file("crest-plugin.json", PackageResources.manifest_json),
      file("README.md", PackageResources.readme_txt),
      File(path: ".gitignore", contents: Array(".build/\nbuild/\ncrest-plugins.lock\n".utf8)),
      file("script/build", build, isProgram: true),
      file("script/test", PackageResources.test_txt, isProgram: true),
    ] + sources
  }

  private var build: [UInt8] {
    let step =
      switch language {
      case .swift: PackageResources.build_swift_txt
      case .c: PackageResources.build_c_txt
      case .python: PackageResources.build_python_txt
      }
    return PackageResources.build_head_txt + step + PackageResources.build_tail_txt
  }

  private var sources: [File] {
    switch language {
    case .swift:
      [
        file("Package.swift", PackageResources.swift_package_txt),
        // With a suffix, so that module and type are names of their own, also for a plugin that is called class or Swift.
        file(
          "Sources/\(name)Plugin/\(name)Plugin.swift", PackageResources.swift_plugin_txt),
        File(
          path: "Sources/CCrestPlugin/crest_plugin.c", contents: PackageResources.crest_plugin_c),
        File(
          path: "Sources/CCrestPlugin/include/crest_plugin.h",
          contents: PackageResources.crest_plugin_h),
        File(
          path: "Sources/CCrestPlugin/include/module.modulemap",
          contents: PackageResources.module_modulemap),
        sdk("CrestPlugin.swift", PackageResources.CrestPlugin_swift),
        sdk("Hook.swift", PackageResources.Hook_swift),
        sdk("Contexts.swift", PackageResources.Contexts_swift),
        sdk("Host.swift", PackageResources.Host_swift),
        sdk("Export.swift", PackageResources.Export_swift),
      ]
    case .c:
      [
        file("\(name).c", PackageResources.c_plugin_txt),
        File(path: "include/crest_plugin.h", contents: PackageResources.crest_plugin_h),
      ]
    case .python: [file("\(name).py", PackageResources.python_plugin_txt)]
    }
  }

  private func sdk(_ name: String, _ contents: [UInt8]) -> File {
    File(path: "Sources/CrestPluginSDK/\(name)", contents: contents)
  }

  /// A file with the placeholders of its template filled in; the build fills in `@SHA256@`.
  private func file(_ path: String, _ template: [UInt8], isProgram: Bool = false) -> File {
    let interpreter = language == .python ? "\n  \"interpreter\": [\"python3\", \"-I\"]," : ""
    let text = String(decoding: template, as: UTF8.self)
      .replacing("@NAME@", with: name)
      .replacing("@FILE@", with: builtFile)
      .replacing("@KIND@", with: language == .python ? "process" : "library")
      .replacing("@INTERPRETER@", with: interpreter)
    return File(path: path, contents: Array(text.utf8), isProgram: isProgram)
  }
}
