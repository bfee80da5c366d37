package import CrestTensor

/// A date of the Gregorian calendar, with a time of day.
package struct TableDate: Sendable, Hashable {
  /// Seconds since 1970 on the clock of its place.
  private let seconds: Int64
  /// How far that clock is ahead of UTC, in seconds.
  private let offset: Int32
  /// The year, as the calendar is slow.
  private let year: Int32

  /// What stands for a date that is missing.
  static let missing = TableDate(seconds: .min, offset: 0, year: 0)

  var isMissing: Bool { seconds == .min }

  private init(seconds: Int64, offset: Int32, year: Int32) {
    (self.seconds, self.offset, self.year) = (seconds, offset, year)
  }

  /// What a text is.
  enum Reading {
    case date(TableDate)
    /// It has the form of one, but isn't in the calendar.
    case impossible
    case other
  }

  /// Reads a date: three numbers separated by `-`, `/` or `.`, the year of four digits; perhaps `T` or a space and a time
  /// as in 13:05, 13:05:09.25 or 13:05:09+01:00.
  static func reading(
    _ bytes: UnsafeBufferPointer<UInt8>, order: TableFormat.DateOrder
  ) -> Reading {
    guard (8...40).contains(bytes.count) else { return .other }
    var text = Text(bytes: bytes)
    var numbers: [Int] = []
    let yearPlace = order == .yearMonthDay ? 0 : 2
    var separator: UInt8?
    for place in 0..<3 {
      guard let number = text.number(place == yearPlace ? 4...4 : 1...2) else { return .other }
      numbers.append(number)
      guard place < 2 else { break }
      guard let byte = text.take(of: "-/."), separator ?? byte == byte else { return .other }
      separator = byte
    }
    let (year, month, day) =
      switch order {
      case .yearMonthDay: (numbers[0], numbers[1], numbers[2])
      case .dayMonthYear: (numbers[2], numbers[1], numbers[0])
      case .monthDayYear: (numbers[2], numbers[0], numbers[1])
      }
    var (time, offset, isPossible) = (0, 0, true)
    if text.take(of: "T ") != nil {
      guard let hour = text.number(1...2), text.take(of: ":") != nil,
        let minute = text.number(2...2)
      else { return .other }
      var second = 0
      if text.take(of: ":") != nil {
        guard let number = text.number(2...2) else { return .other }
        second = number
        if text.take(of: ".,") != nil, text.number(1...9) == nil { return .other }
      }
      if let sign = text.take(of: "+-") {
        guard let hours = text.number(2...2) else { return .other }
        _ = text.take(of: ":")
        let minutes = text.number(2...2) ?? 0
        isPossible = hours < 24 && minutes < 60
        offset = (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -60 : 60)
      } else {
        _ = text.take(of: "Z")
      }
      isPossible = isPossible && hour < 24 && minute < 60 && second < 60
      time = (hour * 60 + minute) * 60 + second
    }
    guard text.isAtEnd else { return .other }
    guard isPossible, year >= 1, (1...12).contains(month),
      (1...daysIn(month, of: year)).contains(day)
    else { return .impossible }
    return .date(
      TableDate(
        seconds: Int64(days(before: year, month, day) * 86_400 + time), offset: Int32(offset),
        year: Int32(year)))
  }

  /// The bytes of a date that aren't read.
  private struct Text {
    let bytes: UnsafeBufferPointer<UInt8>
    var place = 0

    var isAtEnd: Bool { place == bytes.count }

    mutating func take(of choices: StaticString) -> UInt8? {
      guard place < bytes.count else { return nil }
      let byte = bytes[place]
      guard choices.withUTF8Buffer({ $0.contains(byte) }) else { return nil }
      place += 1
      return byte
    }

    mutating func number(_ digits: ClosedRange<Int>) -> Int? {
      var (value, count) = (0, 0)
      while place < bytes.count, bytes[place] &- UInt8(ascii: "0") < 10, count < digits.upperBound {
        value = value * 10 + Int(bytes[place] - UInt8(ascii: "0"))
        (place, count) = (place + 1, count + 1)
      }
      return digits.contains(count) ? value : nil
    }
  }

  private static func isLeap(_ year: Int) -> Bool {
    year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
  }

  private static func daysIn(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// The days from 1970's first to a date.
  private static func days(before year: Int, _ month: Int, _ day: Int) -> Int {
    let past = year - 1
    let toYear = past * 365 + past / 4 - past / 100 + past / 400 - 719_162
    return (1..<month).reduce(toYear + day - 1) { $0 + daysIn($1, of: year) }
  }

  /// The days since 1970.
  private var days: Int {
    let day = seconds / 86_400
    return Int(seconds % 86_400 < 0 ? day - 1 : day)
  }

  private var secondOfDay: Int { Int(seconds - Int64(days) * 86_400) }

  /// The month, the day of the month and the day of the year, from 1.
  private var calendar: (month: Int, day: Int, dayOfYear: Int) {
    let year = Int(year)
    var rest = days - Self.days(before: year, 1, 1)
    let dayOfYear = rest + 1
    var month = 1
    while rest >= Self.daysIn(month, of: year) {
      rest -= Self.daysIn(month, of: year)
      month += 1
    }
    return (month, rest + 1, dayOfYear)
  }

  /// Monday is 0.
  private var dayOfWeek: Int { ((days + 3) % 7 + 7) % 7 }

  /// ISO 8601's week: that of the year in which its Thursday lies.
  private var week: Int {
    let thursday = days - dayOfWeek + 3
    let year = Int(year)
    var start = Self.days(before: year, 1, 1)
    if thursday < start {
      start = Self.days(before: year - 1, 1, 1)
    } else if thursday >= Self.days(before: year + 1, 1, 1) {
      start = Self.days(before: year + 1, 1, 1)
    }
    return (thursday - start) / 7 + 1
  }

  /// A part as a whole number: 1 for a flag that is true.
  package func value(of part: DatePart) -> Int {
    let (month, day, dayOfYear) = calendar
    let isLast = day == Self.daysIn(month, of: Int(year))
    let isTrue: Bool
    switch part {
    case .year: return Int(year)
    case .month: return month
    case .week: return week
    case .day: return day
    case .dayOfWeek: return dayOfWeek
    case .dayOfYear: return dayOfYear
    case .hour: return secondOfDay / 3600
    case .minute: return secondOfDay / 60 % 60
    case .second: return secondOfDay % 60
    case .elapsed: return Int(seconds) - Int(offset)
    case .isMonthEnd: isTrue = isLast
    case .isMonthStart: isTrue = day == 1
    case .isQuarterEnd: isTrue = isLast && month.isMultiple(of: 3)
    case .isQuarterStart: isTrue = day == 1 && month % 3 == 1
    case .isYearEnd: isTrue = month == 12 && day == 31
    case .isYearStart: isTrue = dayOfYear == 1
    }
    return isTrue ? 1 : 0
  }
}
