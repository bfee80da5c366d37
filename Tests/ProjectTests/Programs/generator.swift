// Your own generator: examples that are drawn when they are asked for, the same ones in every run.
import Crest
import Foundation

struct NoisySines: Dataset {
  let count = 1000
  let inputs = [Field(name: "input", elementType: .float32, shape: [64])]
  let target = Target.values(shape: [1])

  func write(_ examples: ArraySlice<Int>, into batch: inout Batch) throws {
    for (row, example) in examples.enumerated() {
      let random = Philox(seed: 7, stream: UInt32(example))
      let frequency = random.uniform(0) * 8
      batch.inputs[0].withMutableElements(as: Float.self) { numbers in
        for place in 0..<64 {
          let noise = random.uniform(UInt64(place + 1)) - 0.5
          numbers[64 * row + place] = sin(frequency * Float(place) / 64) + noise
        }
      }
      batch.targets.withMutableElements(as: Float.self) { $0[row] = frequency }
    }
  }
}

let data = try DataSplit(dividing: NoisySines())
let learner = try Learner(BuiltInModel.make("mlp", input: [64], classes: 1), data: data)
