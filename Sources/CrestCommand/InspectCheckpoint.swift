import Crest

/// Prints the contents of a checkpoint, for `crest inspect` of a file that ends in `.safetensors`.
func inspectCheckpoint(_ path: String, json: Bool) throws {
  let summary = try CheckpointFile.Summary(path)
  guard json else {
    return try StandardOutput.write(summary.lines.map { $0 + "\n" }.joined())
  }
  let line = JSONLine(
    event: "checkpoint",
    [
      ("path", .text(path)), ("contents", .text(summary.isComplete ? "everything" : "weights")),
      ("parameters", .integer(summary.parameterCount)),
      ("statistics", .integer(summary.statisticCount)),
      ("steps", summary.stepsTaken.map { .integer($0) } ?? .null),
      ("epochs", summary.epochsBegun.map { .integer($0) } ?? .null),
      ("preprocessing", JSONLine.Value(summary.preprocessing)),
      ("classes", summary.classNames.map { .list($0.map { .text($0) }) } ?? .null),
      ("class_axis", summary.classAxis.map { .integer($0) } ?? .null),
      ("fields", .list(summary.fieldNames.map { .text($0) })),
    ])
  try StandardOutput.write(line.text)
}
