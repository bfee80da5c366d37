import ArgumentParser
import Crest

/// A form of the live estimate as typed, so that the error for a wrong one can say which there are.
struct EstimateOption: ExpressibleByArgument, CustomStringConvertible {
  static let standard = EstimateOption(argument: "\(LearningRateEstimate.Form.smith)")

  private let text: String

  init(argument: String) { text = argument }

  var description: String { text }

  /// The form.
  func form() throws(CommandError) -> LearningRateEstimate.Form {
    guard let form = LearningRateEstimate.Form(text) else { throw .estimateForm(text) }
    return form
  }
}
