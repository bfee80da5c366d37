import CrestONNX
import CrestTensor

extension BrokenModel {
  /// Tensors of four floats beside the model, 16 bytes each.
  private static func side(
    _ name: String, _ location: String, _ entries: KeyValuePairs<String, String> = [:],
    _ files: SideFile..., count: Int = 1, dims: Int64 = 4
  ) -> BrokenModel {
    var content = WireContent()
    content.append(1, integer: 8)
    content.append(7) { graph in
      graph.append(
        1, message: NodeDraft("Add", inputs: ["x", "w0"], outputs: ["y"]).content)
      graph.append(11, message: x.content)
      graph.append(12, message: y.content)
      for number in 0..<count {
        graph.append(5) { tensor in
          tensor.append(1, integer: dims)
          tensor.append(2, integer: 1)
          tensor.append(8, text: "w\(number)")
          for (key, value) in [("location", location)] + entries.map({ ($0.key, $0.value) }) {
            tensor.append(13, message: MetadataEntry(key: key, value: value).content)
          }
          tensor.append(14, integer: 1)
        }
      }
    }
    content.append(8) { $0.append(2, integer: 17) }
    return BrokenModel(name, content, files: files)
  }

  private static let good = SideFile.bytes("w.bin", count: 16)

  static let sideFiles: [BrokenModel] = [
    side("a side file above", "../w.bin"),
    side("a side file above, in disguise", "sub/../../w.bin", [:], .folder("sub")),
    side("a side file anywhere", "/etc/passwd"),
    side("a side file without name", ""),
    side("a side file behind a backslash", "..\\w.bin"),
    side("a side file with a zero byte", "w.bin\u{0}.txt", [:], good),
    side("a side file that is a link", "link.bin", [:], good, .link("link.bin", to: "w.bin")),
    side(
      "a side file that is a link to anywhere", "link.bin", [:],
      .link("link.bin", to: "/etc/passwd")),
    side("a side file below a link", "sub/w.bin", [:], .link("sub", to: "/tmp")),
    side("a side file with two names", "other.bin", [:], good, .hardLink("other.bin", to: "w.bin")),
    side("a side file that is a pipe", "pipe", [:], .pipe("pipe")),
    side("a side file that is a folder", "sub", [:], .folder("sub")),
    side("a side file that isn't there", "w.bin"),
    side("a side file of one byte less", "w.bin", [:], .bytes("w.bin", count: 15)),
    side("a side file of one byte more", "w.bin", [:], .bytes("w.bin", count: 17)),
    side("a length of one byte less", "w.bin", ["length": "15"], good),
    side("a negative length", "w.bin", ["length": "-16"], good),
    side("a length of 2^64", "w.bin", ["length": "18446744073709551616"], good),
    side("a negative offset", "w.bin", ["offset": "-1"], good),
    side("an offset that is no number", "w.bin", ["offset": "1e3"], good),
    side("an offset beyond", "w.bin", ["offset": "16", "length": "16"], good),
    side(
      "an offset that overflows", "w.bin", ["offset": "9223372036854775807", "length": "16"], good),
    side("a location twice", "w.bin", ["location": "w.bin"], good),
    side(
      "a thousand tensors of the same bytes", "w.bin", ["offset": "0"],
      .bytes("w.bin", count: 1 << 16),
      count: 1000, dims: 1 << 14),
    side(
      "a hole of 2^40 bytes", "w.bin", ["offset": "0"], .holes("w.bin", byteCount: 1 << 40),
      dims: 1 << 38),
    side("2^62 elements in a side file", "w.bin", [:], good, dims: 1 << 62),
  ]
}
