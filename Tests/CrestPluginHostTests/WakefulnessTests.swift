import CrestPluginHost
import Testing

@Suite struct `Waiting awake` {
  @Test func `is tried less and less often while it is in vain, and again as soon as it pays`() {
    var wakefulness = Wakefulness(processorCount: 2)
    /// How many waits are begun asleep before one that is not.
    func skipped() -> Int {
      var count = 0
      while !wakefulness.begin() { count += 1 }
      return count
    }
    #expect(skipped() == 0)
    for expected in [1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1023] {
      wakefulness.note(isAnswered: false)
      #expect(skipped() == expected)
    }
    wakefulness.note(isAnswered: true)
    #expect(skipped() == 0)
    #expect(skipped() == 0)
  }

  @Test func `is of no use with one processor, where nobody else could run`() {
    var wakefulness = Wakefulness(processorCount: 1)
    let isAwake = wakefulness.begin()
    #expect(!isAwake)
  }
}
