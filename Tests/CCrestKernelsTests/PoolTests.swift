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

/// Chunks of two tasks in the order they began.
private typealias Order = Locked<[(task: Int, chunk: Int)]>

private func note(_ task: Int, _ chunk: Int, _ order: UnsafeMutableRawPointer?) {
  guard let order else { preconditionFailure("the context is lost") }
  Unmanaged<Order>.fromOpaque(order).takeUnretainedValue().withLock { $0.append((task, chunk)) }
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

  @Test(arguments: threadCounts, [(0, 0), (0, 5), (7, 0), (1, 1), (47, 59), (3, 1000), (640, 2)])
  func `two tasks at once run every chunk of both once, in turns`(
    threads: Int, chunks: (first: Int, second: Int)
  ) {
    let order = Order([])
    let context = Unmanaged.passUnretained(order).toOpaque()
    ck_pool_run_both(
      Pool(threads: threads).pointer,
      ck_task(
        chunk_count: chunks.first, body: { context, chunk, _ in note(0, chunk, context) },
        context: context),
      ck_task(
        chunk_count: chunks.second, body: { context, chunk, _ in note(1, chunk, context) },
        context: context))
    let ran = order.withLock { $0 }
    for (number, count) in [chunks.first, chunks.second].enumerated() {
      #expect(ran.filter { $0.task == number }.map(\.chunk).sorted() == Array(0..<count))
    }
    // One thread takes them in order: neither task is ever a whole chunk off its share of what is done.
    guard threads == 1 else { return }
    let all = chunks.first + chunks.second
    var done = 0
    for (position, one) in ran.enumerated() {
      done += one.task == 0 ? 1 : 0
      let share = (position + 1) * chunks.first
      #expect(abs(done * all - share) < all, "\(done) of \(position + 1) chunks are the first's")
    }
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
