#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A pipe with a name can't be made.
struct PipeError: Error {
  let path: String
  let code: Int32
}

/// Makes a pipe with a name, which nobody writes to.
func makePipe(at path: String) throws {
  guard mkfifo(path, 0o600) == 0 else { throw PipeError(path: path, code: errno) }
}
