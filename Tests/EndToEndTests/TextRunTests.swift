import Foundation
import ProcessSupport
import Testing

/// Texts, by the command.
@Suite struct `Texts` {
  private static func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let lines = (0..<60).map { number in
      "the \(["old", "young", "quick"][number % 3]) \(["fox", "dog"][number % 2]) runs over the hill."
    }
    try folder.write(lines.joined(separator: "\n"), to: "book.txt")
    let reviews = (0..<600).map { number in
      let isGood = number % 2 == 0
      let words = isGood ? ["good", "lovely", "fine"] : ["bad", "dull", "poor"]
      return "\"A \(words[number % 3]), \(words[(number + 1) % 3]) film\",\(isGood ? 5 : 1)"
    }
    try folder.write("review,stars\n" + reviews.joined(separator: "\n"), to: "reviews.csv")
    try folder.write(
      "review\n\"a lovely, good film\"\n\"what a dull, poor film\"\n", to: "new.csv")
    return folder
  }

  @Test func `are learned from, written and answered as the documentation shows`() throws {
    let folder = try Self.folder()
    let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "docs/text.md")
    let commands = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
      .filter { $0.hasPrefix("$ crest ") }.map { $0.dropFirst("$ crest ".count) }
    #expect(commands.count == 8)
    for command in commands {
      let quoted = command.split(separator: "\"", omittingEmptySubsequences: false)
      let arguments = quoted.enumerated().flatMap { number, part in
        number % 2 == 1 ? [String(part)] : part.split(separator: " ").map(String.init)
      }
      let result = try CrestProcess.run(arguments, in: folder)
      #expect(result.status == 0, "\(command): \(result.error)")
      switch arguments[0] {
      case "train" where arguments.contains("book.onnx"):
        #expect(
          result.error.contains(
            "chosen for a text: --model gpt --epochs 10 --max-lr 0.003 --optimizer adamw; give others to change that"
          ), "\(result.error)")
        #expect(result.error.contains("book.txt has "), "\(result.error)")
      case "train" where arguments.contains("reviews.csv"):
        #expect(
          result.error.contains(
            "chosen for texts of classes: --model text-transformer --epochs 10 --max-lr 0.001 --optimizer adamw"
          ),
          "\(result.error)")
      case "generate":
        #expect(result.output.hasPrefix("the ") && result.output.utf8.count == 4 + 80 + 1)
        let again = try CrestProcess.run(arguments + ["--threads", "1"], in: folder)
        #expect(again.output == result.output)
        let json = try CrestProcess.run(arguments + ["--json"], in: folder)
        let text = try #require(try json.objects().last?["text"] as? String)
        #expect("the \(text)\n" == result.output)
      case "predict" where !arguments.contains("--output"):
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("a lovely, good film  5 0."), "\(result.output)")
        #expect(lines[1].hasPrefix("what a dull, poor film  1 0."), "\(result.output)")
      default: break
      }
    }
    let answers = try folder.lines(of: "answers.csv")
    #expect(answers.count == 3 && answers[0] == "review,class,1,5")
    #expect(answers[1].hasPrefix("\"a lovely, good film\",5,0."), "\(answers)")
  }

  @Test func `are read from a checkpoint, cut as a tokenizer's file says`() throws {
    let folder = try Self.folder()
    let tokenizer = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Fixtures/tokenizers/byte-pairs.json")
    try FileManager.default.copyItem(at: tokenizer, to: folder["tokenizer.json"])
    let options = ["--data", "book.txt"]
    let train = try CrestProcess.run(
      [
        "train", "--model", "lstm", "--tokenizer", "tokenizer.json", "--sequence-length", "8",
        "--epochs", "1", "--checkpoint-dir", "run", "--metric", "perplexity",
      ] + options, in: folder)
    #expect(train.status == 0, "\(train.error)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder["run"].path)
    let checkpoint = try "run/" + #require(names.first { $0.hasSuffix(".safetensors") })
    let evaluation = try CrestProcess.run(
      ["evaluate", "--model", checkpoint] + options, in: folder)
    #expect(evaluation.output.contains("accuracy "), "\(evaluation.error)")
    let text = try CrestProcess.run(
      ["generate", "--model", checkpoint, "--prompt", "the old", "--length", "5"], in: folder)
    #expect(text.status == 0 && text.output.hasPrefix("the old"), "\(text.error)")
    let export = try CrestProcess.run(["export", checkpoint, "--to", "m.onnx"], in: folder)
    #expect(export.status == 0, "\(export.error)")
    let same = try CrestProcess.run(
      ["generate", "--model", "m.onnx", "--prompt", "the old", "--length", "5"], in: folder)
    #expect(same.output == text.output, "\(same.error)")
    let known = try CrestProcess.run(
      [
        "train", "--model", "m.onnx", "--epochs", "1", "--max-lr", "0.001", "--tokenizer",
        "characters",
      ] + options, in: folder)
    #expect(
      known.error.contains(
        "--tokenizer: it has no effect without a new network; omit it, as the model has learned tokens of its own"
      ), "\(known.error)")
    let further = try CrestProcess.run(
      ["train", "--model", "m.onnx", "--epochs", "1", "--max-lr", "0.001"] + options, in: folder)
    #expect(further.status == 0, "\(further.error)")
    let info = try CrestProcess.run(["data", "info", "book.txt"], in: folder)
    #expect(info.output.contains("the end of the text"), "\(info.output) \(info.error)")
  }

  static let refused: [(arguments: String, message: String)] = [
    (
      "train --data none.txt", "none.txt can't be read: No such file or directory"
    ),
    (
      "train --data book.txt --model mlp",
      "--model mlp takes numbers, but book.txt (training) is of texts; choose one of gpt, text-transformer, lstm"
    ),
    (
      "train --data digits --model gpt --epochs 1 --max-lr 1",
      "--model gpt takes texts, but digits"
    ),
    (
      "train --data book.txt --model text-transformer",
      "model text-transformer predicts a class of a text, but the data have the next tokens as targets; choose one of "
        + "gpt, lstm"
    ),
    (
      "train --data reviews.csv --text review",
      "--text: it has no effect without --target; name the column of their classes"
    ),
    (
      "train --data digits --model mlp --epochs 1 --max-lr 1 --sequence-length 3",
      "--sequence-length: it has no effect without a text; omit it, as digits is none, or add --text"
    ),
    (
      "train --data digits --model mlp --epochs 1 --max-lr 1 --target a",
      "--target: it has no effect without a table; omit it, as digits isn't one"
    ),
    (
      "train --data reviews.csv --text reviews --target stars",
      "reviews.csv has no column \"reviews\", expected one of review, stars"
    ),
    (
      "train --data book.txt --sequence-length 0",
      "--sequence-length: expected a number from 1 to 1048576, got 0"
    ),
    (
      "train --data book.txt --sequence-length 5000",
      "book.txt: its training part has 1799 tokens, expected at least 5001 for examples of 5000; give a longer text, or "
        + "a smaller sequence length"
    ),
    ("train --data book.txt --tokenizer bert", "The value 'bert' is invalid for '--tokenizer"),
    (
      "generate --model digits.onnx",
      "digits.onnx doesn't say how texts become its inputs; give a model that crest has trained on texts"
    ),
    (
      "generate --model gpt",
      "--model: expected a file that ends in .onnx or .safetensors, got gpt, which is untrained; train it first"
    ),
    (
      "generate --model gpt --length 0", "--length: expected a number from 1 to 1000000, got 0"
    ),
    (
      "generate --model gpt --temperature -1",
      "--temperature: expected a number of at least 0, got -1.0"
    ),
    ("generate --model gpt --top-k 0", "--top-k: expected at least 1, got 0"),
    (
      "predict --model digits.onnx --data new.csv --text review",
      "digits.onnx doesn't say how texts become its inputs; give a model that crest has trained on texts"
    ),
    (
      "predict --model digits.onnx --data new.csv --text review --tta mirror",
      "--tta: a table has no other views; omit it"
    ),
    (
      "predict --model digits.onnx --data new.csv --text review --delimiter ;",
      "--delimiter: it has no effect without other tables; omit it, as texts are cut into the model's tokens"
    ),
    (
      "predict --model digits.onnx --text review --input x.npy",
      "--text: it has no effect without --data; name the table, or omit it"
    ),
    (
      "train --data reviews.csv --text review --target stars --ignore id",
      "--ignore: it has no effect without a table; omit it, as reviews.csv isn't one"
    ),
  ]

  @Test func `are refused where they don't fit, and say why`() throws {
    let folder = try Self.folder()
    let made = try CrestProcess.run(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "1", "--max-lr", "0.05",
        "--export", "digits.onnx",
      ], in: folder)
    #expect(made.status == 0, "\(made.error)")
    for (arguments, message) in Self.refused {
      let result = try CrestProcess.run(
        arguments.split(separator: " ").map(String.init), in: folder)
      #expect(result.status != 0 && result.status != 70, "\(arguments)")
      #expect(result.error.contains(message), "\(arguments): \(result.error)")
    }
  }
}
