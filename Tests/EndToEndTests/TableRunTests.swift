import Foundation
import ProcessSupport
import Testing

/// Tables in files, by the command.
@Suite struct `Tables` {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// A folder of the tables that the documentation names; incomes follow from ages and jobs, prices from rooms.
  private static func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let (jobs, cities) = (["clerk", "nurse", "smith", ""], ["Oslo", "Bergen", "Tromsø"])
    let people = (0..<240).map { row in
      let (age, job) = (20 + row * 7 % 45, jobs[row * 5 % 4])
      let isHigh = age > 45 || job == "smith"
      return
        "\(age),\(job),\(cities[row % 3]),20\(10 + row % 9)-0\(1 + row % 7)-1\(row % 10),\(isHigh ? "high" : "low")"
    }
    let header = "age,job,city,joined,income"
    try folder.write(([header] + people).joined(separator: "\n") + "\n", to: "people.csv")
    let new = people.prefix(6).map {
      $0.split(separator: ",", omittingEmptySubsequences: false).dropLast()
    }
    try folder.write(
      (["age,job,city,joined"] + new.map { $0.joined(separator: ",") } + ["61,pilot,,2018-12-31"])
        .joined(separator: "\n"), to: "new.csv")
    let houses = (0..<200).map { row in
      let rooms = row % 7 + 1
      return "\(rooms);\(row % 5 == 0 ? "" : "\(row % 11)");\(50_000 * rooms + 1000 * (row % 3))"
    }
    try folder.write((["rooms;age;price"] + houses).joined(separator: "\n"), to: "houses.csv")
    return folder
  }

  private static func run(_ arguments: String, in folder: TemporaryFolder) throws -> (
    status: Int32, output: String, error: String
  ) {
    let result = try CrestProcess.run(
      arguments.split(separator: " ").map { String($0).replacing("'", with: "") }, in: folder)
    return (result.status ?? -1, result.output, result.error)
  }

  @Test func `are trained on and answered as the documentation shows`() throws {
    let folder = try Self.folder()
    let page = try String(
      contentsOf: Self.root.appending(path: "docs/tables.md"), encoding: .utf8)
    let console = page.split(separator: "```console\n")[1].split(separator: "```")[0]
    let commands = console.split(separator: "\n").map { $0.dropFirst("$ crest ".count) }
    #expect(commands.count == 6)
    var outputs: [String] = []
    for command in commands {
      let result = try Self.run(String(command), in: folder)
      #expect(result.status == 0, "\(command): \(result.error)")
      if command.hasPrefix("train") {
        #expect(
          result.error.contains(
            "chosen for a table: --model tabular --epochs 10 --max-lr 0.01 --optimizer adamw "
              + "--callback recompute-batch-norm-statistics:at=validation; give others to change that"
          ),
          "\(result.error)")
      }
      outputs.append(result.output)
    }
    #expect(
      outputs[0].contains("people.csv") && outputs[0].contains("clerk 60, nurse 60, smith 60"),
      "\(outputs[0])")
    let answers = try folder.lines(of: "answers.csv").map(String.init)
    #expect(answers.count == 8 && answers[0] == "income,high,low")
    for line in answers.dropFirst() {
      let cells = line.split(separator: ",").map(String.init)
      let (high, low) = (try #require(Double(cells[1])), try #require(Double(cells[2])))
      #expect(abs(high + low - 1) < 1e-9 && cells[0] == (high >= low ? "high" : "low"))
    }
    // Row 0 is 20 years old and a clerk, and the last is old.
    #expect(answers[1].hasPrefix("low,") && answers[7].hasPrefix("high,"), "\(answers)")
    let last = try #require(outputs[5].split(separator: "\n").last)
    #expect(last.hasPrefix(#"{"event":"prediction","row":200,"value":"#), "\(last)")
    let value = try #require(Double(last.split(separator: ":").last?.dropLast() ?? ""))
    // Row 199 has 4 rooms.
    #expect(abs(value - 201_000) < 25_000, "\(value)")
  }

  @Test func `give one network by any way to save it, and resume bit for bit`() throws {
    let folder = try Self.folder()
    let options = "--data people.csv --target income --epochs 3 --max-lr 0.01 --seed 5"
    let whole = try Self.run(
      "train \(options) --checkpoint-dir whole --export whole.onnx", in: folder)
    #expect(whole.status == 0, "\(whole.error)")
    let part = try CrestProcess.start(
      ["train", "--checkpoint-dir", "part", "--checkpoint-every", "1steps", "--log-steps", "s.csv"]
        + options.split(separator: " ").map(String.init), in: folder)
    while part.isRunning, (try? folder.lines(of: "s.csv").count) ?? 0 < 5 { usleep(1_000) }
    part.send(SIGKILL)
    _ = try part.finish()
    let resumed = try Self.run(
      "train \(options) --checkpoint-dir part --resume --log-steps s.csv --export resumed.onnx",
      in: folder)
    #expect(resumed.status == 0, "\(resumed.error)")
    #expect(try Data(contentsOf: folder["whole.onnx"]) == Data(contentsOf: folder["resumed.onnx"]))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder["whole"].path)
    let checkpoint = try #require(names.filter { $0.hasSuffix(".safetensors") }.max())
    let exported = try Self.run("export whole/\(checkpoint) --to exported.onnx", in: folder)
    #expect(exported.status == 0, "\(exported.error)")
    var answers: [String] = []
    for model in ["whole.onnx", "whole/\(checkpoint)", "exported.onnx"] {
      let result = try Self.run("predict --model \(model) --data new.csv", in: folder)
      #expect(result.status == 0, "\(result.error)")
      #expect(
        result.error.contains(
          "1 cell of job in new.csv holds what training hasn't seen, as \"pilot\"; it counts as missing"
        ))
      answers.append(result.output)
    }
    #expect(answers[0].hasPrefix("income,high,low\n") && Set(answers).count == 1)
    let more = try Self.run(
      "train --model whole.onnx --data people.csv --epochs 1 --max-lr 0.001 --test people.csv",
      in: folder)
    #expect(
      more.status == 0 && more.output.contains(" on 240 examples for testing\n"),
      "\(more.error) \(more.output)")
  }

  static let refused: [(arguments: String, message: String)] = [
    (
      "train --data people.csv",
      "--target: name the column to predict; people.csv has age, job, city, joined, income"
    ),
    (
      "train --data people.csv --target wage",
      "people.csv: there is no column wage to predict, expected one of age, job, city, joined, income"
    ),
    (
      "train --data people.csv --target income --numbers city",
      "people.csv, line 2, column 3: \"Oslo\" of city is no number, expected one, or a missing value"
    ),
    (
      "train --data people.csv --target income --ignore income",
      "income is named twice by --target, --categories, --numbers, --dates and --ignore; name it once"
    ),
    (
      "train --data people.csv --target income --delimiter ab",
      "the table is read as one of which cells are separated by \"ab\"; expected a delimiter and a decimal of one ASCII "
        + "character each that can be told apart, and different names of columns"
    ),
    (
      "train --data people.csv --target income --columns a,,b",
      "--columns: expected names separated by commas, in double quotes if they hold one, got \"a,,b\""
    ),
    (
      "train --data people.csv --target income --preprocessing none",
      "--preprocessing: the columns of a table are prepared as the model's or by their own figures, got none; choose model "
        + "or data"
    ),
    (
      "train --data people.csv --target income --test",
      "--test: it has no effect without a file; name another table of the same columns"
    ),
    (
      "train --data people.csv --target income --valid houses.csv",
      "houses.csv: there is no column job, expected one of rooms, age, price"
    ),
    (
      "train --model mlp --data people.csv --target income",
      "--model mlp takes one input, but people.csv (train) has 2"
    ),
    (
      "train --model tabular --data digits --epochs 1 --max-lr 0.1",
      "--model tabular takes the columns of a table, but digits (train) isn't one; name a CSV file and --target"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 0.1 --target y",
      "--target: it has no effect without a table; omit it, as digits isn't one"
    ),
    (
      "train --model mlp --data digits --epochs 1 --max-lr 0.1 --test people.csv",
      "--test FILE: it has no effect without a table; omit the file, as digits isn't one"
    ),
    ("train --data none.csv --target y", "none.csv can't be read: No such file or directory"),
    (
      "predict --model mlp --data people.csv", "mlp doesn't say what the columns of a table become"
    ),
    (
      "predict --model mlp --input x.npy --output y.npy --decimal ,",
      "--decimal: it has no effect without --data; name the table, or omit it"
    ),
  ]

  @Test(arguments: refused.indices) func `are refused with options that don't fit`(row: Int) throws
  {
    let (arguments, message) = Self.refused[row]
    let result = try Self.run(arguments, in: Self.folder())
    #expect(result.status != 0 && result.error.contains(message), "\(result.error)")
  }

  @Test func `are described column by column`() throws {
    let folder = try Self.folder()
    let text = try Self.run("data info houses.csv --target price", in: folder)
    #expect(text.status == 0, "\(text.error)")
    for line in [
      "rows    200, cells separated by \";\"",
      "  rooms   number        0          7  1 to 7, mean 3.97, median 4, deviation 1.997",
      "  age     number       40         11",
      "target         target float32 []",
    ] {
      #expect(text.output.contains(line), "\(text.output)")
    }
    let json = try Self.run("data info people.csv --json", in: folder)
    #expect(
      json.output.hasPrefix(
        #"{"event":"result","name":"people.csv","rows":240,"delimiter":",","columns":[{"name":"age","kind":"number","missing":0,"#
      ), "\(json.output)")
  }
}
