public import CrestTensor

/// A loss that doesn't exist or can't be made so, or that doesn't suit the predictions and targets.
public enum LossError: Error, Equatable, Sendable {
  /// A name that no loss has.
  case unknownName(String)
  /// A setting that the loss doesn't have.
  case unknownSetting(loss: String, setting: String, known: [String])
  /// A value that a setting can't have.
  case setting(loss: String, setting: String, value: String, expected: String)
  /// A class axis for a loss without classes.
  case noClasses(loss: String)
  /// A class axis that the predictions don't have, or that is the batch axis.
  case classAxis(loss: String, axis: Int, predictions: Shape)
  /// Another number of weights than there are classes or labels.
  case weights(loss: String, setting: String, expected: Int, got: Int)
  /// Targets that don't fit the predictions.
  case targets(loss: String, expected: String, got: String, advice: String)
}

extension LossError: CustomStringConvertible {
  /// What was expected and got.
  public var description: String {
    switch self {
    case .unknownName(let name):
      "loss: expected one of \(Loss.all.map(\.name).joined(separator: ", ")), got \"\(name)\""
    case .unknownSetting(let loss, let setting, let known):
      "loss \(loss): expected settings \(known.joined(separator: ", ")), got \"\(setting)\""
    case .setting(let loss, let setting, let value, let expected):
      "loss \(loss): \(setting) is \"\(value)\", expected \(expected)"
    case .noClasses(let loss):
      "class axis: expected a loss with classes, \(Loss.crossEntropy().name), got \(loss); omit the axis"
    case .classAxis(let loss, let axis, let predictions):
      "class axis of \(loss): expected an axis of predictions \(predictions.batchText) from 1 to "
        + "\(predictions.rank - 1) (axis 0 is the batch), got \(axis)"
    case .weights(let loss, let setting, let expected, let got):
      "loss \(loss): expected \(expected) \(setting), one for each output of the model, got \(got); give "
        + "one for each, in the order of the outputs"
    case .targets(let loss, let expected, let got, let advice):
      "\(loss): expected \(expected), got \(got); \(advice)"
    }
  }
}
