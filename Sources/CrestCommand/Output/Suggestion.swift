import Crest

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
  let ranked = known.map { candidate in
    let isBegun = name.count >= 3 && candidate.lowercased().hasPrefix(name)
    return (isBegun ? 0 : editDistance(name, candidate), candidate)
  }
  guard let best = ranked.min(by: { $0.0 < $1.0 }), best.0 <= max(1, name.count / 3),
    best.0 < name.count
  else { return nil }
  return best.1
}
