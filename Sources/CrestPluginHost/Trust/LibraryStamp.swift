import CCrestPlugin

extension PluginInterface {
  /// The version of this host.
  public static let current = PluginInterface(
    major: Int(CREST_PLUGIN_MAJOR), minor: Int(CREST_PLUGIN_MINOR))

  /// The hash of `crest_plugin.h` in each released minor version of this major one, by minor version.
  ///
  /// A line is added with every version and none is ever changed: a plugin made with a header of the same
  /// number and other contents would read structs wrongly.
  package static let headerHashes = [
    "e064c5c068e4db20d805f83fcb01cf73d2a18f86bf249685b0ddec902c8bb122"
  ]
}

/// What a library says about itself in constant data (`crest_plugin_stamp`), read from its file.
package struct LibraryStamp: Equatable {
  let size: UInt32
  let magic: UInt32
  let major: UInt32
  let minor: UInt32
  package let headerHash: String

  /// The bytes of the struct in version 1.0.
  package static let leastSize = MemoryLayout<crest_plugin_stamp>.size

  /// Why this host can't load it; nil when it can.
  package func objection(interface: Range<PluginInterface>) -> String? {
    let current = PluginInterface.current
    guard magic == UInt32(CREST_PLUGIN_MAGIC) else {
      return "its stamp begins with the number \(hexadecimal(magic)), expected "
        + "\(hexadecimal(UInt32(CREST_PLUGIN_MAGIC))); it is not a Crest plugin"
    }
    guard (Self.leastSize..<4096).contains(Int(size)) else {
      return "its stamp has \(size) bytes, expected \(Self.leastSize) to 4095; build it again with "
        + "this version's header"
    }
    guard major == UInt32(current.major), minor <= UInt32(current.minor) else {
      return "it was built for version \(major).\(minor) of the interface, expected "
        + "\(current.major).0 to \(current); "
        + (major > UInt32(current.major) || major == UInt32(current.major)
          ? "use a newer crest" : "build it again with this version's header")
    }
    let expected = PluginInterface.headerHashes[Int(minor)]
    guard headerHash == expected else {
      return
        "it was built with a modified crest_plugin.h: the header's hash is \(headerHash), that of "
        + "version \(major).\(minor) is \(expected); build it again with the released header"
    }
    let own = PluginInterface(major: Int(major), minor: Int(minor))
    guard interface.contains(own) else {
      return "it was built for version \(own) of the interface, but its manifest says from "
        + "\(interface.lowerBound) and below \(interface.upperBound); correct the manifest"
    }
    return nil
  }
}

/// As in `0x54535243`.
func hexadecimal(_ number: UInt32) -> String {
  let digits = String(number, radix: 16)
  return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}
