import CrestONNX
import CrestTensor
import Foundation

/// A well-formed file whose model must be refused: its graph, its names, its sizes or its side files.
package struct BrokenModel: Sendable {
  package let name: String
  package let bytes: [UInt8]
  /// What lies beside it.
  package let files: [SideFile]

  /// Something in the model's folder.
  package enum SideFile: Sendable {
    case bytes(String, count: Int)
    /// A file of zeros that takes no place on the disk.
    case holes(String, byteCount: Int)
    case link(String, to: String)
    case hardLink(String, to: String)
    case pipe(String)
    case folder(String)
  }

  /// Writes the model and what belongs to it to a folder; returns the model's path.
  package func write(to folder: String) throws -> String {
    for file in files { try file.write(to: folder) }
    let path = folder + "/model.onnx"
    try Data(bytes).write(to: URL(filePath: path))
    return path
  }

  init(_ name: String, _ content: WireContent, files: [SideFile] = []) {
    self.name = name
    bytes = MalformedModel.bytes(of: content)
    self.files = files
  }

  // MARK: Models by what is wrong with them

  /// What is given at each run: images as those of the digits.
  static var x: ValueDraft {
    ValueDraft(
      name: "x", dataType: TensorDataType(.float32),
      shape: [.parameter("N"), .size(1), .size(8), .size(8)])
  }
  static var y: ValueDraft {
    ValueDraft(name: "y", dataType: TensorDataType(.float32), shape: nil)
  }

  /// A model from x to y of a changed draft.
  static func model(
    _ name: String, files: [SideFile] = [], _ change: (inout ModelDraft) -> Void
  ) -> BrokenModel {
    var graph = GraphDraft(name: "broken")
    graph.inputs = [x]
    graph.outputs = [y]
    graph.nodes = [NodeDraft("Relu", inputs: ["x"], outputs: ["y"])]
    var draft = ModelDraft(graph: graph)
    change(&draft)
    return BrokenModel(name, draft.content, files: files)
  }

  /// A model of these nodes.
  static func nodes(
    _ name: String, _ nodes: [NodeDraft], _ initializers: [TensorDraft] = [], opset: Int64 = 17
  ) -> BrokenModel {
    model(name) { draft in
      draft.opsets = [OperatorSet(version: opset)]
      draft.graph.nodes = nodes
      draft.graph.initializers = initializers
    }
  }

  /// A model of one node, which makes y of these inputs.
  static func node(
    _ name: String, _ operation: String, _ inputs: [String] = ["x"],
    _ attributes: KeyValuePairs<String, AttributeDraft> = [:], _ initializers: [TensorDraft] = [],
    outputs: [String] = ["y"], domain: String = "", opset: Int64 = 17
  ) -> BrokenModel {
    let node = NodeDraft(
      operation, domain: domain, inputs: inputs, outputs: outputs,
      attributes: attributes.map { ($0.key, $0.value) })
    return nodes(name, [node], initializers, opset: opset)
  }

  /// A tensor of zeros.
  static func zeros(_ name: String, _ shape: Shape, _ type: ElementType = .float32) -> TensorDraft {
    TensorDraft(name: name, Tensor(zeros: shape, elementType: type))
  }

  /// A vector of whole numbers.
  static func integers(_ name: String, _ numbers: [Int64]) -> TensorDraft {
    TensorDraft(name: name, Tensor(numbers))
  }
}

extension BrokenModel.SideFile {
  fileprivate func write(to folder: String) throws {
    let manager = FileManager.default
    switch self {
    case .bytes(let name, let count):
      try Data(repeating: 0x3F, count: count).write(to: URL(filePath: folder + "/" + name))
    case .holes(let name, let byteCount):
      let path = folder + "/" + name
      try Data().write(to: URL(filePath: path))
      let handle = try FileHandle(forWritingTo: URL(filePath: path))
      try handle.truncate(atOffset: UInt64(byteCount))
      try handle.close()
    case .link(let name, let target):
      try manager.createSymbolicLink(atPath: folder + "/" + name, withDestinationPath: target)
    case .hardLink(let name, let target):
      try manager.linkItem(atPath: folder + "/" + target, toPath: folder + "/" + name)
    case .pipe(let name): try makePipe(at: folder + "/" + name)
    case .folder(let name):
      try manager.createDirectory(atPath: folder + "/" + name, withIntermediateDirectories: true)
    }
  }
}
