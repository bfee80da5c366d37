/// How fast a model trains with batches of some sizes, and which size is of use.
public struct BatchSizeFindings: Sendable {
  /// A batch size and what it gave.
  public struct Point: Sendable, Hashable {
    /// The examples of a batch.
    public let batchSize: Int
    /// Training examples per second.
    public let examplesPerSecond: Double

    /// A point of its parts.
    package init(batchSize: Int, examplesPerSecond: Double) {
      self.batchSize = batchSize
      self.examplesPerSecond = examplesPerSecond
    }
  }

  /// The sizes that were tried, in ascending order.
  public let points: [Point]
  /// The gradient noise scale in examples: about the largest batch that is still of use; nil when it could not be told.
  ///
  /// It is of the beginning of training, and grows later.
  public let noiseScale: Double?
  /// The first size whose values don't fit the memory that the process may take; nil when all did.
  public let tooLarge: Int?

  /// The size at which examples pass fastest; nil when none was tried.
  public var fastest: Int? {
    points.max { $0.examplesPerSecond < $1.examplesPerSecond }?.batchSize
  }

  /// The smallest size up to the noise scale that is nearly as fast as any of those; nil when none was tried.
  ///
  /// Nearly is 95 %. Smaller batches take more steps from the same examples.
  public var suggestion: Int? {
    let useful = points.filter { point in noiseScale.map { Double(point.batchSize) <= $0 } ?? true }
    let candidates = useful.isEmpty ? Array(points.prefix(1)) : useful
    let best = candidates.map(\.examplesPerSecond).max() ?? 0
    return candidates.first { $0.examplesPerSecond >= 0.95 * best }?.batchSize
  }

  /// Findings of their parts.
  package init(points: [Point], noiseScale: Double?, tooLarge: Int?) {
    self.points = points
    self.noiseScale = noiseScale
    self.tooLarge = tooLarge
  }
}
