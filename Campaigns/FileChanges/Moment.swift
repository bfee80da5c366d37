/// When a change is made.
enum Moment: String, CaseIterable {
  case start, middle, end
}
