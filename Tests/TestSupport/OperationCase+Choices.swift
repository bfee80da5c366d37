import CrestGraph
import CrestTensor

extension OperationCase {
  /// Operations that choose elements by index, or tell which index is chosen.
  static let choices: [OperationCase] = gathers + elementGathers + searches

  private static let gathers: [OperationCase] = [
    ("embedding", 0, [7, 3], [4]), ("sequences of tokens", 0, [7, 3], [2, 5]),
    ("columns", 1, [3, 5], [2]), ("scalar index", 1, [2, 4, 3], []),
    ("middle", 1, [2, 4, 3], [2, 2]), ("no index", 0, [4, 2], [0]),
  ].flatMap { variant, axis, shape, indices in
    let (data, chosen) = (Shape(shape), Shape(indices))
    let y = Shape(data.dimensions[..<axis] + chosen.dimensions + data.dimensions[(axis + 1)...])
    let count = Int64(data[axis])
    let input = CaseInput(chosen, .whole(-count...count - 1, .int64))
    return [
      OperationCase(Gather(axis: axis), variant, [CaseInput(data), input]),
      OperationCase(
        GatherGradient(axis: axis, inputShape: data), variant, [CaseInput(y), input]),
    ]
  }

  private static let elementGathers: [OperationCase] = [
    ("labels", 1, [5, 3], [5, 1]), ("fewer rows", 1, [4, 3], [2, 5]),
    ("first axis", 0, [4, 3], [6, 2]),
    ("middle of three", 1, [2, 3, 2], [2, 4, 2]), ("no index", 0, [3], [0]),
  ].flatMap { variant, axis, shape, indices in
    let (data, chosen) = (Shape(shape), Shape(indices))
    let count = Int64(data[axis])
    let input = CaseInput(chosen, .whole(-count...count - 1, .int32))
    return [
      OperationCase(GatherElements(axis: axis), variant, [CaseInput(data), input]),
      OperationCase(
        GatherElementsGradient(axis: axis, inputShape: data), variant,
        [CaseInput(chosen), input]),
    ]
  }

  private static let searches: [OperationCase] = [
    ("rows", 1, true, false, [4, 7]), ("columns, folded", 0, false, false, [5, 3]),
    ("last of equals", 1, false, true, [2, 5, 3]),
  ].flatMap { variant, axis, keeps, takesLast, shape in
    [CaseInput.Domain.spaced(offset: 0), .whole(0...2, .int32)].enumerated().flatMap {
      number, domain in
      let variant = number == 0 ? variant : "\(variant), integers"
      let input = CaseInput(Shape(shape), domain)
      return [
        OperationCase(
          ArgMax(axis: axis, keepsDimension: keeps, takesLast: takesLast), variant, [input]),
        OperationCase(
          ArgMin(axis: axis, keepsDimension: keeps, takesLast: takesLast), variant, [input]),
      ]
    }
  }
}
