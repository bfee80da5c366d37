import CrestGraph
import CrestTensor

extension OperationCase {
  /// Reductions over every kind of axes, kept and not.
  static let reductions: [OperationCase] =
    variants.flatMap { variant, shape, axes, keeps in
      [
        OperationCase(
          Reduce(.sum, axes: axes, keepsDimensions: keeps), variant, [CaseInput(shape)]),
        OperationCase(
          Reduce(.mean, axes: axes, keepsDimensions: keeps), variant, [CaseInput(shape)]),
        OperationCase(
          Reduce(.max, axes: axes, keepsDimensions: keeps), variant,
          [CaseInput(shape, .spaced(offset: 0))]),
        OperationCase(
          Reduce(.product, axes: axes, keepsDimensions: keeps), variant,
          [CaseInput(shape, .awayFromZero)]),
        OperationCase(
          Reduce(.min, axes: axes, keepsDimensions: keeps), variant,
          [CaseInput(shape, .spaced(offset: 0))]),
      ]
    } + [
      OperationCase(
        Reduce(.mean, axes: [0], keepsDimensions: false), "of nothing", [CaseInput([0, 3])]),
      OperationCase(
        Reduce(.max, axes: [0], keepsDimensions: false), "of nothing", [CaseInput([0, 3])],
        differentiation: .outputs([])),
      OperationCase(
        Reduce(.sum, axes: [1], keepsDimensions: false), "no groups", [CaseInput([0, 3])]),
      OperationCase(
        Reduce(.product, axes: [0], keepsDimensions: false), "of nothing", [CaseInput([0, 3])]),
      OperationCase(
        Reduce(.product, axes: [1], keepsDimensions: false), "some 0", [CaseInput([12, 3], .mask)]),
    ] + wholeNumbers + runningSums

  private static let wholeNumbers: [OperationCase] = {
    func each(_ operation: Reduce) -> [OperationCase] {
      [ElementType.int64, .int32, .uint8].map {
        OperationCase(
          operation, "\($0)", [CaseInput([3, 4], .whole($0 == .uint8 ? 0...9 : -9...9, $0))])
      }
    }
    return each(Reduce(.sum, axes: [1], keepsDimensions: true))
      + each(Reduce(.mean, axes: [0], keepsDimensions: false))
      + each(Reduce(.max, axes: [1], keepsDimensions: false))
      + each(Reduce(.min, axes: [0, 1], keepsDimensions: false))
      + each(Reduce(.product, axes: [1], keepsDimensions: false))
  }()

  private static let runningSums: [OperationCase] =
    [
      ("rows", CumSum(axis: 1)), ("exclusive", CumSum(axis: 0, isExclusive: true)),
      ("reversed", CumSum(axis: 1, isReversed: true)),
      ("exclusive, reversed", CumSum(axis: 1, isExclusive: true, isReversed: true)),
    ].map { variant, operation in OperationCase(operation, variant, [CaseInput([3, 5])]) } + [
      OperationCase(CumSum(axis: 0), "integers", [CaseInput([6, 2], .whole(-9...9, .int32))]),
      OperationCase(CumSum(axis: 1), "mask", [CaseInput([2, 9], .whole(0...1, .int64))]),
    ]

  private static let variants: [(String, Shape, [Int], Bool)] = [
    ("all of a vector", [37], [0], false), ("rows", [3, 9], [1], false),
    ("columns, kept", [5, 4], [0], true), ("middle", [2, 3, 4], [1], false),
    ("all but the channels", [2, 3, 2, 2], [0, 2, 3], false),
    ("everything, kept", [2, 3, 4], [0, 1, 2], true), ("no axis", [2, 3], [], false),
  ]
}
