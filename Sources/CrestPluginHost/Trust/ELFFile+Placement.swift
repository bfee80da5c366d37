/// What the system's loader writes to, calls and points to lies in the library.
///
/// A damaged table makes it reach beyond, to whatever lies there in this process and not in another that tried the library
/// out.
extension ELFFile {
  /// A table of entries of one size, whose address and length the dynamic section has under two tags.
  private struct Table {
    let name: String
    let address, size: UInt64
    let entrySize: UInt64
  }

  private static let relocations = [
    Table(name: "relocations", address: 7, size: 8, entrySize: 24),
    Table(name: "relocations of functions", address: 23, size: 2, entrySize: 24),
  ]
  private static let functions: [(tag: UInt64, name: String)] = [(12, "DT_INIT"), (13, "DT_FINI")]
  private static let arrays = [
    Table(name: "constructors", address: 25, size: 27, entrySize: 8),
    Table(name: "destructors", address: 26, size: 28, entrySize: 8),
  ]

  #if arch(arm64)
    private static let (relative, byFunction): (UInt32, UInt32) = (1027, 1032)
  #else
    private static let (relative, byFunction): (UInt32, UInt32) = (8, 37)
  #endif

  /// Checks all of these places.
  ///
  /// - Throws: ``ELFFault`` naming the table with one that lies elsewhere.
  func checkPlacement() throws(ELFFault) {
    let entries = try dynamicEntries()
    func value(_ tag: UInt64) -> UInt64? { entries.last { $0.tag == tag }?.value }
    for (tag, name) in Self.functions {
      guard let address = value(tag) else { continue }
      guard isIn(address, 1, where: { $0.isExecutable }) else { throw Self.outside(name) }
    }
    for table in Self.arrays {
      guard let address = value(table.address), let size = value(table.size) else { continue }
      guard size % table.entrySize == 0, isIn(address, size, where: { _ in true }) else {
        throw Self.outside("its table of \(table.name)")
      }
    }
    let symbolCount = try checkSymbols()
    for table in Self.relocations {
      guard let address = value(table.address), let size = value(table.size), size > 0 else {
        continue
      }
      let start = try place(of: address, count: size)
      for index in 0..<size / table.entrySize {
        try checkRelocation(at: start + index * table.entrySize, symbolCount, table.name)
      }
    }
  }

  private func checkRelocation(
    at place: UInt64, _ symbolCount: UInt64, _ name: String
  ) throws(ELFFault) {
    let target: UInt64 = try number(at: place)
    let information: UInt64 = try number(at: place + 8)
    let addend: UInt64 = try number(at: place + 16)
    let type = UInt32(truncatingIfNeeded: information)
    let isPlaced =
      switch type {
      case 0: true
      case Self.relative: isPointer(addend)
      case Self.byFunction: isIn(addend, 1, where: { $0.isExecutable })
      default: information >> 32 == 0 || information >> 32 < symbolCount
      }
    guard isPlaced, type == 0 || isIn(target, 8, where: { $0.isWritable }) else {
      throw Self.outside("one of its \(name)")
    }
  }

  /// Checks the values of symbols; how many there are.
  private func checkSymbols() throws(ELFFault) -> UInt64 {
    guard let table = symbolTable else { return 0 }
    let count = table.size / 24
    for index in 0..<count {
      let place = table.offset + index * 24
      let section: UInt16 = try number(at: place + 6)
      let type: UInt8 = try number(at: place + 4)
      // Undefined ones are elsewhere, absolute ones nowhere, and thread-local ones offsets.
      guard section != 0, section != 0xFFF1, type & 15 != 6 else { continue }
      let value: UInt64 = try number(at: place + 8)
      guard isIn(value, 0, where: { _ in true }) else { throw Self.outside("one of its symbols") }
    }
    return count
  }

  /// Whether a value is a pointer into the library, as Swift has them, too: to a text's beginning less 32, and with marks in
  /// the upper byte.
  private func isPointer(_ value: UInt64) -> Bool {
    let address = value & 0x00FF_FFFF_FFFF_FFFF
    return isIn(address, 0, where: { _ in true }) || isIn(address &+ 32, 0, where: { _ in true })
  }

  /// Whether addresses from `start` on are in memory that the library brings.
  private func isIn(_ start: UInt64, _ count: UInt64, where isRight: (Segment) -> Bool) -> Bool {
    segments.contains { segment in
      segment.type == 1 && isRight(segment) && start >= segment.address
        && start - segment.address <= segment.memorySize
        && segment.memorySize - (start - segment.address) >= count
    }
  }

  private static func outside(_ what: String) -> ELFFault {
    ELFFault(
      description: "\(what) leads out of the library; it is damaged: fetch or build it again")
  }
}
