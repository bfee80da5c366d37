import CrestFiles
import CrestPlatform

extension ProgressBar {
  /// Where progress is shown.
  public struct Output {
    /// Whether a line can be overwritten; otherwise only whole lines are written.
    public let isTerminal: Bool
    /// Whether more than ASCII may be written.
    public let isUnicode: Bool
    /// The columns of the terminal, asked for each time a line is drawn.
    public let width: () -> Int
    /// Writes text as it is.
    public let write: (String) -> Void
    /// Writes a line that is not a result, such as what makes a fit slow, line feed included.
    public let note: (String) -> Void

    /// Your own output; notes are written like everything else unless you give them their own way.
    public init(
      isTerminal: Bool, isUnicode: Bool = true, width: @escaping () -> Int = { 80 },
      note: ((String) -> Void)? = nil, write: @escaping (String) -> Void
    ) {
      self.isTerminal = isTerminal
      self.isUnicode = isUnicode
      self.width = width
      self.write = write
      self.note = note ?? write
    }

    /// The process's standard error.
    ///
    /// A closed stream is no reason to end training: what can't be written is dropped.
    public static var standardError: Output {
      Output(
        isTerminal: isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb",
        isUnicode: localeIsUTF8, width: terminalWidth
      ) { text in
        _ = SystemFiles.writeAll(Array(text.utf8), to: STDERR_FILENO)
      }
    }

    private static func environment(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }
    }

    /// By the first of the variables that decide the encoding, as `setlocale` does.
    private static var localeIsUTF8: Bool {
      let value = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(environment).first { !$0.isEmpty }
      let name = (value ?? "").uppercased()
      return name.contains("UTF-8") || name.contains("UTF8")
    }

    private static func terminalWidth() -> Int {
      var size = winsize()
      let status = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size)
      return status == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }
  }
}
