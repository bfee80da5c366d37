import CrestPluginHost
import ONNXTestSupport
import ReaderFuzzing
import Testing

/// A short run of `script/campaign fuzz-readers`, which searches far longer and under the address sanitizer.
@Suite("Readers of what others have made") struct ReaderFuzzTests {
  private static let seed: UInt64 = 15
  private static let count = 600

  @Test(arguments: FuzzedReader.all.map(\.name))
  func `take good inputs, and refuse damaged ones in their own words`(name: String) throws {
    let reader = try #require(FuzzedReader.named(name))
    let seeds = try reader.seeds()
    let read = try reader.begin()
    var accepted = 0
    for input in seeds where try read(input) { accepted += 1 }
    #expect(accepted > 0, "no good input is accepted")
    let inputs = try seeds + KeptInputs.read(reader)
    var refused = 0
    for input in inputs where try !read(input) { refused += 1 }
    for number in 0..<Self.count {
      var random = SplitMix(seed: Self.seed, case: number)
      var input = random.element(of: inputs)
      for _ in 0...random.below(4) { damage(&input, with: random.element(of: inputs), &random) }
      do {
        if try !read(input) { refused += 1 }
      } catch {
        Issue.record("seed \(Self.seed), input \(number), \(input): \(error)")
      }
    }
    #expect(refused > Self.count / 10)
  }

  /// Such a section has no bytes in the file, so that its place and size may be anything.
  @Test func `a library whose names of symbols are in a section without bytes is refused`() throws {
    var bytes = SmallLibrary.bytes
    let header = bytes.count - 64
    bytes[header + 4] = 8
    bytes[header + 24 + 5] = 1
    let size = bytes.count
    do throws(ELFFault) {
      _ = try ELFFile(bytes).stamp()
      Issue.record("it was accepted")
    } catch {
      #expect(
        error.description.hasPrefix("it is truncated: expected at least 10995")
          && error.description.hasSuffix(" bytes, got \(size); fetch it again"), "\(error)")
    }
  }

  /// Changes bytes, cuts, repeats, or goes on as another input.
  private func damage(_ input: inout [UInt8], with other: [UInt8], _ random: inout SplitMix) {
    guard !input.isEmpty else {
      input = other
      return
    }
    let place = random.below(input.count)
    switch random.below(7) {
    case 0: input[place] ^= 1 << UInt8(random.below(8))
    case 1: input[place] = random.element(of: [0, 1, 0x22, 0x2C, 0x5D, 0x7D, 0x7F, 0x80, 0xFF])
    case 2: input.remove(at: place)
    case 3: input.insert(input[random.below(input.count)], at: place)
    case 4: input.removeSubrange(place..<min(input.count, place + 1 + random.below(16)))
    case 5: input = input.prefix(place) + other.suffix(random.below(other.count + 1))
    default: if random.below(6) == 0 { input.removeSubrange(place...) }
    }
  }
}
