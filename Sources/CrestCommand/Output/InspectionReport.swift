import Crest

/// The report on a model's file, for people and for programs.
struct InspectionReport {
  private let found: ONNXInspection
  private let verdict: OfficialCheck?

  init(_ inspection: ONNXInspection, _ verdict: OfficialCheck?) {
    found = inspection
    self.verdict = verdict
  }

  // MARK: For people

  /// The most lines of a report, unless everything is requested.
  private static let lineLimit = 60
  /// The fewest lines that long tables keep.
  private static let shortestTable = 6

  /// Lines of at most 80 columns, unless a name alone is longer, and at most 60 of them.
  var text: String {
    var rest = Self.lineLimit - lines(operations: [], arrays: []).count
    let all = operationTable
    let operations = shortened(
      all, to: max(rest - min(arrayList.count, Self.shortestTable), Self.shortestTable + 1),
      "operations")
    rest -= operations.count
    return joined(
      lines(
        operations: operations,
        arrays: shortened(arrayList, to: max(rest, Self.shortestTable), "lines of arrays")))
  }

  /// The whole report, with each array on its own line.
  var wholeText: String {
    joined(
      lines(
        operations: operationTable,
        arrays: found.arrays.map { "  \($0.name)  \($0.shape)  \($0.verdict)" }))
  }

  private func joined(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

  private func shortened(_ lines: [String], to count: Int, _ what: String) -> [String] {
    guard lines.count > count else { return lines }
    return lines.prefix(count - 1)
      + ["  … and \(lines.count - count + 1) more \(what); --arrays lists all"]
  }

  /// The report with tables of operations and of arrays.
  private func lines(operations: [String], arrays: [String]) -> [String] {
    var lines = wrapped("\(found.file): \(versions)", indent: 2)
    for (title, ports) in [("inputs", found.inputs), ("outputs", found.outputs)] {
      lines += ["", title]
      for port in ports { lines += wrapped("  \(port.name)  \(port.type)", indent: 4) }
    }
    if let preprocessing = found.preprocessing {
      lines += [""] + wrapped("preprocessing: \(preprocessing)", indent: 2)
    }
    if let classes = found.classNames {
      let listed = classes.prefix(Self.listedClassLimit).joined(separator: ", ")
      let more = classes.count - Self.listedClassLimit
      lines += wrapped(
        "\(classes.count) classes: \(listed)\(more > 0 ? " and \(more) more" : "")", indent: 2)
    }
    if let axis = found.classAxis {
      lines += wrapped("the classes are along axis \(axis) of the first output", indent: 2)
    }
    lines += ["", "operations"] + operations
    lines += ["", "arrays"] + arrayTable + [""] + arrays + (found.arrays.isEmpty ? [] : [""])
    if let work = found.workPerExample {
      lines += wrapped(
        "work: \(grouped(Int(clamping: work))) floating-point operations per example, forward "
          + "(convolutions and matrix products)", indent: 2)
    }
    if !found.unsupported.isEmpty {
      lines += ["can't be imported:"]
      for kind in ONNXError.UnsupportedOperation.grouped(found.unsupported) {
        lines += wrapped("  \(kind)", indent: 4)
      }
    } else if let problem = found.problem {
      lines += wrapped("can't be imported: \(problem)", indent: 2)
    }
    if let problem = found.trainingProblem {
      lines += wrapped("can't be trained: \(problem)", indent: 2)
    }
    if let mode = found.trainingMode { lines += wrapped("\(mode)", indent: 2) }
    if !found.readiness.notes.isEmpty {
      lines += ["for training:"]
      for note in found.readiness.notes { lines += wrapped("- \(note)", indent: 2) }
    }
    if let verdict { lines += wrapped("crest-onnx-check: \(verdict)", indent: 2) }
    return lines
  }

  /// One line for arrays whose names differ only in their numbers.
  private var arrayList: [String] {
    struct Kind: Hashable {
      let name: String
      let verdict: String
    }
    var order: [Kind] = []
    var groups: [Kind: [ONNXInspection.ArrayUse]] = [:]
    for array in found.arrays {
      let kind = Kind(name: array.name.withoutNumbers, verdict: array.verdict)
      if groups[kind] == nil { order.append(kind) }
      groups[kind, default: []].append(array)
    }
    return order.flatMap { kind in
      let arrays = groups[kind] ?? []
      let shapes = Set(arrays.map(\.shape))
      let name = arrays.count == 1 ? arrays[0].name : "\(kind.name) ×\(arrays.count)"
      return wrapped(
        "  \(name)  \(shapes.count == 1 ? "\(arrays[0].shape)" : "of \(shapes.count) shapes")  "
          + kind.verdict, indent: 6)
    }
  }

  /// The most classes that the text names.
  private static let listedClassLimit = 10

  private var versions: String {
    let opsets = found.opsets.map { opset in
      opset.domain == "ai.onnx" ? "opset \(opset.version)" : "\(opset.domain) \(opset.version)"
    }
    return
      (["IR \(found.irVersion)"] + opsets
      + (found.producer.isEmpty ? [] : ["written by \(found.producer)"])
      + ["\(grouped(found.byteCount)) bytes"]
      + (found.metadataKeys.isEmpty
        ? [] : ["metadata \(found.metadataKeys.joined(separator: ", "))"]))
      .joined(separator: ", ")
  }

  private var operationTable: [String] {
    let rows = found.operations.map { use in
      [
        use.name, "\(use.count)", use.opsets.map(\.text) ?? "not imported", name(of: use.forward),
        name(of: use.backward),
      ]
    }
    return table([["", "count", "opsets", "forward", "backward"]] + rows, rightAligned: [1])
  }

  private func name(of service: ONNXInspection.Service?) -> String {
    switch service {
    case nil: "-"
    case .kernel: found.instructionSet.rawValue
    case .reference: "reference"
    case .both: "\(found.instructionSet.rawValue), reference"
    }
  }

  private var arrayTable: [String] {
    let rows = kinds.map { kind, arrays in
      [kind, grouped(arrays.count), grouped(arrays.elementCount), grouped(arrays.byteCount)]
    }
    return table([["", "count", "numbers", "bytes"]] + rows, rightAligned: [1, 2, 3])
  }

  private var kinds: [(String, ONNXInspection.Arrays)] {
    ONNXInspection.ArrayKind.allCases.map {
      ($0.rawValue, found.counts[$0] ?? ONNXInspection.Arrays())
    }
  }

  // MARK: For programs

  /// An object for the file, each input, output, operation, kind of array, note and problem, and a
  /// last one with the result.
  var lines: [JSONLine] {
    [modelLine] + portLines + operationLines + arrayLines
      + ([found.trainingMode].compactMap(\.self) + found.readiness.notes).map {
        JSONLine(note: "\($0)", arrays: $0.arrays)
      } + endLines
  }

  private var modelLine: JSONLine {
    JSONLine(
      event: "model",
      [
        ("file", .text(found.file)), ("bytes", .integer(found.byteCount)),
        ("ir_version", .integer(Int(found.irVersion))),
        (
          "opsets",
          .list(
            found.opsets.map {
              .object([("domain", .text($0.domain)), ("version", .integer(Int($0.version)))])
            })
        ),
        ("producer", .text(found.producer)),
        ("metadata", .list(found.metadataKeys.map { .text($0) })),
        ("preprocessing", JSONLine.Value(found.preprocessing)),
        ("classes", found.classNames.map { .list($0.map { .text($0) }) } ?? .null),
        ("class_axis", found.classAxis.map { .integer($0) } ?? .null),
      ])
  }

  private var portLines: [JSONLine] {
    [("input", found.inputs), ("output", found.outputs)].flatMap { event, ports in
      ports.map { port in
        JSONLine(
          event: event,
          [
            ("name", .text(port.name)), ("element_type", .text(port.elementType)),
            ("shape", port.shape.map { .list($0.map(JSONLine.Value.size)) } ?? .null),
          ])
      }
    }
  }

  private var operationLines: [JSONLine] {
    found.operations.map { use in
      JSONLine(
        event: "operation",
        [
          ("name", .text(use.name)), ("count", .integer(use.count)),
          (
            "opsets",
            use.opsets.map {
              .list([.integer(Int($0.lowerBound)), .integer(Int($0.upperBound))])
            } ?? .null
          ),
          ("forward", use.forward.map { .text($0.rawValue) } ?? .null),
          ("backward", use.backward.map { .text($0.rawValue) } ?? .null),
        ])
    }
  }

  private var arrayLines: [JSONLine] {
    kinds.map { kind, arrays in
      JSONLine(
        event: "arrays",
        [
          ("kind", .text(kind)), ("count", .integer(arrays.count)),
          ("numbers", .integer(arrays.elementCount)), ("bytes", .integer(arrays.byteCount)),
        ])
    }
      + found.arrays.map { array in
        JSONLine(
          event: "array",
          [
            ("name", .text(array.name)), ("element_type", .text(array.elementType)),
            ("shape", .list(array.shape.map { .integer($0) })),
            ("kind", .text(array.kind.rawValue)), ("reason", .text(array.reason)),
          ])
      }
      + found.unsupported.map { operation in
        JSONLine(
          event: "unsupported",
          [
            ("operation", .text(operation.operation)), ("domain", .text(operation.domain)),
            ("opset", operation.opset.map { .integer(Int($0)) } ?? .null),
            ("node", .text(operation.node)),
            ("reason", operation.reason.map { .text($0) } ?? .null),
          ])
      }
  }

  private var endLines: [JSONLine] {
    let check = verdict.map { verdict in
      JSONLine(
        event: "check",
        [("accepted", verdict.accepts.map { .flag($0) } ?? .null), ("text", .text("\(verdict)"))])
    }
    let result = JSONLine(
      event: "result",
      [
        ("imported", .flag(found.problem == nil)),
        ("problem", found.problem.map { .text("\($0)") } ?? .null),
        ("training_problem", found.trainingProblem.map { .text($0) } ?? .null),
        ("work_per_example", JSONLine.Value(found.workPerExample)),
        ("instruction_set", .text(found.instructionSet.rawValue)),
      ])
    return [check, result].compactMap(\.self)
  }
}

extension JSONLine {
  /// The text of a note, with all arrays that it is about.
  init(note text: String, arrays: [String]) {
    self.init(
      event: "note", [("text", .text(text)), ("arrays", .list(arrays.map { .text($0) }))])
  }
}

extension ONNXInspection.ArrayUse {
  /// Whether it is trained, and why.
  fileprivate var verdict: String {
    switch kind {
    case .trained: "trained: \(reason)"
    case .notTrained: "not trained: \(reason)"
    case .statistic: "running statistic \(reason)"
    case .constant: "constant: \(reason)"
    }
  }
}

extension String {
  /// The text with a `*` for each number.
  fileprivate var withoutNumbers: String {
    var text = ""
    for character in self {
      if !character.isNumber {
        text.append(character)
      } else if text.last != "*" {
        text.append("*")
      }
    }
    return text
  }
}

extension ONNXInspection.Port {
  /// As in `float32 [N, 3, 32, 32]`.
  fileprivate var type: String {
    "\(elementType) \(shape.map { "[\($0.joined(separator: ", "))]" } ?? "of any shape")"
  }
}

extension ClosedRange<Int64> {
  /// As in `1–28`.
  var text: String { "\(lowerBound)–\(upperBound)" }
}

extension JSONLine.Value {
  /// The preprocessing; null if unknown.
  init(_ preprocessing: Preprocessing?) {
    guard let preprocessing else {
      self = .null
      return
    }
    self = .object([
      ("layout", .text(preprocessing.layout.rawValue)), ("divisor", .number(preprocessing.divisor)),
      ("mean", .list(preprocessing.mean.map { .number($0) })),
      ("standard_deviation", .list(preprocessing.standardDeviation.map { .number($0) })),
    ])
  }

  /// A size: a number, a name, or null if unknown.
  fileprivate static func size(_ text: String) -> JSONLine.Value {
    text == "?" ? .null : Int(text).map { .integer($0) } ?? .text(text)
  }
}

extension Int {
  /// The nearest integer that `Int` can hold.
  fileprivate init(clamping number: Double) { self = Int(exactly: number) ?? .max }
}
