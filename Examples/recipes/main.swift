import Crest
import Foundation

// swift run -c release recipes NAME [FILE]: each recipe stands in a file of its own.
let recipes: [String: ([String]) throws -> Void] = [
  "gpt": { try characterGPT(text(of: $0), context: 32, epochs: $0.isEmpty ? 1 : 5) },
  "names": { try nameLSTM(text(of: $0).split(separator: "\n").map(String.init), epochs: 3) },
  "siamese": { _ in try siameseDigits(pairCount: 6000, epochs: 8) },
  "vae": { _ in try digitVAE(epochs: 8) },
  "unet": { _ in try segmentShapes(count: 400, epochs: 4) },
]

/// The text of the file that is named, or a small one.
func text(of arguments: [String]) throws -> String {
  guard let path = arguments.first else {
    return String(repeating: "anna\nhanna\njohanna\nsusanna\nrosanna\nmarianna\n", count: 40)
  }
  return try String(contentsOfFile: path, encoding: .utf8)
}

guard let recipe = CommandLine.arguments.dropFirst().first.flatMap({ recipes[$0] }) else {
  print("expected one of \(recipes.keys.sorted().joined(separator: ", ")), and perhaps a text file")
  exit(64)
}
try recipe(Array(CommandLine.arguments.dropFirst(2)))
