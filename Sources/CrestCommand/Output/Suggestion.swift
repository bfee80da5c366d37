import Crest

/// As in `; did you mean "adam"?` if a known name is similar to `name`; otherwise nothing.
func suggestion(for name: String, among known: [String]) -> String {
  nearest(to: name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
}

/// The known name that `name` most likely stands for: one that it begins, or from which it differs
/// in at most a third of its letters.
func nearest(to name: String, among known: [String]) -> String? {
  let name = name.lowercased()
  // Longer ones aren't typing errors, and the distance takes quadratic time.
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
