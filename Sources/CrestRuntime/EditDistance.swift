/// The letters to put in, take out, change or swap with their neighbour to get from one text to another, capitals
/// apart (the distance of optimal string alignment).
///
/// - Parameters:
///   - left: A text.
///   - right: Another one.
///   - wildcard: A letter of `left` that stands for any letters, also none, and costs nothing.
/// - Returns: How many.
package func editDistance(
  _ left: String, _ right: String, wildcard: Unicode.Scalar? = nil
) -> Int {
  let (left, right) = (
    Array(left.lowercased().unicodeScalars), Array(right.lowercased().unicodeScalars)
  )
  var before: [Int] = []
  var last = Array(0...right.count)
  for (row, letter) in left.enumerated() {
    let isWild = letter == wildcard
    var next = [last[0] + (isWild ? 0 : 1)]
    for (column, other) in right.enumerated() {
      guard !isWild else {
        next.append(min(last[column + 1], next[column]))
        continue
      }
      var least = min(
        last[column + 1] + 1, next[column] + 1, last[column] + (letter == other ? 0 : 1))
      if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
        least = min(least, before[column - 1] + 1)
      }
      next.append(least)
    }
    (before, last) = (last, next)
  }
  return last[right.count]
}
