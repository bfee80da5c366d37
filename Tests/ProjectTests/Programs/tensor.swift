// Tensors as NumPy's and PyTorch's users write them.
import Crest
import Foundation

let vector = Tensor([1, 2, 3] as [Float])
let matrix = Tensor([[1, 2], [3, 4]] as [[Float]])
print(matrix)
print(matrix[1], matrix[1, 0].item(), vector[0..<2])
let images = TensorExamples(
  name: "dots",
  inputs: [("input", Tensor([[[[0, 1], [1, 0]]], [[[1, 1], [0, 0]]]] as [[[[Float]]]]))],
  targets: Tensor([0, 1] as [Int64]), classNames: ["a", "b"])
