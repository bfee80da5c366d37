import CrestRuntime
import Testing

@Suite struct `A pattern of names` {
  @Test(arguments: [
    ("conv1.weight", "conv1.weight", true), ("conv1.weight", "conv1", false),
    ("conv1.weight", "conv1.*", true), ("conv1.weight", "*", true), ("", "*", true),
    ("conv1.weight", "*.weight", true), ("conv1.weight", "c*1*w*t", true),
    ("conv1.weight", "*bias*", false), ("a.b.a.b", "*a.b", true), ("conv1.weight", "", false),
    ("conv1.weight", "Conv1.weight", false), ("étage.0", "é*0", true),
  ])
  func `fits names as a whole, with * for any characters`(
    name: String, pattern: String, fits: Bool
  ) {
    #expect(NamePattern(pattern).fits(name) == fits)
  }

  @Test func `takes time in proportion to both lengths, however it repeats`() {
    let pattern = NamePattern(String(repeating: "a*", count: 2_000) + "b")
    #expect(!pattern.fits(String(repeating: "a", count: 4_000)))
  }

  @Test(arguments: [
    ("fc.wieght", ["fc.weight", "fc.bias"]), ("FC.*", ["fc.weight", "fc.bias"]),
    ("conv.weight", ["conv1.weight", "fc.weight"]), ("layer.*.bias", ["fc.bias", "conv1.weight"]),
  ])
  func `proposes the names that need the fewest changes`(pattern: String, nearest: [String]) {
    let names = ["conv1.weight", "fc.weight", "fc.bias"]
    #expect(NamePattern(pattern).nearest(2, of: names) == nearest)
  }
}
