public import Foundation

/// A program, to be run as a process of its own.
public struct Executable: Sendable {
  /// Where it is.
  public let url: URL

  /// The running program: of tests, their bundle.
  public static let own: Executable = {
    #if os(Linux)
      Executable(
        path: URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path(percentEncoded: false))
    #else
      let tests = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundlePath
      return Executable(path: tests ?? Bundle.main.executablePath ?? CommandLine.arguments[0])
    #endif
  }()

  /// The program of a name, which is built beside the running one.
  public init(_ name: String) {
    url = Self.own.url.deletingLastPathComponent().appending(path: name)
  }

  /// Any other program, by its path.
  public init(path: String) { url = URL(filePath: path) }

  /// `env`, which finds the program that its first argument names.
  public static let env = Executable(path: "/usr/bin/env")

  /// The path.
  public var path: String { url.path(percentEncoded: false) }

  /// Runs to the end, in `folder` where there is one, so that paths in messages are short.
  ///
  /// - Parameters:
  ///   - arguments: Its arguments.
  ///   - folder: Its working directory, this process's if nil.
  /// - Returns: How it ended, and what it wrote.
  /// - Throws: What Foundation throws when it can't be started.
  public func run(_ arguments: [String], in folder: URL? = nil) throws -> ProcessResult {
    try start(arguments, in: folder).finish()
  }

  /// Starts a run.
  ///
  /// - Parameters:
  ///   - arguments: Its arguments.
  ///   - folder: Its working directory, this process's if nil.
  ///   - environment: Variables beside this process's own.
  ///   - onOutput: Called by ``RunningProgram/finish()`` with each piece of standard output as it comes, for what
  ///     takes the time of it; such a run waits for its reader once a pipe is full.
  /// - Returns: The run.
  /// - Throws: What Foundation throws when it can't be started.
  public func start(
    _ arguments: [String], in folder: URL? = nil, environment: [String: String] = [:],
    onOutput: ((String) -> Void)? = nil
  ) throws -> RunningProgram {
    try RunningProgram(
      self, arguments, in: folder, environment: environment, onOutput: onOutput)
  }
}
