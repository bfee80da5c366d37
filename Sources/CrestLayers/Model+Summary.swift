import CrestGraph
import CrestRuntime
import CrestTensor

extension Model {
  /// A table of the layers, in the order they run: operations, shape of one example's output,
  /// parameters; then totals, and which operations have no kernel.
  ///
  /// - Throws: `GraphError` or `ProgramError` when no program can be compiled.
  public func summary() throws -> String {
    var lines = Self.table(
      [["layer", "operations", "output", "parameters"]] + layerRows(),
      rightAligned: [false, false, false, true])
    let examples = inputs.map { "\($0.name) \($0.elementType) \($0.shape)" }
    lines.append("")
    lines.append("input       \(examples.joined(separator: ", "))")
    lines.append("output      \(outputShape)")
    lines.append("parameters  \(Self.grouped(store.parameterCount))")
    let statistics = store.statistics.reduce(0) { $0 + $1.range.count }
    if statistics > 0 { lines.append("statistics  \(Self.grouped(statistics))") }
    lines.append("kernels     \(try kernelCoverage())")
    return lines.joined(separator: "\n")
  }

  private func layerRows() -> [[String]] {
    var rows: [(path: String, operations: [String], shape: Shape, parameters: Int)] = []
    // A parameter that several layers read counts once, with the first.
    var counted: Set<Int> = []
    for node in graph.nodes {
      let name = node.operation.name
      let shape = Shape(Array(graph.type(of: node.outputs[0]).shape.dropFirst()))
      if let last = rows.last, last.path == node.path {
        rows[rows.count - 1].operations.append(name)
        rows[rows.count - 1].shape = shape
      } else {
        rows.append((node.path, [name], shape, 0))
      }
      for input in node.inputs {
        guard case .variable(let number) = graph.values[input.index].origin,
          graph.variables[number].role != nil, counted.insert(number).inserted
        else { continue }
        rows[rows.count - 1].parameters += graph.variables[number].type.shape.elementCount
      }
    }
    return rows.map { row in
      [
        row.path, row.operations.joined(separator: ", "), "\(row.shape)",
        Self.grouped(row.parameters),
      ]
    }
  }

  /// The operations that run on the reference, in inference and in training.
  private func kernelCoverage() throws -> String {
    let types = inputs.map { $0.batchType(2) }
    let inference = try cache(loss: nil).program(
      Program.Request(inputTypes: types, targetType: nil, mode: .inference))
    var nodes = Set(inference.referenceNodes)
    do {
      // Any loss will do: the model doesn't know which one it is trained with.
      let sum = Loss("sum") { prediction, _ in prediction }
      let training = try cache(loss: sum).program(
        Program.Request(
          inputTypes: types, targetType: inference.predictionType, mode: .training))
      nodes.formUnion(training.referenceNodes)
    } catch let error as GraphError {
      return "can't be trained: \(error)"
    }
    guard !nodes.isEmpty else { return "every operation has one" }
    let names = nodes.map { "\($0.operation) (\($0.path.isEmpty ? "top" : $0.path), \($0.stage))" }
    return "missing, run on the slow reference: \(names.sorted().joined(separator: ", "))"
  }

  private static func table(_ rows: [[String]], rightAligned: [Bool]) -> [String] {
    let widths = rightAligned.indices.map { column in
      rows.reduce(0) { max($0, $1[column].count) }
    }
    return rows.map { row in
      let cells = zip(row, zip(widths, rightAligned)).map { cell, style in
        let space = String(repeating: " ", count: style.0 - cell.count)
        return style.1 ? space + cell : cell + space
      }
      return cells.joined(separator: "  ")
    }
  }

  /// An integer with commas, as in 431,080.
  private static func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    return digits.indices.reduce(into: "") { text, place in
      if place > 0, (digits.count - place) % 3 == 0 { text.append(",") }
      text.append(digits[place])
    }
  }
}
