import CrestGraph
import CrestTensor

extension OperationCase {
  /// Operations that choose elements by index, or tell which index is chosen.
  static let choices: [OperationCase] =
    gathers + otherGathers + elementGathers + partGathers + scatters + searches + rankings

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
        GatherGradient(Gather(axis: axis), inputShape: data), variant, [CaseInput(y), input]),
    ]
  }

  private static let otherGathers: [OperationCase] = [
    OperationCase(
      Gather(axis: 0), "indices of 32 bits",
      [CaseInput([6, 5]), CaseInput([9], .whole(-6...5, .int32))]),
    OperationCase(
      Gather(axis: 1), "of integers",
      [CaseInput([3, 4], .whole(-9...9, .int64)), CaseInput([2], .whole(-4...3, .int64))]),
    OperationCase(
      Gather(axis: 0), "of booleans",
      [CaseInput([5, 2], .whole(0...1, .bool)), CaseInput([3, 1], .whole(-5...4, .int32))]),
    OperationCase(
      GatherElements(axis: 0), "of integers",
      [CaseInput([3, 4], .whole(-9...9, .int32)), CaseInput([2, 4], .whole(-3...2, .int64))]),
    OperationCase(
      GatherND(), "of integers",
      [CaseInput([3, 4], .whole(0...9, .uint8)), CaseInput([5, 2], .whole(-3...2, .int64))]),
    OperationCase(
      GatherGradient(Gather(axis: 0), inputShape: [3, 40]), "rows named again and again",
      [CaseInput([300, 40]), CaseInput([300], .whole(-3...2, .int32))]),
  ]

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
        GatherGradient(GatherElements(axis: axis), inputShape: data), variant,
        [CaseInput(chosen), input]),
    ]
  }

  private static let partGathers: [OperationCase] = [
    ("single elements", [3, 4], [5, 2]), ("rows", [3, 4], [2, 3, 1]),
    ("matrices of four axes", [2, 3, 2, 2], [4, 2]), ("no index", [3, 2], [0, 1]),
  ].map { variant, shape, indices in
    let count = Int64(shape.min() ?? 0)
    return OperationCase(
      GatherND(), variant,
      [CaseInput(Shape(shape)), CaseInput(Shape(indices), .whole(-count...count - 1, .int64))])
  }

  /// Of one place only one update may be there, or central differences see the last one alone.
  private static let scatters: [OperationCase] =
    [ScatterReduction.none, .add].flatMap { reduction in
      let parts = ("\(reduction)", CaseInput([1, 2], .whole(0...1, .int64)))
      return [
        OperationCase(
          ScatterElements(axis: 1, reduction: reduction), "\(reduction)",
          [CaseInput([3, 4]), CaseInput([3, 1], .whole(-4...3, .int64)), CaseInput([3, 1])]),
        OperationCase(
          ScatterND(reduction: reduction), parts.0,
          [CaseInput([2, 3, 4]), parts.1, CaseInput([1, 4])]),
      ]
    } + [
      OperationCase(
        ScatterElements(axis: 0, reduction: .add), "add, several to one",
        [CaseInput([2, 3]), CaseInput([6, 3], .whole(0...1, .int32)), CaseInput([6, 3])])
    ]
    + [ScatterReduction.mul, .max, .min].flatMap { reduction in
      [
        OperationCase(
          ScatterElements(axis: 0, reduction: reduction), "\(reduction)",
          [CaseInput([3, 4]), CaseInput([2, 4], .whole(0...2, .int64)), CaseInput([2, 4])],
          differentiation: .refused),
        OperationCase(
          ScatterND(reduction: reduction), "\(reduction)",
          [CaseInput([3, 4]), CaseInput([2, 1], .whole(0...2, .int64)), CaseInput([2, 4])],
          differentiation: .refused),
      ]
    }

  private static let rankings: [OperationCase] = [
    ("largest of rows", 3, 1, true, [4, 7]), ("smallest of columns", 2, 0, false, [5, 3]),
    ("all", 5, 0, true, [5]), ("none", 0, 1, true, [2, 3]),
  ].map { variant, count, axis, takesLargest, shape in
    OperationCase(
      TopKIndices(count: count, axis: axis, takesLargest: takesLargest), variant,
      [CaseInput(Shape(shape), .spaced(offset: 0))])
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
          IndexSearch(.largest, axis: axis, keepsDimension: keeps, takesLast: takesLast), variant,
          [input]),
        OperationCase(
          IndexSearch(.smallest, axis: axis, keepsDimension: keeps, takesLast: takesLast), variant,
          [input]),
      ]
    }
  }
}
