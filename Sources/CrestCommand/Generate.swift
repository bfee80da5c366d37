import ArgumentParser
import Crest

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a text with a language model.",
    discussion: """
      The model is one that crest has trained on a text; it carries its tokens. Token after token is drawn by the \
      probabilities that it gives, after the last tokens that it sees at once. The same seed writes the same text.
      """)

  @Option(
    help: ArgumentHelp(
      "An ONNX file, or the weights of a network, as in a checkpoint.",
      valueName: "file.onnx|file.safetensors"))
  var model: String

  @OptionGroup var weights: ArchitectureOption

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The text to go on with (default: a line break).", valueName: "text"))
  var prompt: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("How many tokens to write.", valueName: "n"))
  var length = 200

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What logits are divided by: below 1 what is likely gets likelier, and 0 takes the likeliest token.",
      valueName: "x"))
  var temperature = 1.0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How many of the likeliest tokens to draw from (default: all).", valueName: "n"))
  var topK: Int?

  @Option(
    name: .customLong("seed"), parsing: .unconditional,
    help: ArgumentHelp("The seed of what is drawn.", valueName: "n"))
  var seedOption = SeedOption.standard

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Number of threads; doesn't change the results (default: all cores).", valueName: "n"))
  var threads: Int?

  @Flag(help: "Print a JSON object.")
  var json = false

  /// The most tokens to write.
  private static let lengths = 1...1_000_000

  func run() throws {
    Notes.areEvents(json)
    let seed = try seedOption.value()
    guard Self.lengths.contains(length) else {
      throw CommandError.generation(
        option: "--length", expected: "a number from 1 to 1000000", got: "\(length)")
    }
    guard temperature.isFinite, temperature >= 0 else {
      throw CommandError.generation(
        option: "--temperature", expected: "a number of at least 0", got: "\(temperature)")
    }
    if let topK, topK < 1 {
      throw CommandError.generation(option: "--top-k", expected: "at least 1", got: "\(topK)")
    }
    let engine = try Engine(threadCount: threads)
    let source = try ModelSource(model, architecture: weights.architecture)
    let writer = try TextWriter(source.textNetwork(model, engine).network)
    let prompt = prompt ?? "\n"
    let text = try writer.text(
      after: prompt, length: length, temperature: temperature, topCount: topK, seed: seed)
    if json {
      return try Notes.writeResult([("prompt", .text(prompt)), ("text", .text(text))])
    }
    try StandardOutput.write("\(prompt)\(text)\n")
  }
}
