/// Why a file is no library that can be loaded.
package struct ELFFault: Error, Equatable, CustomStringConvertible {
  package let description: String
}

/// A shared library as a file, read within its bounds (*System V Application Binary Interface*, chapters 4
/// and 5; 64 bits, this machine's byte order).
///
/// The system's loader maps what headers promise without looking at the file's size, and a process that touches
/// a page beyond its end is killed. So everything that headers promise is checked against the file first.
package struct ELFFile {
  let bytes: [UInt8]
  private(set) var segments: [Segment] = []
  private var sections: [Section] = []

  struct Segment {
    let type, flags: UInt32
    let offset, address, fileSize, memorySize: UInt64

    var isExecutable: Bool { flags & 1 != 0 }
    var isWritable: Bool { flags & 2 != 0 }
  }

  struct Section {
    let type, link: UInt32
    let offset, size, entrySize: UInt64
  }

  private struct Symbol {
    let type: UInt8
    let value, size: UInt64
  }

  #if arch(x86_64)
    private static let machine = (number: UInt16(62), name: "x86-64")
  #elseif arch(arm64)
    private static let machine = (number: UInt16(183), name: "AArch64")
  #else
    private static let machine = (number: UInt16(0), name: "an unknown machine")
  #endif

  /// Reads the headers of a library.
  ///
  /// - Throws: ``ELFFault`` when it is something else, for another machine, or cut short.
  package init(_ bytes: [UInt8]) throws(ELFFault) {
    self.bytes = bytes
    guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else {
      throw ELFFault(description: "it is not a shared library: it doesn't begin as an ELF file")
    }
    guard bytes.count >= 64 else { throw Self.cut(expected: 64, got: bytes.count) }
    guard bytes[4] == 2, bytes[5] == 1 else {
      throw ELFFault(
        description: "it is for another machine: expected 64-bit little-endian; build it "
          + "for \(Self.machine.name)")
    }
    let machine: UInt16 = try number(at: 18)
    guard machine == Self.machine.number else {
      throw ELFFault(
        description: "it is for another machine: expected number \(Self.machine.number) "
          + "(\(Self.machine.name)), got \(machine); build it for this one")
    }
    let type: UInt16 = try number(at: 16)
    guard type == 3 else {
      throw ELFFault(
        description: "it is not a shared library: expected an ELF file of type 3, got \(type)")
    }
    try readSections()
    try readSegments()
  }

  private mutating func readSections() throws(ELFFault) {
    let start: UInt64 = try number(at: 40)
    let size: UInt16 = try number(at: 58)
    let count: UInt16 = try number(at: 60)
    guard size == 64, count > 0 else {
      throw ELFFault(
        description: "it has no section table; build the library again, and don't strip that table")
    }
    try require(start, UInt64(count) * 64)
    for index in 0..<UInt64(count) {
      let place = start + index * 64
      let section = Section(
        type: try number(at: place + 4), link: try number(at: place + 40),
        offset: try number(at: place + 24), size: try number(at: place + 32),
        entrySize: try number(at: place + 56))
      // Type 8 has memory and no bytes in the file.
      if section.type != 8 { try require(section.offset, section.size) }
      sections.append(section)
    }
  }

  private mutating func readSegments() throws(ELFFault) {
    let start: UInt64 = try number(at: 32)
    let size: UInt16 = try number(at: 54)
    let count: UInt16 = try number(at: 56)
    guard size == 56, count > 0 else {
      throw ELFFault(description: "it has no segment table; build the library again")
    }
    try require(start, UInt64(count) * 56)
    for index in 0..<UInt64(count) {
      let place = start + index * 56
      let segment = Segment(
        type: try number(at: place), flags: try number(at: place + 4),
        offset: try number(at: place + 8),
        address: try number(at: place + 16), fileSize: try number(at: place + 32),
        memorySize: try number(at: place + 40))
      try require(segment.offset, segment.fileSize)
      guard segment.type != 1 || segment.fileSize <= segment.memorySize else {
        throw ELFFault(
          description: "a segment has more bytes in the file than in memory; it is damaged")
      }
      guard segment.type != 3 else {
        throw ELFFault(description: "it is a program, not a library; build it with -shared")
      }
      segments.append(segment)
    }
    guard segments.contains(where: { $0.type == 1 }), segments.contains(where: { $0.type == 2 })
    else {
      throw ELFFault(description: "it has nothing to load; build the library again")
    }
  }

  /// What the library says about itself.
  ///
  /// - Throws: ``ELFFault`` when one of the two symbols of a plugin is missing.
  package func stamp() throws(ELFFault) -> LibraryStamp {
    let symbols = try symbols(["crest_plugin_stamp_v1", "crest_plugin_v1"])
    guard let entry = symbols[1], entry.type == 2 else {
      throw ELFFault(
        description: "there is no function crest_plugin_v1; export it (CREST_PLUGIN_EXPORT in C, "
          + "@c(crest_plugin_v1) public func in Swift)")
    }
    guard let stamp = symbols[0], stamp.type == 1 else {
      throw ELFFault(
        description: "there is no stamp crest_plugin_stamp_v1; add CREST_PLUGIN_STAMP once")
    }
    let least = UInt64(LibraryStamp.leastSize)
    guard stamp.size >= least else {
      throw ELFFault(
        description:
          "its stamp has \(stamp.size) bytes, expected at least \(least); build it again "
          + "with this version's header")
    }
    let home = segments.first { segment in
      segment.type == 1 && stamp.value >= segment.address
        && stamp.value - segment.address <= segment.fileSize
        && segment.fileSize - (stamp.value - segment.address) >= least
    }
    guard let home else {
      throw ELFFault(description: "its stamp is not in the file; it must be constant data")
    }
    let place = home.offset + (stamp.value - home.address)
    let text = bytes[Int(place) + 16..<Int(place) + Int(least)].prefix { $0 != 0 }
    return LibraryStamp(
      size: try number(at: place), magic: try number(at: place + 4),
      major: try number(at: place + 8),
      minor: try number(at: place + 12), headerHash: String(decoding: text, as: UTF8.self))
  }

  /// The table of symbols that are exported or needed.
  var symbolTable: Section? { sections.first { $0.type == 11 && $0.entrySize == 24 } }

  /// The defined symbols of these names that the library exports.
  private func symbols(_ names: [String]) throws(ELFFault) -> [Symbol?] {
    guard let table = symbolTable, Int(table.link) < sections.count else {
      throw ELFFault(description: "it exports nothing, so it is not a plugin")
    }
    let texts = sections[Int(table.link)]
    // The table may link to a section without bytes, whose place was not checked.
    try require(texts.offset, texts.size)
    let wanted = names.map { Array($0.utf8) + [0] }
    var found = [Symbol?](repeating: nil, count: names.count)
    for index in 0..<table.size / 24 {
      let place = table.offset + index * 24
      let name: UInt32 = try number(at: place)
      guard UInt64(name) < texts.size else {
        throw ELFFault(description: "the name of a symbol lies outside of its table; it is damaged")
      }
      let rest = bytes[Int(texts.offset + UInt64(name))..<Int(texts.offset + texts.size)]
      guard let which = wanted.firstIndex(where: { rest.starts(with: $0) }) else { continue }
      let section: UInt16 = try number(at: place + 6)
      guard section != 0 else { continue }
      found[which] = Symbol(
        type: bytes[Int(place) + 4] & 15, value: try number(at: place + 8),
        size: try number(at: place + 16))
    }
    return found
  }

  /// Checks that `count` bytes from `offset` on are in the file.
  private func require(_ offset: UInt64, _ count: UInt64) throws(ELFFault) {
    let (end, isTooLarge) = offset.addingReportingOverflow(count)
    guard !isTooLarge, end <= UInt64(bytes.count) else {
      throw Self.cut(expected: isTooLarge ? nil : end, got: bytes.count)
    }
  }

  private static func cut(expected: UInt64?, got: Int) -> ELFFault {
    let size = expected.map { "at least \($0)" } ?? "more than a file can have"
    return ELFFault(
      description: "it is truncated: expected \(size) bytes, got \(got); fetch it again")
  }

  func number<Number: FixedWidthInteger>(at offset: UInt64) throws(ELFFault) -> Number {
    let size = MemoryLayout<Number>.size
    try require(offset, UInt64(size))
    return (0..<size).reduce(0) {
      $0 | Number(truncatingIfNeeded: bytes[Int(offset) + $1]) << ($1 * 8)
    }
  }
}
