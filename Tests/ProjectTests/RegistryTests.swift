import Foundation
import Testing

/// What is there in one file and has to be named in another: a name on the command line, a row of a table.
@Suite struct `What has a name on the command line` {
  struct Registry: Sendable, CustomTestStringConvertible {
    let what: String
    /// Where the things are declared.
    let folder: String
    /// What declares one; the group is its name.
    let declaration: @Sendable () -> Regex<(Substring, Substring)>
    /// The file that has a row for each.
    let table: String
    /// What has no row, and why.
    var exceptions: [String: String] = [:]

    var testDescription: String { what }
  }

  static let registries = [
    Registry(
      what: "callbacks", folder: "Sources/CrestCallbacks",
      declaration: { /public final class (\w+): (?:Stateful)?Callback\b/ },
      table: "Sources/CrestCommand/Options/CallbackOption.swift",
      exceptions: [
        "BackupAndRestore": "--checkpoint-dir", "LRFinder": "crest find-lr",
        "GatherPredictions": "keeps numbers for a program; crest predict writes predictions",
        "LearningRateScheduler": "is made of a function",
        "LearningRateEstimate": "--estimate-lr",
        "FineTuneScheduler": "crest fine-tune", "OneCycleScheduler": "--schedule one-cycle",
        "ParameterScheduler": "--schedule",
        "ProgressBar": "every run has it", "Recorder": "keeps numbers for a program",
      ]),
    Registry(
      what: "callbacks of script/campaign soak", folder: "Sources/CrestCallbacks",
      declaration: { /public final class (\w+): (?:Stateful)?Callback\b/ },
      table: "Campaigns/Training/Soak.swift",
      exceptions: [
        "LRFinder": "has a fit of its own, which comes first",
        "DivergenceGuard": "sets the factor of the rate, as ReduceLROnPlateau does",
        "FineTuneScheduler": "sets the rate, as OneCycleScheduler does",
        "LearningRateScheduler": "sets the rate, as OneCycleScheduler does",
        "SWA": "gives the model other weights at the end, as EMA does",
      ]),
    Registry(
      what: "names of callbacks elsewhere", folder: "Sources/CrestCallbacks",
      declaration: { /public final class (\w+): (?:Stateful)?Callback\b/ },
      table: "Sources/CrestCallbacks/CallbackNames.swift"),
    Registry(
      what: "names of layers elsewhere", folder: "Sources/CrestLayers/Layers",
      declaration: {
        /public (?:struct|final class) (\w+)(?:<Base: Layer>)?: (?:Recurrent)?Layer\b/
      },
      table: "Sources/CrestLayers/LayerNames.swift"),
    Registry(
      what: "metrics", folder: "Sources/CrestTraining/Metrics",
      declaration: { /public struct (\w+): (?:Confusion|Label|Value)?Metric\b/ },
      table: "Sources/CrestTraining/Metrics/NamedMetric.swift",
      exceptions: ["MeanLoss": "every run has it"]),
    Registry(
      what: "optimisers", folder: "Sources/CrestOptimizers",
      declaration: { /public struct (\w+): Optimizer\b/ },
      table: "Sources/CrestOptimizers/Optimizers/BuiltInOptimizer.swift",
      exceptions: ["MultiOptimizer": "--optimizer-for"]),
    Registry(
      what: "losses", folder: "Sources/CrestLayers",
      declaration: { /public static (?:let|func) (\w+)(?:\([^)]*\) -> Loss| = Loss\()/ },
      table: "Sources/CrestLayers/Losses",
      exceptions: ["standard": "chooses one of them", "loss": "chooses one of them for a table"]),
    Registry(
      what: "forms of folders", folder: "Sources/CrestData",
      declaration: { /extension (\w+): FolderFormat\b/ },
      table: "Sources/CrestData/DataSource.swift"),
  ]

  @Test(arguments: registries) func `has a row in its table`(registry: Registry) throws {
    let folder = Project.root.appending(path: registry.folder)
    let files = try #require(
      FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    // The rows of losses lie beside them, by family.
    let table =
      registry.what == "losses" ? try Self.rows(of: folder) : try Project.text(registry.table)
    var names: [String] = []
    for case let file as URL in files where file.pathExtension == "swift" {
      names += try String(contentsOf: file, encoding: .utf8).matches(of: registry.declaration())
        .map { String($0.output.1) }
    }
    #expect(names.count >= 2)
    for name in names where registry.exceptions[name] == nil {
      #expect(
        table.contains(try Regex("\\b\(name)\\b").wordBoundaryKind(.simple)),
        "\(name) has no row in \(registry.table); add one, or say here why it needs none")
    }
    #expect(Set(registry.exceptions.keys).isSubset(of: names))
  }

  /// The text of all tables of losses.
  private static func rows(of folder: URL) throws -> String {
    let files = try FileManager.default.contentsOfDirectory(
      at: folder.appending(path: "Losses"), includingPropertiesForKeys: nil)
    return try files.map { file in
      let text = try String(contentsOf: file, encoding: .utf8)
      let table = text.firstMatch(of: /extension NamedLoss \{\n  static let \w+ = \[(?s:.*?)\n  \]/)
      return table.map { String($0.output) } ?? ""
    }.joined()
  }
}
