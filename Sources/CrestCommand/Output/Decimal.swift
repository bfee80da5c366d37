import Foundation

/// A number with a fixed count of decimal places, for people; JSON and logs get all digits.
func decimal(_ value: Double, _ places: Int) -> String {
  String(format: "%.\(places)f", value)
}
