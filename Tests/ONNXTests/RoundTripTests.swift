import CrestLayers
import CrestONNX
import CrestRuntime
import Foundation
import ProcessSupport
import Testing

/// Every ONNX file at hand, imported and written back with nothing changed.
@Suite struct `An untouched model` {
  /// Where files are: the committed ones, and others that not everybody has.
  enum Source: String, CaseIterable, CustomTestStringConvertible {
    case fixtures
    case parity
    case debian
    case models

    var folder: String {
      switch self {
      case .fixtures: Fixtures.onnx
      case .parity: OtherModels.parity ?? ""
      case .debian: "/usr/share/libonnx-testdata/data"
      case .models: Fixtures.onnx + "/../../../models"
      }
    }

    var isThere: Bool { FileManager.default.fileExists(atPath: folder) }
    var testDescription: String { rawValue }
  }

  @Test func `is looked for in these folders`() {
    for source in Source.allCases where !source.isThere {
      print("Skipped: no ONNX files in \(source.folder), the source \(source.rawValue)")
    }
    #expect(Source.fixtures.isThere)
  }

  @Test(arguments: Source.allCases.filter(\.isThere))
  func `is written back as the same bytes`(source: Source) throws {
    let folder = try TemporaryFolder()
    var root = source.folder
    if source == .fixtures {
      // Side files in deeper folders stay where they are only when the copy lies beside the model.
      root = folder.path + "/onnx"
      try FileManager.default.copyItem(atPath: source.folder, toPath: root)
    }
    let paths = Fixtures.onnxFiles(in: root).map { root + "/" + $0 }
    #expect(source == .models || !paths.isEmpty)
    let engine = try Engine(threadCount: 1)
    var importedCount = 0
    for path in paths {
      let copy = source == .fixtures ? path + ".copy" : folder.path + "/copy.onnx"
      guard let proto = try? ModelProto(path: path) else {
        // The committed ones that are damaged on purpose.
        #expect(source == .fixtures, "\(path)")
        continue
      }
      // The reader takes every file, also those whose operations aren't built.
      try ModelSplice(proto).write(to: copy)
      expectSame(path, copy)
      guard let model = try? Model(onnx: path, engine: engine) else { continue }
      importedCount += 1
      try model.exportONNX(to: copy, keepsTrainingNodes: proto.hasTrainingNodes)
      expectSame(path, copy)
    }
    print("\(source.rawValue): \(paths.count) files, \(importedCount) of them imported")
    #expect(source == .models || importedCount > 0)
  }

  private func expectSame(_ path: String, _ copy: String) {
    let isSame = FileManager.default.contentsEqual(atPath: path, andPath: copy)
    #expect(isSame, "\(path)")
  }
}

extension ModelProto {
  /// Whether it has nodes that an export rewrites for inference.
  fileprivate var hasTrainingNodes: Bool {
    graph.nodes.contains { node in
      switch node.operation {
      case "BatchNormalization":
        node.outputs.count > 1
          || node.attributes.contains { attribute in
            if case .int(1) = attribute.value { attribute.name == "training_mode" } else { false }
          }
      case "Dropout": node.inputs.count > 2
      default: false
      }
    }
  }
}
