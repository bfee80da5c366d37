// Names of layers mean layers, and none of Swift's or Foundation's own is shadowed.
import Crest
import Foundation

struct Gate: Layer {
  let activation: Sigmoid

  func trace(_ x: Symbol) throws -> Symbol { try activation(x) * x }
}

let sigmoid = Sigmoid()
let layers: [any Layer] = [
  sigmoid, Tanh(), GlobalAveragePool(), Softmax(axis: 1), Flatten(), Dropout(0.5), MaxPool(2),
  AveragePool(2), Gate(activation: sigmoid),
]

func first(_ numbers: Slice<[Int]>) -> Int? { numbers.first }

final class Job: Operation, @unchecked Sendable {
  override func main() { print(layers.count) }
}
