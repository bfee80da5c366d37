import CrestGraph
import CrestTensor

extension OperationCase {
  /// Operations on booleans, and elementwise ones on integers.
  static let whole: [OperationCase] = logical + arithmetic

  private static let logical: [OperationCase] =
    [two(Elementwise(.and)), two(Elementwise(.or)), two(Elementwise(.xor))].flatMap { $0 } + [
      OperationCase(Elementwise(.not), "vector", [CaseInput([17], .whole(0...1, .bool))])
    ]

  private static func two(_ operation: Elementwise) -> [OperationCase] {
    let booleans = CaseInput.Domain.whole(0...1, .bool)
    return [
      OperationCase(
        operation, "same shapes", [CaseInput([4, 5], booleans), CaseInput([4, 5], booleans)]),
      OperationCase(
        operation, "both ways", [CaseInput([3, 1, 4], booleans), CaseInput([2, 1], booleans)]),
      OperationCase(
        operation, "empty", [CaseInput([0, 2], booleans), CaseInput([2], booleans)]),
    ]
  }

  private static let arithmetic: [OperationCase] =
    [ElementType.int64, .int32, .uint8].flatMap { type -> [OperationCase] in
      let range: ClosedRange<Int64> = type == .uint8 ? 0...255 : -300...300
      let operations: [Elementwise] = [
        Elementwise(.add), Elementwise(.subtract), Elementwise(.multiply), Elementwise(.divide),
        Elementwise(.maximum), Elementwise(.minimum), Elementwise(.equal), Elementwise(.less),
        Elementwise(.greater), Elementwise(.negate),
        Elementwise(.absolute), Elementwise(.sign), Elementwise(.relu), Elementwise(.select),
        Elementwise(.power),
      ]
      return operations.map { operation in
        let shapes: [Shape] = [[3, 4], [4], [3, 1]]
        let inputs = shapes.prefix(operation.function.arity).map {
          CaseInput($0, .whole(range, type))
        }
        return OperationCase(operation, "\(type)", inputs)
      }
    } + remainders + [
      OperationCase(
        Elementwise(.equal), "bool",
        [CaseInput([4, 4], .whole(0...1, .bool)), CaseInput([4], .whole(0...1, .bool))]),
      OperationCase(
        Elementwise(.select), "bool", (0..<3).map { _ in CaseInput([4, 4], .whole(0...1, .bool)) }),
    ]

  private static let remainders: [OperationCase] =
    [ElementType.int64, .int32, .uint8].map { type in
      let range: ClosedRange<Int64> = type == .uint8 ? 0...255 : -9...9
      return OperationCase(
        Mod(), "\(type)",
        [CaseInput([5, 7], .whole(range, type)), CaseInput([7], .whole(range, type))])
    } + [
      OperationCase(
        Mod(followsDividend: true), "floats",
        [CaseInput([3, 4], .spaced(offset: 0.125)), CaseInput([4], .uniform(5...6))]),
      OperationCase(
        Mod(followsDividend: true), "integers",
        [CaseInput([3, 7], .whole(-9...9, .int32)), CaseInput([7], .whole(-3...3, .int32))]),
    ]
}
