import CrestFiles
import CrestONNX
import CrestTensor
import Foundation
import ProcessSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct `A tensor in a side file` {
  /// What lies in the folder, and what the reader says to the entries of a float32 [4].
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    var location = "weights.bin"
    var entries: [String: String] = [:]
    let problem: ONNXError.ExternalDataProblem
    let message: String

    var testDescription: String { name }
  }

  static let forbidden =
    "expected a relative path below the model's folder, without \"..\", backslashes or zero bytes; "
    + "save the model again with its data beside it"
  static let leaves =
    "the path has a symbolic link or leads out of the model's folder; put the file itself beside the "
    + "model"

  static let locations = [
    "../outside.bin", "sub/../../outside.bin", "..", "/etc/passwd", "", "sub//inner.bin", "sub/",
    "sub\\inner.bin", "weights.bin\u{0}", ".", "sub/.", String(repeating: "a", count: 5000),
    "sub/..", "/", "//weights.bin", "\\\\server\\share",
  ]

  static let cases: [Case] =
    locations.map {
      Case(
        name: "at \($0.prefix(30))", location: $0, problem: .forbiddenLocation, message: forbidden)
    } + [
      Case(name: "a link", location: "link.bin", problem: .leavesFolder, message: leaves),
      Case(
        name: "a link within the folder", location: "inner-link.bin", problem: .leavesFolder,
        message: leaves),
      Case(
        name: "below a linked folder", location: "linked/inner.bin", problem: .leavesFolder,
        message: leaves),
      Case(
        name: "a link to nothing", location: "dangling.bin", problem: .leavesFolder,
        message: leaves),
      Case(
        name: "nothing", location: "missing.bin", problem: .missing,
        message: "there is no such file in the model's folder; keep the model and its data together"
      ),
      Case(
        name: "a folder", location: "sub", problem: .notARegularFile,
        message: "it is not a regular file; put the data themselves beside the model"),
      Case(
        name: "a pipe", location: "pipe", problem: .notARegularFile,
        message: "it is not a regular file; put the data themselves beside the model"),
      Case(
        name: "below a file", location: "weights.bin/inner", problem: .notARegularFile,
        message: "it is not a regular file; put the data themselves beside the model"),
      Case(
        name: "a hard link", location: "hard.bin", problem: .hardLinked(count: 2),
        message: "the file has 2 names (hard links), and others may be outside the model's "
          + "folder; replace it with a copy"),
      Case(
        name: "too short", entries: ["offset": "8", "length": "16"],
        problem: .beyondEnd(offset: 8, byteCount: 16, fileByteCount: 20),
        message:
          "16 bytes from offset 8 on are needed, but the file has only 20 bytes; the file is "
          + "truncated or belongs to another model"),
      Case(
        name: "an offset that overflows", entries: ["offset": "\(Int.max)", "length": "16"],
        problem: .beyondEnd(offset: .max, byteCount: 16, fileByteCount: 20),
        message: "16 bytes from offset 9223372036854775807 on are needed, but the file has only "
          + "20 bytes; the file is truncated or belongs to another model"),
      Case(
        name: "an offset beyond, without a length", entries: ["offset": "21"],
        problem: .beyondEnd(offset: 21, byteCount: 16, fileByteCount: 20),
        message:
          "16 bytes from offset 21 on are needed, but the file has only 20 bytes; the file is "
          + "truncated or belongs to another model"),
      Case(
        name: "a wrong length", entries: ["length": "20"],
        problem: .wrongLength(expected: 16, got: 20),
        message:
          "expected 16 bytes according to the tensor's type and shape, got a length of 20; the file is "
          + "damaged, export the model again"),
      Case(
        name: "no length and too long", problem: .wrongLength(expected: 16, got: 20),
        message:
          "expected 16 bytes according to the tensor's type and shape, got a length of 20; the file is "
          + "damaged, export the model again"),
    ]

  @Test(arguments: cases, ConfinedFolder.Resolution.allCases)
  func `is refused`(test: Case, resolution: ConfinedFolder.Resolution) throws {
    let folder = try hostileFolder()
    var entries = test.entries
    entries["location"] = test.location
    let model = try model(in: folder, entries: entries)
    let proto = model.graph.initializers[0]
    let error = try #require(throws: ONNXError.self) {
      try TensorReader(model, resolution: resolution).tensor(proto)
    }
    let place = ONNXError.Place(
      file: model.source.name, offset: proto.span.start, field: "tensor \"w\"")
    #expect(
      error == .externalData(place, location: test.location, problem: test.problem), "\(error)")
    #expect(
      error.description
        == "\(model.source.name): tensor \"w\" (byte \(proto.span.start)): the external data "
        + "file \"\(test.location.replacing("\u{0}", with: "\\0"))\" is not read: \(test.message)")
  }

  @Test(
    arguments: [
      (["location": "weights.bin", "offset": "4"], 1),
      (["location": "./weights.bin", "offset": "0", "length": "16"], 0),
      (["location": "sub/inner.bin", "unknown key": "../../x", "offset": "0"], 0),
      (["location": "sub/./inner.bin", "checksum": "00"], 0),
      (["location": "sub/...bin"], 0),
    ], ConfinedFolder.Resolution.allCases)
  func `is read`(
    entries: ([String: String], Int), resolution: ConfinedFolder.Resolution
  ) throws {
    let folder = try hostileFolder()
    let model = try model(in: folder, entries: entries.0)
    let tensor = try TensorReader(model, resolution: resolution)
      .tensor(model.graph.initializers[0])
    #expect(tensor == Tensor((0..<4).map { Float($0 + entries.1) }))
  }

  @Test func `is refused when the model came as bytes`() throws {
    let folder = try hostileFolder()
    let path = try model(in: folder, entries: ["location": "sub/inner.bin"]).source.name
    let model = try ModelProto(bytes: try fileBytes(path), name: "bytes")
    let error = try #require(throws: ONNXError.self) {
      try TensorReader(model).tensor(model.graph.initializers[0])
    }
    #expect(
      error.description
        == "bytes: tensor \"w\" (byte 4): the external data file \"sub/inner.bin\" is not read: "
        + "the model was given as bytes, so there is no folder to find it in; open the model by "
        + "its path")
  }

  @Test func `is refused when it may not be opened`() throws {
    // The superuser may open everything.
    guard geteuid() != 0 else { return }
    let folder = try hostileFolder()
    let model = try model(in: folder, entries: ["location": "sub/inner.bin"])
    #expect(chmod(folder.path + "/sub/inner.bin", 0) == 0)
    let error = try #require(throws: ONNXError.self) {
      try TensorReader(model).tensor(model.graph.initializers[0])
    }
    #expect(
      error.description.hasSuffix("is not read: Permission denied; check that you may read it"))
  }

  /// A folder with good and bad files; `weights.bin` has five floats, `sub/inner.bin` four.
  private func hostileFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    func floats(_ count: Int) -> [UInt8] {
      (0..<count).flatMap { index in withUnsafeBytes(of: Float(index)) { Array($0) } }
    }
    try folder.write(floats(5), to: "model/weights.bin")
    try folder.write(floats(4), to: "model/sub/inner.bin")
    try folder.write(floats(4), to: "model/sub/...bin")
    try folder.write(floats(4), to: "outside.bin")
    let root = folder.path + "/model/"
    #expect(symlink(folder.path + "/outside.bin", root + "link.bin") == 0)
    #expect(symlink("sub/inner.bin", root + "inner-link.bin") == 0)
    #expect(symlink("sub", root + "linked") == 0)
    #expect(symlink("nowhere", root + "dangling.bin") == 0)
    #expect(link(folder.path + "/outside.bin", root + "hard.bin") == 0)
    #expect(mkfifo(root + "pipe", 0o600) == 0)
    return folder
  }

  /// A model with the float32 [4] tensor `w` in a side file.
  private func model(
    in folder: TemporaryFolder, entries: [String: String]
  ) throws -> ModelProto {
    var content = WireContent()
    content.append(1, integer: 8)
    content.append(7) { graph in
      graph.append(5) { tensor in
        tensor.append(1, integer: 4)
        tensor.append(2, integer: 1)
        tensor.append(8, text: "w")
        for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
          tensor.append(13, message: MetadataEntry(key: key, value: value).content)
        }
        tensor.append(14, integer: 1)
      }
    }
    let path = try folder.write(try content.bytes(), to: "model/model.onnx")
    return try ModelProto(path: path)
  }
}
