// Misuses the library, so that tests see what a user sees: `misuse-program list`, `misuse-program NAME`,
// `misuse-program in-hook HOOK ACTION`, `misuse-program set HYPERPARAMETER PART VALUE`.
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
case "in-hook" where CommandLine.arguments.count == 4, "set" where CommandLine.arguments.count == 5:
  let words = Array(CommandLine.arguments.dropFirst())
  do {
    if words[0] == "set" {
      try misuse(setting: words[1], words[2], to: words[3])
    } else {
      try misuse(inHook: words[1], words[2])
    }
  } catch {
    complain("\(words) threw \(error)")
  }
  complain("\(words) went unnoticed")
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
