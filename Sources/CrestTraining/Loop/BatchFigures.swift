package import CrestOptimizers

/// The numbers of a batch that change between hooks, of the fit that a learner runs.
///
/// They lie in memory of their own because plugins are told them at every hook: a stored property of a class
/// in another module costs a call and a check of exclusive access, which together take longer than the rest
/// of an event.
package struct BatchFigures {
  /// The number of the pass, in all fits of the learner, from 1.
  package internal(set) var pass = 0
  /// How the batch, the backward pass or the step ended: 0 when it has not, 1 when it did all it had to do, 2 in
  /// another way, which ``PhaseContext/outcome`` tells.
  package internal(set) var ending: Int32 = 0
  // From here on as in `crest_event`, so that they are copied as a whole.
  /// As in ``BatchContext``.
  package internal(set) var index = 0
  /// As in ``BatchContext``.
  package internal(set) var step = 0
  /// As in ``BatchContext``.
  package internal(set) var count = 0
  /// As in ``BatchContext``.
  package internal(set) var loss = Double.nan
  /// As in ``FitContext``.
  package internal(set) var smoothedLoss = Double.nan
  /// Those in effect.
  package internal(set) var hyperparameters: Hyperparameters

  /// Owns the memory.
  final class Owner {
    let pointer: UnsafeMutablePointer<BatchFigures>

    init(_ hyperparameters: Hyperparameters) {
      pointer = .allocate(capacity: 1)
      pointer.initialize(to: BatchFigures(hyperparameters: hyperparameters))
    }

    deinit { pointer.deallocate() }
  }
}
