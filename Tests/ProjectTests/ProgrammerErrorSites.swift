import Foundation

/// A call of `programmerError`, by which Sources end the program.
struct ProgrammerErrorSite: Hashable, Comparable {
  /// The file's name; its folder may change.
  let file: String
  /// The message as the source writes it.
  let message: String

  static func < (left: ProgrammerErrorSite, right: ProgrammerErrorSite) -> Bool {
    (left.file, left.message) < (right.file, right.message)
  }

  private static let call = "programmerError("

  /// All in Sources; those of one message in one file are one.
  static func all() throws -> Set<ProgrammerErrorSite> {
    var sites: Set<ProgrammerErrorSite> = []
    for (file, source) in try Project.sources() where file != "ProgrammerError.swift" {
      let parts = source.components(separatedBy: call)
      for (before, after) in zip(parts, parts.dropFirst()) {
        let line = before.split(separator: "\n", omittingEmptySubsequences: false).last ?? ""
        if line.trimmingPrefix(while: \.isWhitespace).hasPrefix("//") { continue }
        var scanner = ArgumentScanner(Array(after))
        let arguments = scanner.arguments()
        let hasCondition = arguments[0].hasPrefix("unless:")
        sites.insert(
          ProgrammerErrorSite(
            file: file, message: ArgumentScanner.text(arguments[hasCondition ? 1 : 0])))
      }
    }
    return sites
  }
}

/// Reads the arguments of a call, as far as strings and brackets go.
private struct ArgumentScanner {
  private let characters: [Character]
  private var place = 0

  /// At what follows the opening parenthesis.
  init(_ characters: [Character]) { self.characters = characters }

  /// The arguments up to the closing parenthesis.
  mutating func arguments() -> [String] {
    var arguments: [String] = []
    var (start, depth) = (0, 0)
    while place < characters.count {
      let character = characters[place]
      if character == "\"" {
        skipString()
        continue
      }
      let isEnd = depth == 0 && character == ")"
      if isEnd || depth == 0 && character == "," {
        arguments.append(
          String(characters[start..<place]).trimmingCharacters(in: .whitespacesAndNewlines))
        start = place + 1
      }
      if isEnd { break }
      if "([{".contains(character) { depth += 1 }
      if ")]}".contains(character) { depth -= 1 }
      place += 1
    }
    return arguments
  }

  /// Goes from a quotation mark to behind the one that closes it.
  private mutating func skipString() {
    place += 1
    while characters[place] != "\"" {
      if characters[place] == "\\" {
        place += 1
        if characters[place] == "(" { skipInterpolation() }
      }
      place += 1
    }
    place += 1
  }

  /// Goes from an opening parenthesis to the one that closes it.
  private mutating func skipInterpolation() {
    var depth = 0
    while true {
      if characters[place] == "\"" {
        skipString()
        continue
      }
      if characters[place] == "(" { depth += 1 }
      if characters[place] == ")" { depth -= 1 }
      if depth == 0 { return }
      place += 1
    }
  }

  /// What stands between the quotation marks of literals that are joined by `+`; another expression as it is.
  static func text(_ expression: String) -> String {
    var scanner = ArgumentScanner(Array(expression))
    var text = ""
    while scanner.place < scanner.characters.count {
      let character = scanner.characters[scanner.place]
      if character == "\"" {
        let start = scanner.place + 1
        scanner.skipString()
        text += String(scanner.characters[start..<scanner.place - 1])
      } else if character == "+" || character.isWhitespace {
        scanner.place += 1
      } else {
        return expression.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      }
    }
    return text
  }
}
