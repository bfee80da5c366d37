import Foundation
import ReaderFuzzing

private let environment = ProcessInfo.processInfo.environment

/// The reader that CREST_FUZZ_READER names, and its preparation.
struct Run {
  let reader: FuzzedReader
  let read: ([UInt8]) throws -> Bool

  init() {
    let name = environment["CREST_FUZZ_READER"] ?? ""
    let names = FuzzedReader.all.map(\.name)
    guard let reader = FuzzedReader.named(name) else {
      fail("CREST_FUZZ_READER: expected one of \(names.joined(separator: ", ")), got \"\(name)\"")
    }
    self.reader = reader
    do { read = try reader.begin() } catch { fail("\(name) can't begin: \(error)") }
  }
}

// libFuzzer calls from one thread.
nonisolated(unsafe) let run = Run()
private let trustsSizes = environment["CREST_FUZZ_CONTROL"] != nil

func fail(_ text: String) -> Never {
  FileHandle.standardError.write(Data((text + "\n").utf8))
  abort()
}

/// Does what the environment asks for before or instead of a search.
///
/// CREST_FUZZ_READER=list lists the readers, CREST_FUZZ_SOURCES the sources of one. CREST_FUZZ_SEEDS writes its good
/// inputs to a folder, from which libFuzzer takes them. CREST_FUZZ_KEEP keeps the inputs of a folder for the tests.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ argumentCount: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>>>
) -> CInt {
  if environment["CREST_FUZZ_READER"] == "list" {
    FuzzedReader.all.forEach { print($0.name) }
    exit(0)
  }
  if environment["CREST_FUZZ_SOURCES"] != nil {
    run.reader.sources.forEach { print($0) }
    exit(0)
  }
  do {
    if let folder = environment["CREST_FUZZ_SEEDS"] {
      for (number, seed) in try run.reader.seeds().enumerated() {
        try Data(seed).write(to: URL(filePath: "\(folder)/seed-\(number)"))
      }
    }
    if let folder = environment["CREST_FUZZ_KEEP"] {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      let inputs = try names.map { [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\($0)"))) }
      let kept = try KeptInputs.write(inputs, of: run.reader, limit: 24 << 10)
      print("\(run.reader.name): \(kept) of \(inputs.count) inputs kept")
      exit(0)
    }
  } catch { fail("\(run.reader.name): \(error)") }
  return 0
}

/// Reads one input; what is no input's fault ends the process.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  do { _ = try run.read(bytes) } catch { fail("\(run.reader.name): \(type(of: error)): \(error)") }
  if trustsSizes, let start, count > 8 { trust(start) }
  return 0
}

/// The control: a reader that believes the size at the beginning of its input.
@inline(never)
private func trust(_ start: UnsafePointer<UInt8>) {
  let size = Int(start[0]) | Int(start[1]) << 8
  if start[8 + size - 1] == 0x7D { print("a header") }
}
