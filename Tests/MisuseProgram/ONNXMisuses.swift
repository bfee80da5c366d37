import Crest
import Foundation

let onnxMisuses: [Misuse] = [
  Misuse("onnx.head", says: "a head of 0 classes") {
    let url = FileManager.default.temporaryDirectory.appending(path: "crest-misuse-\(UUID()).onnx")
    defer { try? FileManager.default.removeItem(at: url) }
    try model().exportONNX(to: url.path)
    _ = try Model(onnx: url.path, headClasses: 0)
  }
]
