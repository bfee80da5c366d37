import CrestPlatform

/// The memory of this machine.
package enum PhysicalMemory {
  /// Its size in bytes; all that can be counted where the system doesn't say.
  package static let byteCount: Int = {
    let (pages, size) = (sysconf(CInt(_SC_PHYS_PAGES)), sysconf(CInt(_SC_PAGESIZE)))
    let (count, overflow) = pages.multipliedReportingOverflow(by: size)
    return pages > 0 && size > 0 && !overflow ? count : .max
  }()
}
