extension FitResult {
  /// The results of a pass over a set of examples.
  public struct Pass: Sendable, Hashable, Codable {
    /// A metric's name and value.
    public struct MetricValue: Sendable, Hashable, Codable {
      /// The metric's name.
      public let name: String
      /// Its value over all examples of the pass.
      public let value: Double

      /// A value of the metric called `name`.
      public init(name: String, value: Double) {
        self.name = name
        self.value = value
      }
    }

    /// The number of examples whose loss was computed.
    public let exampleCount: Int
    /// The mean loss over them: of training, while the parameters moved.
    public let loss: Double
    /// The metrics, in the learner's order; of training none unless asked for (``Learner/trainMetrics``).
    public let metrics: [MetricValue]
    /// The time the pass took.
    public let duration: Duration

    /// A result of its parts.
    public init(exampleCount: Int, loss: Double, metrics: [MetricValue], duration: Duration) {
      self.exampleCount = exampleCount
      self.loss = loss
      self.metrics = metrics
      self.duration = duration
    }

    /// The time the pass took, in seconds.
    public var seconds: Double { duration / .seconds(1) }

    /// Examples per second.
    public var examplesPerSecond: Double { Double(exampleCount) / seconds }

    /// The value of the metric called `name`; nil when there is none.
    public subscript(name: String) -> Double? { metrics.first { $0.name == name }?.value }
  }
}
