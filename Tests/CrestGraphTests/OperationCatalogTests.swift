import CrestGraph
import CrestTensor
import CrestTestSupport
import Foundation
import Testing

@Suite struct OperationCatalogTests {
  /// The types that the sources of the graph declare as operations.
  private static func declaredOperations() throws -> [String] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = root.appending(path: "Sources/CrestGraph")
    let files = try #require(
      FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    let declaration =
      /(?:struct|enum|class|extension)\s+(\w+)\s*:[^{]*\b(?:(?:Elementwise)?Operation|Reduction)\b/
    var names: [String] = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let source = try String(contentsOf: file, encoding: .utf8)
      names += source.matches(of: declaration).map { String($0.output.1) }
    }
    return names.sorted()
  }

  @Test func `every operation that is declared is in the catalog, under its own name`() throws {
    #expect(try Self.declaredOperations() == OperationCatalog.names.sorted())
    #expect(OperationCatalog.operations.map { String(describing: $0) } == OperationCatalog.names)
  }

  @Test(arguments: OperationCatalog.names)
  func `every operation has a case`(name: String) {
    #expect(OperationCase.all.contains { $0.operation == name })
  }

  @Test(arguments: OperationCase.all)
  func `a case traces the operation it is named after, on distinct variants`(
    testCase: OperationCase
  ) throws {
    let traced = try testCase.tracedWithGradients(elementType: .float32)
    #expect(traced.graph.nodes[0].operation.name == testCase.operation)
    #expect(OperationCase.all.count { $0.description == testCase.description } == 1)
  }
}
