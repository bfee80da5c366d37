import Foundation
import Testing

/// What is true of an operation stands on its type.
///
/// A list of types elsewhere is forgotten when one is added, and the compiler says nothing.
@Suite struct `Lists of operation types` {
  /// Where a row for each operation is the point: ONNX's operators.
  private static let tables = ["Sources/CrestONNX/Export/ExportedOperations.swift"]

  @Test func `stand in no file but the operations' own and ONNX's tables`() throws {
    let sources = try Self.sources()
    let operations = try Self.operations(sources.values)
    #expect(operations.count > 40 && operations.contains("Conv"))
    for (path, source) in sources where !Self.tables.contains(path) {
      let asked = Self.asked(source, operations)
      #expect(
        asked.count < 2,
        "\(path) asks for \(asked.sorted()); make what it asks a requirement of GraphOperation")
      let named = Self.named(source, operations)
      #expect(
        named.isEmpty || path.hasPrefix("Sources/CrestONNX/"),
        "\(path) lists the names \(named.sorted()); make the list a requirement of GraphOperation")
      let marked = Self.marked(source, operations)
      #expect(
        marked.isEmpty,
        "\(path) marks \(marked.sorted()) far from their declarations; conform them there")
    }
  }

  @Test(
    arguments: [
      (
        "if node.operation is Conv { }\nlet pool = operation as? any Pools.MaxPool",
        ["Conv", "MaxPool"]
      ),
      ("case is Conv, is MaxPool: break", ["Conv", "MaxPool"]),
      ("case let conv as Conv: break\ncase MaxPool(attributes): break", ["Conv", "MaxPool"]),
      ("let y = try builder.apply(Conv(attributes), [x]) // as Conv or MaxPool", []),
    ] as [(String, Set<String>)])
  func `are found`(source: String, asked: Set<String>) {
    #expect(Self.asked(source, ["Conv", "MaxPool"]) == asked)
  }

  @Test func `of conformances without a member are found`() {
    let source = """
      extension Conv: Marked {}
      extension MaxPool: Lowered { func lower() {} }
      private protocol Marked: GraphOperation {}
      """
    #expect(Self.marked(source, ["Conv", "MaxPool"]) == ["Conv"])
  }

  @Test func `of names are found`() {
    let source = """
      let one = ["Conv", "Relu"]
      let two: Set = [
        "MaxPool", "Relu",
        "Conv",
      ]
      """
    #expect(Self.named(source, ["Conv", "MaxPool"]) == ["Conv", "MaxPool"])
  }

  /// The text of every Swift source, by path.
  private static func sources() throws -> [String: String] {
    let root = Project.root.appending(path: "Sources")
    let files = try #require(
      FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
    var sources: [String: String] = [:]
    for case let file as URL in files where file.pathExtension == "swift" {
      let path = "Sources" + file.path.dropFirst(root.path.count)
      sources[path] = try String(contentsOf: file, encoding: .utf8)
    }
    return sources
  }

  /// The types that conform to `GraphOperation`, or to a protocol that refines it.
  private static func operations(_ sources: some Sequence<String>) throws -> Set<String> {
    var kinds: Set = ["GraphOperation"]
    let declaration = /(protocol|struct)\s+(\w+)(?:<[^>]*>)?\s*:\s*([\w\s,]+)\{/
    let declared = sources.flatMap { source in
      source.matches(of: declaration).map { match in
        (
          isProtocol: match.output.1 == "protocol", name: String(match.output.2),
          inherits: Set(match.output.3.split { !$0.isLetter }.map(String.init))
        )
      }
    }
    var count = 0
    while count < kinds.count {
      count = kinds.count
      kinds.formUnion(
        declared.filter { $0.isProtocol && !$0.inherits.isDisjoint(with: kinds) }.map(\.name))
    }
    return Set(
      declared.filter { !$0.isProtocol && !$0.inherits.isDisjoint(with: kinds) }.map(\.name))
  }

  /// The operations, not declared in a source, that it compares a value's type with.
  private static func asked(_ source: String, _ operations: Set<String>) -> Set<String> {
    let code = source.replacing(/\/\/.*/, with: "")
    let casts = code.matches(of: /\b(?:is|as[?!]?)\s+(?:any\s+)?(?:\w+\.)?(\w+)/).map(\.output.1)
    let patterns = code.matches(of: /\bcase\s+(?:\w+\.)?(\w+)\(/).map(\.output.1)
    let asked = Set((casts + patterns).map(String.init)).intersection(operations)
    return asked.filter { !source.contains("struct \($0)") }
  }

  /// The operations, not declared in a source, that it gives a protocol without a member to.
  private static func marked(_ source: String, _ operations: Set<String>) -> Set<String> {
    let empty = source.matches(of: /extension\s+(\w+)\s*:\s*[\w\s,]+\{\s*\}/).map(\.output.1)
    return Set(empty.map(String.init)).intersection(operations)
      .filter { !source.contains("struct \($0)") }
  }

  /// The operations whose names stand together in an array.
  private static func named(_ source: String, _ operations: Set<String>) -> Set<String> {
    let arrays = source.matches(of: /\[\s*((?:"\w+"\s*,?\s*)+)\]/).map(\.output.1)
    let listed = arrays.map { array in
      Set(array.matches(of: /\w+/).map { String($0.output) }).intersection(operations)
    }
    return listed.filter { $0.count > 1 }.reduce(into: []) { $0.formUnion($1) }
  }
}
