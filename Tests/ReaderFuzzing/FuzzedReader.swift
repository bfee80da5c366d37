/// A reader of what others have made, with good inputs to damage.
package struct FuzzedReader: Sendable {
  /// Its name on the command line.
  package let name: String
  /// The sources it is made of, as parts of their paths: whose coverage is told.
  package let sources: [String]
  /// Good inputs, small ones.
  package let seeds: @Sendable () throws -> [[UInt8]]
  /// Prepares to read; what it gives reads an input, and says whether it was accepted.
  ///
  /// What the reader refuses by its own type of error counts as refused. Anything else that is thrown is a fault, as is
  /// a trap: the input may be at fault, the reader mustn't.
  package let begin: @Sendable () throws -> ([UInt8]) throws -> Bool

  init(
    _ name: String, sources: [String], seeds: @escaping @Sendable () throws -> [[UInt8]],
    begin: @escaping @Sendable () throws -> ([UInt8]) throws -> Bool
  ) {
    self.name = name
    self.sources = sources
    self.seeds = seeds
    self.begin = begin
  }

  /// All there are.
  package static let all: [FuzzedReader] =
    tensorReaders + stateReaders + dataReaders + modelReaders + pluginReaders

  /// The reader of a name.
  package static func named(_ name: String) -> FuzzedReader? { all.first { $0.name == name } }
}

/// A reader gave a wrong answer.
package struct ReaderFault: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

/// Throws unless a reader's answer is right.
func expect(_ condition: Bool, _ what: @autoclosure () -> String) throws {
  if !condition { throw ReaderFault(what()) }
}
