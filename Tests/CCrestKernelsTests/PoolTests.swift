import CCrestKernels
import Testing

/// Which chunks ran, and whether one worker number ever ran two at once.
private final class Record: Sendable {
  struct State {
    var runs: [Int]
    var busyWorkers: Set<Int> = []
    var workers: Set<Int> = []
    var overlapped = false
  }

  let state: Locked<State>

  init(chunks: Int) { state = Locked(State(runs: Array(repeating: 0, count: chunks))) }

  func begin(_ chunk: Int, _ worker: Int) {
    state.withLock {
      $0.runs[chunk] += 1
      $0.workers.insert(worker)
      $0.overlapped = !$0.busyWorkers.insert(worker).inserted || $0.overlapped
    }
  }

  func end(_ worker: Int) {
    state.withLock { _ = $0.busyWorkers.remove(worker) }
  }
}

struct PoolTests {
  @Test(arguments: threadCounts, [0, 1, 2, 7, 64, 1000])
  func `every chunk runs once, and no worker number twice at a time`(threads: Int, chunks: Int) {
    let pool = Pool(threads: threads)
    #expect(ck_pool_thread_count(pool.pointer) == threads)
    let record = Record(chunks: chunks)
    ck_pool_run(
      pool.pointer, chunks,
      { context, chunk, worker in
        guard let context else { preconditionFailure("the context is lost") }
        let record = Unmanaged<Record>.fromOpaque(context).takeUnretainedValue()
        record.begin(chunk, worker)
        record.end(worker)
      }, Unmanaged.passUnretained(record).toOpaque())
    let state = record.state.withLock { $0 }
    #expect(state.runs.allSatisfy { $0 == 1 })
    #expect(!state.overlapped)
    #expect(state.workers.allSatisfy { $0 < threads })
  }

  /// Each run's chunks must be done, with that run's context, before the next begins.
  @Test(arguments: threadCounts)
  func `rapid runs never mix`(threads: Int) {
    struct Run {
      var number: Int
      var cells: UnsafeMutablePointer<Int>
    }
    let pool = Pool(threads: threads)
    let most = 9
    let cells = UnsafeMutablePointer<Int>.allocate(capacity: most)
    defer { cells.deallocate() }
    cells.initialize(repeating: -1, count: most)
    var mistakes = 0
    for number in 0..<5000 {
      let chunks = number % (most + 1)
      var run = Run(number: number, cells: cells)
      ck_pool_run(
        pool.pointer, chunks,
        { context, chunk, _ in
          guard let run = context?.load(as: Run.self) else { preconditionFailure("no context") }
          run.cells[chunk] = run.number
        }, &run)
      for chunk in 0..<chunks where cells[chunk] != number { mistakes += 1 }
    }
    #expect(mistakes == 0)
  }

  @Test func `a pool may be destroyed as soon as its run returns`() throws {
    for number in 0..<100 {
      let record = Record(chunks: 3)
      let pool = try #require(ck_pool_create(1 + number % 4))
      ck_pool_run(
        pool, 3,
        { context, chunk, worker in
          guard let context else { preconditionFailure("the context is lost") }
          let record = Unmanaged<Record>.fromOpaque(context).takeUnretainedValue()
          record.begin(chunk, worker)
          record.end(worker)
        }, Unmanaged.passUnretained(record).toOpaque())
      ck_pool_destroy(pool)
      #expect(record.state.withLock { $0.runs } == [1, 1, 1])
    }
  }

  @Test(arguments: [0, Int.max])
  func `no pool has this many threads`(threads: Int) {
    #expect(ck_pool_create(threads) == nil)
  }
}
