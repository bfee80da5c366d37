import CrestRuntime
import Synchronization

/// Divides groups among several optimisers, and remembers how: that takes longer than a step of a small network.
final class GroupDivision: Sendable, CustomReflectable {
  private struct Entry {
    let store: ObjectIdentifier
    let groups: [ParameterGroup]
    let parts: [[Part]]
  }

  /// What an optimiser has of a group.
  private struct Part {
    let source: Int
    let group: ParameterGroup
  }

  private let last = Mutex<Entry?>(nil)

  /// It is no setting.
  var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }

  /// The groups of each of `count` optimisers, with the hyperparameters of those they are of.
  func divide(
    _ groups: [ParameterGroup], of store: ParameterStore, among count: Int,
    by owner: (ParameterStore.Entry) -> Int
  ) -> [[ParameterGroup]] {
    let parts = last.withLock { last in
      if let last, last.store == ObjectIdentifier(store),
        last.groups.elementsEqual(groups, by: same)
      {
        return last.parts
      }
      let owners = Dictionary(uniqueKeysWithValues: store.parameters.map { ($0.name, owner($0)) })
      let parts = (0..<count).map { number in
        groups.enumerated().compactMap { source, group -> Part? in
          let names = Set(group.names.filter { owners[$0] == number })
          guard !names.isEmpty else { return nil }
          return Part(
            source: source,
            group: ParameterGroup(store, hyperparameters: group.hyperparameters) {
              names.contains($0.name)
            })
        }
      }
      last = Entry(store: ObjectIdentifier(store), groups: groups, parts: parts)
      return parts
    }
    return parts.map { parts in
      parts.map { part in
        var group = part.group
        group.hyperparameters = groups[part.source].hyperparameters
        return group
      }
    }
  }

  private func same(_ a: ParameterGroup, _ b: ParameterGroup) -> Bool {
    a.weightRanges == b.weightRanges && a.otherRanges == b.otherRanges && a.names == b.names
  }
}
