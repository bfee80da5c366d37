import CrestGraph
package import CrestRuntime

/// An optimiser that computes gradients at other weights than those to predict with.
///
/// In a fit the store holds the former; the learner has the latter in it from validation to the next epoch, and after the
/// fit, so that what is measured, saved by its results and used is the average.
package protocol AveragingOptimizer: Optimizer {
  /// Gives the store the weights to predict with, in place of those that train.
  func toAverage(_ store: ParameterStore)
  /// Gives the store the weights to train, in place of those to predict with.
  func toTraining(_ store: ParameterStore)
}

/// What both schedule-free optimisers do: the share of a step's z in the average, and the way between y and x.
///
/// The store holds y. The first moment is e = z - x, from which x = y - (1 - β) e: as it begins at 0, a parameter that is
/// frozen for a while, or that other weights were loaded into, averages from where it is.
struct ScheduleFreeAverage: Sendable, Equatable {
  /// β, the part of x in y.
  let beta: Double

  /// W, and the highest rate so far.
  static let numberCount = 2

  /// c = r² / W after W ← W + r², of the highest rate r so far.
  func part(_ store: ParameterStore, _ groups: [ParameterGroup]) -> Double {
    var numbers = store.optimizerNumbers
    let rate = groups.reduce(numbers[1]) { max($0, $1.hyperparameters.learningRate) }
    let sum = numbers[0] + rate * rate
    (numbers[0], numbers[1]) = (sum, rate)
    store.optimizerNumbers = numbers
    return sum > 0 ? rate * rate / sum : 0
  }

  func move(_ store: ParameterStore, toAverage: Bool) {
    let factor = Float(toAverage ? beta - 1 : 1 - beta)
    store.withBuffer(.parameters) { weights in
      store.withBuffer(.moments(0)) { distances in
        for index in weights.indices { weights[index] += factor * distances[index] }
      }
    }
  }
}
