/// What it may take to refuse a file: the limits that are promised.
package enum RefusalLimits {
  /// The exit code for a model that can't be used.
  package static let exitCode: Int32 = 65
  /// 64 MiB.
  package static let kibibytes = 64 << 10
  package static let seconds = 0.1

  /// The arguments with which the command reads the model at `path`, and uses it if it can.
  package static func arguments(model path: String) -> [String] {
    ["train", "--model", path, "--data", "digits", "--epochs", "1", "--max-lr", "0.1"]
  }
}
