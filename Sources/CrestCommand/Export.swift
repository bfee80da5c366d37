import Crest
import Foundation

/// Refuses an export that would fail, before the training that it would waste.
func checkExport(of learner: Learner, to path: String) throws {
  try learner.model.checkONNXExport()
  let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
  var isFolder: ObjCBool = false
  let manager = FileManager.default
  if manager.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
    throw ONNXError.unwritable(file: path, reason: "it is a folder")
  }
  guard manager.isWritableFile(atPath: folder) else {
    throw ONNXError.unwritable(file: path, reason: "its folder isn't there or can't be written to")
  }
}
