import CrestGraph
import CrestTensor
import CrestTestSupport
import Foundation
import Testing

@Suite struct OperationCaseTests {
  /// The types that the sources of the graph declare as operations.
  private static func declaredOperations() throws -> [String] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = root.appending(path: "Sources/CrestGraph")
    let files = try #require(
      FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    let declaration =
      /(struct|enum|class|extension|protocol)\s+(\w+)(?:<[^>]*>)?\s*:\s*([\w\s,]+)\{/
    var declared: [(isProtocol: Bool, name: String, inherits: Set<String>)] = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let source = try String(contentsOf: file, encoding: .utf8)
      declared += source.matches(of: declaration).map { match in
        let inherited = match.output.3.split { $0 == "," || $0.isWhitespace }
        return (
          match.output.1 == "protocol", String(match.output.2), Set(inherited.map(String.init))
        )
      }
    }
    // Protocols of operations may refine each other.
    var kinds: Set = ["GraphOperation"]
    var count = 0
    while count < kinds.count {
      count = kinds.count
      kinds.formUnion(
        declared.filter { $0.isProtocol && !$0.inherits.isDisjoint(with: kinds) }.map(\.name))
    }
    let operations = declared.filter { !$0.isProtocol && !$0.inherits.isDisjoint(with: kinds) }
    return Set(operations.map(\.name)).sorted()
  }

  @Test func `every operation that is declared has a case, and so has every elementwise function`()
    throws
  {
    // Of families, each kind is an operation.
    let families = [
      "Elementwise": ElementwiseFunction.allCases.map(\.row.name),
      "GatherGradient": ["GatherGradient", "GatherElementsGradient"],
      "IndexSearch": IndexSearch.Kind.allCases.map(\.rawValue),
      "Reduce": Reduce.Kind.allCases.map(\.rawValue),
      "Softmax": Softmax.Kind.allCases.map(\.rawValue),
      "SoftmaxGradient": Softmax.Kind.allCases.map { "\($0.rawValue)Gradient" },
    ]
    let declared = try Self.declaredOperations()
    #expect(families.keys.allSatisfy(declared.contains) && declared.count > 40)
    for name in declared.flatMap({ families[$0] ?? [$0] }) {
      #expect(OperationCase.all.contains { $0.operation == name }, "\(name) has no case")
    }
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
