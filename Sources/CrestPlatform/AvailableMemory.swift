#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The memory that there is for this process.
package enum AvailableMemory {
  /// What this process may take now, in bytes.
  ///
  /// The least of the machine's memory, what the process's limit of addresses (`ulimit -v`) leaves and what its control
  /// group's limit leaves; all that can be counted where nobody says. Asked before memory of a known size is taken: a
  /// failed allocation ends a Swift program, and memory that the system promised but hasn't got ends it later.
  package static func byteCount() -> Int {
    let (addresses, resident) = used
    var least = machine
    if let limit = addressLimit { least = min(least, max(limit - addresses, 0)) }
    if let limit = groupLimit { least = min(least, max(limit - resident, 0)) }
    return least
  }

  private static let machine: Int = {
    let (pages, size) = (sysconf(CInt(_SC_PHYS_PAGES)), pageByteCount)
    let (count, overflow) = pages.multipliedReportingOverflow(by: size)
    return pages > 0 && size > 0 && !overflow ? count : .max
  }()

  private static var pageByteCount: Int { sysconf(CInt(_SC_PAGESIZE)) }

  /// The addresses and the memory that the process has now; 0 where the system doesn't say.
  private static var used: (addresses: Int, resident: Int) {
    let pages = text(of: "/proc/self/statm").split(separator: " ").prefix(2).map { Int($0) ?? 0 }
    return pages.count == 2 ? (pages[0] * pageByteCount, pages[1] * pageByteCount) : (0, 0)
  }

  private static var addressLimit: Int? {
    var limit = rlimit()
    #if canImport(Glibc)
      let status = getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    #else
      let status = getrlimit(RLIMIT_AS, &limit)
    #endif
    return status == 0 ? Int(exactly: limit.rlim_cur) : nil
  }

  /// The least limit of the process's control group and those above it, of either version.
  private static var groupLimit: Int? {
    var least: Int?
    for line in text(of: "/proc/self/cgroup").split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let (root, file): (String, String)
      if fields[1].isEmpty {
        (root, file) = ("/sys/fs/cgroup", "memory.max")
      } else if fields[1].split(separator: ",").contains("memory") {
        (root, file) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
      } else {
        continue
      }
      var path = fields[2].split(separator: "/")
      while true {
        let name = ([root] + path.map(String.init) + [file]).joined(separator: "/")
        if let limit = Int(text(of: name).prefix { $0 != "\n" }) {
          least = min(least ?? limit, limit)
        }
        if path.popLast() == nil { break }
      }
    }
    return least
  }

  /// The beginning of a small file of the system; empty when there is none.
  private static func text(of path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 14)
    let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }
}
