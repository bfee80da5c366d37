// A data set of one's own, which computes its examples.
import Crest
import Foundation

struct Spirals: Dataset {
  let count: Int
  let inputs = [Field(name: "input", elementType: .float32, shape: [2])]
  let target = Target.classes(names: ["left", "right"], shape: [])

  func write(_ examples: ArraySlice<Int>, into batch: inout Batch) throws {
    for (row, example) in examples.enumerated() {
      let (angle, arm) = (Float(example / 2) / Float(count) * 12, example % 2)
      let sign: Float = arm == 0 ? 1 : -1
      batch.inputs[0].withMutableElements(as: Float.self) { numbers in
        numbers[2 * row] = sign * angle * cos(angle)
        numbers[2 * row + 1] = sign * angle * sin(angle)
      }
      batch.targets.withMutableElements(as: Int64.self) { $0[row] = Int64(arm) }
    }
  }
}

let data = try DataSplit(dividing: Spirals(count: 400), fraction: 0.25)
