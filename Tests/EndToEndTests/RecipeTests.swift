import Foundation
import ProcessSupport
import Testing

/// The programs in `Examples/recipes`, on small data.
@Suite struct `A recipe` {
  /// What each prints at its end, and how good it must be.
  struct Recipe: Sendable, CustomTestStringConvertible {
    let name: String
    let label: String
    let range: ClosedRange<Double>

    var testDescription: String { name }
  }

  static let recipes = [
    // Six names again and again: what follows can nearly always be told.
    Recipe(name: "gpt", label: "bits per character:", range: 0...3.5),
    Recipe(name: "names", label: "loss by letter:", range: 0...1.5),
    Recipe(name: "siamese", label: "accuracy:", range: 0.8...1),
    Recipe(name: "unet", label: "iou:", range: 0.5...1),
    // A picture of 64 pixels, half of them grey, costs 44 when each is guessed to be 0.5.
    Recipe(name: "vae", label: "loss after:", range: 0...34),
  ]

  @Test(arguments: recipes) func `learns`(recipe: Recipe) throws {
    let result = try Executable("recipes").run([recipe.name])
    #expect(result.status == 0, "\(result.error)")
    let line = try #require(
      result.output.split(separator: "\n").last { $0.hasPrefix(recipe.label) },
      "\(result.output)")
    let value = try #require(Double(line.dropFirst(recipe.label.count).trimmingPrefix(" ")))
    #expect(recipe.range.contains(value), "\(line)")
  }

  @Test func `of another name is refused`() throws {
    let result = try Executable("recipes").run(["pong"])
    #expect(result.status == 64)
    #expect(
      result.output == "expected one of gpt, names, siamese, unet, vae, and perhaps a text file\n")
  }

  @Test(arguments: recipes.map(\.name)) func `has fewer than 60 lines`(name: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Examples/recipes/\(name).swift")
    let lines = try String(contentsOf: file, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count < 60)
  }
}
