/// A value with all that it is made of in words, as in `convention fastai, maxLR 0.05`: what ``Callback/settings``
/// and checkpoints keep of a setting, and what a user is shown when it differs.
package func settingText(_ value: Any) -> String {
  let mirror = Mirror(reflecting: value)
  let parts = mirror.children.map { child in
    let text = partText(child.value)
    guard let label = child.label, !label.hasPrefix(".") else { return text }
    return "\(label) \(text)"
  }.joined(separator: ", ")
  return switch mirror.displayStyle {
  case .struct, .class, .tuple: parts
  case .collection, .set, .dictionary: "[\(parts)]"
  case .optional: mirror.children.first.map { settingText($0.value) } ?? "none"
  case .enum: mirror.children.first.map { caseText($0) } ?? "\(value)"
  default: "\(value)"
  }
}

/// An enumeration's case with its values.
private func caseText(_ child: Mirror.Child) -> String {
  let values = settingText(child.value)
  return "\(child.label ?? "") (\(values))"
}

/// A part of a value, in parentheses when it has parts itself.
private func partText(_ value: Any) -> String {
  switch Mirror(reflecting: value).displayStyle {
  case .struct, .class, .tuple: "(\(settingText(value)))"
  default: settingText(value)
  }
}
