import CrestFiles
import CrestPlatform
import CrestTensor

/// A thread that makes batches in order, at most `depth` ahead of the consumer.
final class Prefetcher {
  private let queue: Queue
  private let thread: pthread_t
  private var isJoined = false

  /// Starts to make the batches of `numbers`.
  ///
  /// - Throws: ``DataError/noThread(reason:)``.
  init(
    depth: Int, numbers: Range<Int>, make: @escaping @Sendable (Int) throws -> Batch
  ) throws(DataError) {
    let queue = Queue(depth: depth)
    let work = Work(queue: queue, numbers: numbers, make: make)
    self.queue = queue
    thread = try startThread(work)
  }

  deinit { stop() }

  /// The next batch, once it is ready.
  ///
  /// - Precondition: not all have been taken, and none has failed.
  func next() throws -> Batch {
    try queue.take().get()
  }

  /// Ends the thread after the current batch, and waits for it.
  func stop() {
    if isJoined { return }
    isJoined = true
    queue.close()
    let status = pthread_join(thread, nil)
    programmerError(unless: status == 0, "pthread_join failed with \(status)")
  }
}

/// The thread's work.
private final class Work: Sendable {
  private let queue: Queue
  private let numbers: Range<Int>
  private let make: @Sendable (Int) throws -> Batch

  init(queue: Queue, numbers: Range<Int>, make: @escaping @Sendable (Int) throws -> Batch) {
    self.queue = queue
    self.numbers = numbers
    self.make = make
  }

  func run() {
    for number in numbers {
      guard queue.waitForRoom() else { return }
      let result = Result { try make(number) }
      queue.put(result)
      if case .failure = result { return }
    }
  }
}

/// Starts a joinable thread that runs `work`.
private func startThread(_ work: Work) throws(DataError) -> pthread_t {
  let argument = Unmanaged.passRetained(work)
  #if canImport(Darwin)
    var thread: pthread_t?
    let status = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    if status == 0, let thread { return thread }
  #else
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, argument.toOpaque())
    if status == 0 { return thread }
  #endif
  argument.release()
  throw .noThread(reason: systemMessage(status))
}

/// A first-in-first-out queue between the thread and the consumer.
private final class Queue: Sendable {
  private struct State {
    var results: [Result<Batch, any Error>] = []
    var isClosed = false
  }

  private let depth: Int
  private let state = Condition(State())

  init(depth: Int) {
    self.depth = depth
  }

  /// Waits until fewer than `depth` results are in the queue; false if it was closed.
  func waitForRoom() -> Bool {
    state.withLock(when: { $0.isClosed || $0.results.count < depth }) { !$0.isClosed }
  }

  func put(_ result: Result<Batch, any Error>) {
    state.withLock { $0.results.append(result) }
  }

  /// Waits for a result and takes it.
  func take() -> Result<Batch, any Error> {
    state.withLock(when: { !$0.results.isEmpty }) { $0.results.removeFirst() }
  }

  func close() {
    state.withLock { $0.isClosed = true }
  }
}
