import ProcessTestSupport

/// The command `crest`, run as a process of its own.
enum CrestProcess {
  private static let program = BuiltProgram("crest")

  static func run(_ arguments: [String]) throws -> ProcessResult { try program.run(arguments) }

  static func start(_ arguments: [String]) throws -> RunningProgram { try program.start(arguments) }
}
