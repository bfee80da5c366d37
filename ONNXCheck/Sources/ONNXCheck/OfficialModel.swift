import COnnx
import CrestFiles
import CrestPlatform

/// A model as libonnx has it, and what libonnx can be asked about it.
final class OfficialModel {
  private let handle: OpaquePointer
  private let source: ModelFile
  private let memoryLimit: Int

  /// Reads a file, into memory of which the process has `memoryLimit` MiB.
  convenience init(_ source: ModelFile, memoryLimit: Int) throws(JudgeError) {
    let handle = try source.withBytes(memoryLimit: memoryLimit) {
      (bytes) throws(JudgeError) -> OpaquePointer? in
      var handle: OpaquePointer?
      try Self.ask(.parse, source, memoryLimit) {
        crest_onnx_parse(
          bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, &handle, $0)
      }
      return handle
    }
    guard let handle else { preconditionFailure("crest_onnx_parse succeeded without a model") }
    self.init(handle, source, memoryLimit)
  }

  private init(_ handle: OpaquePointer, _ source: ModelFile, _ memoryLimit: Int) {
    self.handle = handle
    self.source = source
    self.memoryLimit = memoryLimit
  }

  deinit { crest_onnx_model_free(handle) }

  /// The file it was read from, or converted from.
  var path: String { source.path }

  var irVersion: Int64 { crest_onnx_ir_version(handle) }

  /// The operator sets that the model and its functions say they use, each once.
  var opsets: [Opset] {
    let all = (0..<crest_onnx_opset_count(handle)).map { index in
      let opset = crest_onnx_opset_at(handle, index)
      return Opset(
        domain: String(cString: opset.domain), version: opset.version,
        isJudged: !crest_onnx_is_unjudged(handle, opset.domain))
    }
    var seen: Set<Opset> = []
    return all.filter { seen.insert($0).inserted }
  }

  /// Refuses what is newer than libonnx: it would skip or misjudge it rather than say so.
  func checkVersions() throws(JudgeError) {
    guard irVersion <= Official.newestIRVersion else {
      throw .version(
        source.path, what: "IR versions", version: irVersion, newest: Official.newestIRVersion)
    }
    for opset in opsets {
      let newest = Official.newestOpset(of: opset.domain)
      guard newest == 0 || (1...newest).contains(opset.version) else {
        throw .version(
          source.path, what: "opsets of \(opset.domainName)", version: opset.version, newest: newest
        )
      }
    }
  }

  /// libonnx's check, in the model's folder, because it looks for side files where it is.
  func check(as step: JudgeError.Step = .check) throws(JudgeError) {
    let before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard before >= 0 else { throw .unreadable(".", reason: systemMessage()) }
    defer { close(before) }
    guard chdir(source.folder) == 0 else {
      throw .unreadable(source.folder, reason: systemMessage())
    }
    try ask(step) { crest_onnx_check(handle, $0) }
    guard fchdir(before) == 0 else { throw .unreadable(".", reason: systemMessage()) }
  }

  /// Strict shape inference, which ``values()`` then shows.
  func infer() throws(JudgeError) {
    try ask(.infer) { crest_onnx_infer(handle, $0) }
  }

  /// The model in version `opset` of the default operator set.
  func converted(toOpset opset: Int64) throws(JudgeError) -> OfficialModel {
    var converted: OpaquePointer?
    try ask(.convert) { crest_onnx_convert(handle, opset, &converted, $0) }
    guard let converted else { preconditionFailure("crest_onnx_convert gave no model") }
    return OfficialModel(converted, source, memoryLimit)
  }

  /// The values of the main graph: its inputs, then what its nodes give.
  func values() throws(JudgeError) -> [GraphValue] {
    var values: [GraphValue] = []
    try ask(.infer) { message in
      withUnsafeMutablePointer(to: &values) { values in
        crest_onnx_visit_values(
          handle,
          { context, value in
            guard let value else { return }
            context?.assumingMemoryBound(to: [GraphValue].self).pointee.append(
              GraphValue(value.pointee))
          }, values, message)
      }
    }
    return values
  }

  /// Calls `body` with the model as the bytes of a file.
  func withBytes(
    _ body: (UnsafeRawBufferPointer) throws(JudgeError) -> Void
  ) throws(JudgeError) {
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    try ask(.convert) { crest_onnx_serialize(handle, &bytes, &count, $0) }
    defer { crest_onnx_free(bytes) }
    try body(UnsafeRawBufferPointer(start: bytes, count: count))
  }

  private typealias Question =
    (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> crest_onnx_status

  private func ask(_ step: JudgeError.Step, _ question: Question) throws(JudgeError) {
    try Self.ask(step, source, memoryLimit, question)
  }

  private static func ask(
    _ step: JudgeError.Step, _ source: ModelFile, _ memoryLimit: Int, _ question: Question
  ) throws(JudgeError) {
    var text: UnsafeMutablePointer<CChar>?
    let status = question(&text)
    defer { crest_onnx_free(text) }
    if status == CREST_ONNX_OK { return }
    guard status != CREST_ONNX_OUT_OF_MEMORY, let text else {
      throw .memory(source.path, limit: memoryLimit)
    }
    var message = printable(String(cString: text))
    if message.hasSuffix(".") { message.removeLast() }
    guard status == CREST_ONNX_REFUSED else { throw .fault(source.path, message: message) }
    throw .refused(source.path, by: step, message: message)
  }
}

/// An operator set.
struct Opset: Hashable {
  /// "" for the default one.
  let domain: String
  let version: Int64
  /// False when the model uses operators of it that libonnx doesn't know, and so lets pass.
  let isJudged: Bool

  var domainName: String { domain.isEmpty ? "ai.onnx" : printable(domain) }
}

/// Text from a model, on one line and without what a terminal would obey.
func printable(_ text: String) -> String {
  // A message quotes names of the model, which are as long as its maker likes.
  let longest = 2000
  let words = text.prefix(longest).split(whereSeparator: \.isWhitespace).joined(separator: " ")
  return words.shown() + (text.dropFirst(longest).isEmpty ? "" : " …")
}
