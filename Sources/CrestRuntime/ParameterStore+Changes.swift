import CCrestKernels
import CrestTensor

/// Sums over parameters of how they change in two steps that follow each other: by c in the first and by d in the second,
/// of learning rates r and s.
package struct ChangeSums: Codable, Sendable, Hashable {
  /// Σ |d|.
  package private(set) var second = 0.0
  /// Σ d².
  package private(set) var secondSquares = 0.0
  /// Σ |c - d|.
  package private(set) var difference = 0.0
  /// Σ (c - d)².
  package private(set) var differenceSquares = 0.0
  /// Σ |c / r - d / s|.
  package private(set) var scaledDifference = 0.0
  /// Σ (c / r - d / s)².
  package private(set) var scaledDifferenceSquares = 0.0

  /// Sums of nothing.
  package init() {}

  /// The kernels' order.
  fileprivate init(_ body: (UnsafeMutablePointer<Double>) -> Void) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: Int(CK_CHANGE_SUMS)) { sums in
      sums.initialize(repeating: 0)
      guard let base = sums.baseAddress else { return }
      body(base)
      (second, secondSquares) = (sums[0], sums[1])
      (difference, differenceSquares) = (sums[2], sums[3])
      (scaledDifference, scaledDifferenceSquares) = (sums[4], sums[5])
    }
  }

  /// Adds the sums over other parameters.
  package static func += (sums: inout ChangeSums, others: ChangeSums) {
    sums.second += others.second
    sums.secondSquares += others.secondSquares
    sums.difference += others.difference
    sums.differenceSquares += others.differenceSquares
    sums.scaledDifference += others.scaledDifference
    sums.scaledDifferenceSquares += others.scaledDifferenceSquares
  }
}

extension ParameterStore {
  /// What is summed up while steps of SGD are made.
  package struct Watch: Sendable, Hashable {
    /// The learning rate of the step before.
    package var previousRate: Double
    /// The sums of the step, as of steps -rate · v.
    package internal(set) var sums = ChangeSums()

    /// A watch over the next step.
    package init(previousRate: Double) { self.previousRate = previousRate }
  }

  /// Sums how a buffer has changed since `before` was copied, and how that differs from `change`, which came before.
  ///
  /// Then `before` is what the buffer holds, and `change` is the change, unless it is empty.
  ///
  /// - Precondition: the range lies in the buffer and in both arrays.
  package func changeSums(
    of buffer: Buffer, in range: Range<Int>, since before: inout [Float],
    after change: inout [Float],
    rates: (previous: Double, now: Double), on engine: Engine
  ) -> ChangeSums {
    let count = withBuffer(buffer, \.count)
    programmerError(
      unless: range.lowerBound >= 0 && range.upperBound <= count && before.count == count
        && (change.isEmpty || change.count == count),
      "changes in \(range) of \(count) values since \(before.count), after \(change.count)")
    return before.withUnsafeMutableBufferPointer { before in
      change.withUnsafeMutableBufferPointer { change in
        ChangeSums { sums in
          guard let before = before.baseAddress else { return }
          let change = change.isEmpty ? nil : change.baseAddress
          engine.exclusively {
            engine.kernels.pointee.change_sums_f32(
              engine.pool, range.count, address(buffer) + range.lowerBound,
              before + range.lowerBound, change.map { $0 + range.lowerBound }, rates.previous,
              rates.now, sums)
          }
        }
      }
    }
  }

  /// A fused step of SGD that is watched: the same bits.
  func updateWatched(
    _ watch: Watch, _ settings: inout ck_update, count: Int, gradients: UnsafePointer<Float>,
    velocity: UnsafeMutablePointer<Float>, parameters: UnsafeMutablePointer<Float>,
    nonfinite: inout UInt32, on engine: Engine
  ) -> ChangeSums {
    ChangeSums { sums in
      engine.kernels.pointee.sgd_watched_f32(
        engine.pool, count, &settings, watch.previousRate, gradients, velocity, parameters,
        &nonfinite, sums)
    }
  }
}
