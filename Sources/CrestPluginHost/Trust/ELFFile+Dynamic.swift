/// What a library asks of the system's loader.
extension ELFFile {
  struct Dynamic: Equatable {
    /// The libraries it needs (`DT_NEEDED`).
    var needed: [String] = []
    /// Its name for those that need it (`DT_SONAME`); empty when it has none.
    var name = ""
    /// The folders it wants them to be looked for in (`DT_RUNPATH`, else `DT_RPATH`).
    var runPath: [String] = []
  }

  /// Tags of entries whose libraries the loader would run without being needed, with their names.
  private static let refusedTags: [UInt64: String] = [
    0x6FFF_FEFC: "DT_AUDIT", 0x6FFF_FEFB: "DT_DEPAUDIT", 0x7FFF_FFFF: "DT_FILTER",
    0x7FFF_FFFD: "DT_AUXILIARY",
  ]

  /// Reads the dynamic section as the loader does, by its address in memory.
  ///
  /// - Throws: ``ELFFault`` when it is damaged, or asks for libraries to be run that it doesn't need.
  func dynamic() throws(ELFFault) -> Dynamic {
    let entries = try dynamicEntries()
    func values(_ tag: UInt64) -> [UInt64] { entries.filter { $0.tag == tag }.map(\.value) }
    for (tag, name) in Self.refusedTags where !values(tag).isEmpty {
      throw ELFFault(
        description: "it asks for other libraries to be loaded by \(name); build it without")
    }
    guard let address = values(5).last, let size = values(10).last else { return Dynamic() }
    let texts = try place(of: address, count: size)
    func text(_ offset: UInt64) throws(ELFFault) -> String {
      guard offset < size else {
        throw ELFFault(
          description: "the name of a library lies outside of its table; it is damaged")
      }
      let rest = bytes[Int(texts + offset)..<Int(texts + size)].prefix { $0 != 0 }
      return String(decoding: rest, as: UTF8.self)
    }
    var dynamic = Dynamic()
    for offset in values(1) { dynamic.needed.append(try text(offset)) }
    if let offset = values(14).last { dynamic.name = try text(offset) }
    if let offset = values(29).last ?? values(15).last {
      dynamic.runPath = try text(offset).split(separator: ":").map(String.init)
    }
    return dynamic
  }

  /// The entries of the dynamic section.
  func dynamicEntries() throws(ELFFault) -> [(tag: UInt64, value: UInt64)] {
    guard let segment = segments.first(where: { $0.type == 2 }) else { return [] }
    let start = try place(of: segment.address, count: segment.memorySize)
    var entries: [(tag: UInt64, value: UInt64)] = []
    for index in 0..<segment.memorySize / 16 {
      let tag: UInt64 = try number(at: start + index * 16)
      if tag == 0 { break }
      entries.append((tag, try number(at: start + index * 16 + 8)))
    }
    return entries
  }

  /// Where in the file what lies at an address in memory is.
  func place(of address: UInt64, count: UInt64) throws(ELFFault) -> UInt64 {
    let home = segments.first { segment in
      segment.type == 1 && address >= segment.address
        && address - segment.address <= segment.fileSize
        && segment.fileSize - (address - segment.address) >= count
    }
    guard let home else {
      throw ELFFault(description: "its dynamic section is not in the file; it is damaged")
    }
    return home.offset + (address - home.address)
  }
}
