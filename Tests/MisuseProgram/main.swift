// Misuses the library, so that tests see what a user sees: `misuse-program list`, `misuse-program NAME`.
import Crest
import Foundation

// A signal ends the program at once, without a backtrace that takes longer than the test.
for number in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS] { signal(number, SIG_DFL) }

func complain(_ text: String) -> Never {
  FileHandle.standardError.write(Data((text + "\n").utf8))
  exit(2)
}

switch CommandLine.arguments.dropFirst().first {
case "list":
  for misuse in misuses { print("\(misuse.name)\t\(misuse.words)") }
case let name?:
  guard let misuse = misuses.first(where: { $0.name == name }) else {
    complain("no misuse is called \(name)")
  }
  do {
    try misuse.run()
  } catch {
    complain("\(name) threw \(error)")
  }
  complain("\(name) went unnoticed")
case nil:
  complain("expected list or the name of a misuse")
}
