/// The orders of the shipped callbacks, which are fastai's where it has them.
///
/// What checks a loss comes before what reports it, what reports an epoch before what ends the fit for it.
enum CallbackOrder {
  static let finder = Int.min
  static let check = -9
  static let recorder = 50
  static let logger = 51
  static let scheduler = 60
  static let progress = 61
  static let stopper = 63
}
