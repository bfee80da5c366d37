/// Notes about arrays while they are collected: one a kind, whatever the number of arrays.
struct ArrayNotes: Sendable {
  private var fixed: [(reason: TrainingReadiness.FixedReason, names: [String])] = []
  private var assumed: [(reason: TrainingReadiness.AssumedReason, names: [String])] = []
  /// The arrays that are read in a number of places and stay one.
  var tied: [Int: [String]] = [:]
  /// The arrays of which copies are trained apart.
  var untied: [TrainingReadiness.UntiedArray] = []
  /// The arrays of which copies are trained separately because the file says so.
  var unmerged: [TrainingReadiness.UntiedArray] = []
  /// The arrays that follow from others, and those that only begin so.
  var rearranged: [TrainingReadiness.RearrangedArray] = []
  var rearrangedApart: [TrainingReadiness.RearrangedArray] = []
  /// The program's parameters for which the file has no array.
  var leftOut: [String] = []
  /// The new head.
  var head: TrainingReadiness.Note?

  /// Takes note of an array that isn't trained, unless nobody would expect it to be.
  mutating func add(_ reason: TrainingReadiness.FixedReason, _ name: String) {
    guard reason.isNoteworthy else { return }
    if let place = fixed.firstIndex(where: { $0.reason == reason }) {
      fixed[place].names.append(name)
    } else {
      fixed.append((reason, [name]))
    }
  }

  /// Takes note of an array that is trained although the file can't tell whether it is learned.
  mutating func add(_ reason: TrainingReadiness.AssumedReason, _ name: String) {
    if let place = assumed.firstIndex(where: { $0.reason == reason }) {
      assumed[place].names.append(name)
    } else {
      assumed.append((reason, [name]))
    }
  }

  /// The notes, those that say most about training first.
  var notes: [TrainingReadiness.Note] {
    var notes: [TrainingReadiness.Note] = []
    if !untied.isEmpty { notes.append(.untied(untied)) }
    if !unmerged.isEmpty { notes.append(.unmerged(unmerged)) }
    if !rearranged.isEmpty { notes.append(.rearranged(rearranged)) }
    if !rearrangedApart.isEmpty { notes.append(.rearrangedApart(rearrangedApart)) }
    notes += tied.sorted { $0.key < $1.key }.map { .tied(names: $1, uses: $0) }
    if !leftOut.isEmpty { notes.append(.leftOut(names: leftOut)) }
    notes += fixed.map { .fixed(names: $0.names, $0.reason) }
    notes += assumed.map { .assumed(names: $0.names, $0.reason) }
    if let head { notes.append(head) }
    return notes
  }
}
