import CrestGraph
import CrestTensor

/// A chain of elementwise operations run as one pass over cache-sized blocks.
struct FusedElementwise: BoundedOperation, CompiledOperation {

  /// The functions in order, as in `multiply+add+relu`.
  var name: String { instructions.map(\.function.rawValue).joined(separator: "+") }

  /// Where an instruction's argument comes from.
  enum Operand: Sendable, Hashable {
    case input(Int)
    case result(Int)
    case constant(Double)
  }

  /// One function of the chain.
  struct Instruction: Sendable, Hashable {
    let function: ElementwiseFunction
    let operands: [Operand]
  }

  /// The functions in the order they run; the last one's result is the output.
  let instructions: [Instruction]
  /// The output, whose shape every input broadcasts to.
  let type: ValueType

  func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] { [type] }

  func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let strides = inputs.map { $0.shape.strides(broadcastTo: type.shape) }
    let arguments = inputs.map(\.reals)
    let functions = instructions.map(\.function.real)
    let values = (0..<type.shape.elementCount).map { element -> Double in
      let index = index(ofElement: element)
      let scalars = zip(arguments, strides).map { argument, strides in
        argument[zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }]
      }
      var results: [Double] = []
      for (function, instruction) in zip(functions, instructions) {
        results.append(
          function(
            instruction.operands.map { operand in
              switch operand {
              case .input(let number): scalars[number]
              case .result(let number): results[number]
              case .constant(let value): value
              }
            }))
      }
      return results[results.count - 1]
    }
    return [ReferenceArray(values, type)]
  }

  private func index(ofElement offset: Int) -> [Int] {
    var rest = offset
    return type.shape.strides.map { stride in
      defer { rest %= max(stride, 1) }
      return rest / max(stride, 1)
    }
  }
}
