import CrestTensor

/// What the settings of transforms may be.
extension NumberRange {
  static let share = NumberRange("in 0 … 1") { $0 >= 0 && $0 <= 1 }
  static let positiveShare = NumberRange("above 0, at most 1") { $0 > 0 && $0 <= 1 }
  static let belowOne = NumberRange("at least 0, below 1") { $0 >= 0 && $0 < 1 }
  static let belowHalf = NumberRange("at least 0, below 0.5") { $0 >= 0 && $0 < 0.5 }
  static let half = NumberRange("in 0 … 0.5") { $0 >= 0 && $0 <= 0.5 }
  static let angle = NumberRange("in 0 … 180") { $0 >= 0 && $0 <= 180 }
  static let shear = NumberRange("in 0 … 80") { $0 >= 0 && $0 <= 80 }
  static let zoom = NumberRange("in 0.1 … 10") { $0 >= 0.1 && $0 <= 10 }
  static let aspect = NumberRange("in 1 … 100") { $0 >= 1 && $0 <= 100 }
  static let concentration = NumberRange("above 0, at most 1000") { $0 > 0 && $0 <= 1000 }
  static let deviation = NumberRange("in 0.1 … 100") { $0 >= 0.1 && $0 <= 100 }
  static let blurSize = NumberRange("odd, in 3 … 101") {
    $0 >= 3 && $0 <= 101 && $0.remainder(dividingBy: 2).magnitude == 1
  }
  static let count = NumberRange("from 0 up") { $0 >= 0 }
  static let positiveCount = NumberRange("from 1 up") { $0 >= 1 }
  static let operations = NumberRange("in 1 … 14") {
    $0 >= 1 && $0 <= 14 && $0 == $0.rounded()
  }
  static let bin = NumberRange("in 0 … 30") {
    $0 >= 0 && $0 <= 30 && $0 == $0.rounded()
  }
}
