import CrestONNX
import CrestTensor
import Foundation
import ONNXTestSupport
import ProcessSupport

/// A run of the command, and the files that it opens.
struct Scene {
  /// A file that others change.
  struct File {
    let path: String
    /// Valid content of the same size with which the result is another; nil where there is none.
    var other: [UInt8]?
  }

  let name: String
  let arguments: [String]
  let files: [File]
  /// The content of the folder where it runs.
  let contents: [String: [UInt8]]

  static let stepCount = 1600
  private static let common = [
    "train", "--model", "m.onnx", "--data", "data", "--epochs", "200", "--max-lr", "0.05",
    "--batch-size", "64",
    "--threads", "1", "--seed", "3", "--log", "epochs.csv", "--log-steps", "steps.csv", "--export",
    "out.onnx",
    "--checkpoint-dir", "run", "--checkpoint-every", "20epochs",
  ]

  /// A model in one file, arrays, and a plugin.
  static func whole(model: [UInt8], crest: Executable) throws -> Scene {
    var arrays: [String: (now: [UInt8], other: [UInt8])] = [:]
    for part in DataPart.allCases {
      arrays["data/\(part)-x.npy"] = (part.images(1).npy, part.images(2).npy)
      arrays["data/\(part)-y.npy"] = (part.labels(1).npy, part.labels(2).npy)
    }
    let folder = try TemporaryFolder()
    let plugin = try Watch.install(in: folder, crest: crest)
    return Scene(
      name: "one file, arrays, a plugin", arguments: common + ["--plugin", "./Watch"],
      files: [File(path: "m.onnx", other: try withOtherWeights(model))]
        + arrays.sorted { $0.key < $1.key }.map {
          // The examples of validation change no network.
          File(path: $0.key, other: $0.key.hasPrefix("data/train") ? $0.value.other : nil)
        }
        + plugin.keys.sorted().map { File(path: $0) }
        + ["epochs.csv", "steps.csv", "out.onnx", newestCheckpoint].map { File(path: $0) },
      contents: arrays.mapValues(\.now).merging(plugin) { $1 }.merging([
        "m.onnx": model, "out.onnx": [1, 2],
      ]) { $1 })
  }

  /// A model with external data, and images.
  static func parts(model: [UInt8]) throws -> Scene {
    let folder = try TemporaryFolder()
    let source = try folder.write(model, to: "source.onnx")
    let weights = try ExternalArrays.move(source, to: folder["m.onnx"].path, data: "weights.bin")
    var contents = [
      "m.onnx": Array(try Data(contentsOf: folder["m.onnx"])), "weights.bin": weights,
    ]
    var files = [File(path: "m.onnx"), File(path: "weights.bin", other: weights.map { $0 ^ 1 })]
    for part in DataPart.allCases {
      for (kind, now, other) in [
        ("images-idx3-ubyte", part.images(1), part.images(2)),
        ("labels-idx1-ubyte", part.labels(1), part.labels(2)),
      ] {
        let path = "data/\(part.idxName)-\(kind)"
        contents[path] = now.idx
        files.append(File(path: path, other: part == .train ? other.idx : nil))
      }
    }
    return Scene(
      name: "external data, images", arguments: common, files: files, contents: contents)
  }

  /// The same, resumed from a checkpoint.
  static func resumed(model: [UInt8], crest: Executable) throws -> Scene {
    let scene = try parts(model: model)
    let folder = try scene.folder()
    let first = try crest.start(scene.arguments, in: folder.url)
    _ = try first.wait { ((try? folder.lines(of: "steps.csv").count) ?? 0) > stepCount / 4 }
    first.send(SIGINT)
    let end = try first.finish()
    guard end.status == 130, let newest = checkpoints(in: folder).last else {
      throw CampaignFailure("the run to resume ended with \(end.end): \(end.error)")
    }
    var contents = scene.contents
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
      // A folder has no content.
      if let data = try? Data(contentsOf: folder[name]) { contents[name] = Array(data) }
    }
    return Scene(
      name: "resumed", arguments: common + ["--resume"],
      files: [newest, "epochs.csv", "steps.csv"].map { File(path: $0) }, contents: contents)
  }

  /// A new folder of its files.
  func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, content) in contents { try folder.write(content, to: name) }
    // Long ago, as files of a project are, so that every change has another time.
    for name in contents.keys {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: folder[name].path)
    }
    return folder
  }

  /// In the place of a path, the newest checkpoint at the time.
  static let newestCheckpoint = "run/"

  /// The paths of the checkpoints in a folder's run, oldest first.
  static func checkpoints(in folder: TemporaryFolder) -> [String] {
    // Before the run begins there is none.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder["run"].path)) ?? []
    return names.filter { $0.hasPrefix("checkpoint-") }.sorted().map { "run/" + $0 }
  }

  /// A model with the signs of its weights' lowest bits changed.
  private static func withOtherWeights(_ model: [UInt8]) throws -> [UInt8] {
    let proto = try ModelProto(bytes: model, name: "m.onnx")
    let reader = TensorReader(proto)
    var splice = ModelSplice(proto)
    for array in proto.graph.initializers where array.dataType.elementType == .float32 {
      let tensor = try reader.tensor(array)
      let values = tensor.array(as: Float.self).map { -$0 }
      splice.replaceElements(of: array, by: ByteStream(Tensor(values, shape: tensor.shape)))
    }
    let bytes = try splice.content.bytes()
    guard bytes.count == model.count else {
      throw CampaignFailure("other weights take \(bytes.count) bytes instead of \(model.count)")
    }
    return bytes
  }
}
