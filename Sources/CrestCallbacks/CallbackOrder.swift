/// The orders of the shipped callbacks, which are fastai's where it has them.
///
/// What checks a loss comes before what reports it, what reports an epoch before what ends the fit for it, and
/// what saves the run after everything else, so that everyone's state is that of the same moment.
enum CallbackOrder {
  static let finder = Int.min
  static let check = -9
  static let average = -8
  static let accumulation = 6
  static let clip = 11
  static let recorder = 50
  static let logger = 51
  static let scheduler = 60
  static let progress = 61
  static let reducer = 62
  static let stopper = 63
  static let checkpoint = Int.max
}
