/// As in `; did you mean "adam"?`, when a known name is near `name`; else nothing.
func suggestion(for name: String, among known: [String]) -> String {
  nearest(to: name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
}

/// The known name that `name` was most likely meant to be: one that it begins, or from which it differs in at most
/// a third of its letters.
func nearest(to name: String, among known: [String]) -> String? {
  let name = name.lowercased()
  // Longer ones are no slip of the finger, and the distance takes time with their square.
  guard (1...64).contains(name.count) else { return nil }
  let letters = Array(name)
  let ranked = known.map { candidate in
    let isBegun = name.count >= 3 && candidate.lowercased().hasPrefix(name)
    return (isBegun ? 0 : distance(letters, Array(candidate.lowercased())), candidate)
  }
  guard let best = ranked.min(by: { $0.0 < $1.0 }), best.0 <= max(1, name.count / 3),
    best.0 < name.count
  else { return nil }
  return best.1
}

/// The letters to put in, take out, change or swap with their neighbour to get from one text to another (the
/// distance of optimal string alignment).
private func distance(_ left: [Character], _ right: [Character]) -> Int {
  var before: [Int] = []
  var last = Array(0...right.count)
  for (row, letter) in left.enumerated() {
    var next = [row + 1]
    for (column, other) in right.enumerated() {
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
