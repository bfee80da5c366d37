import Crest

let tensorMisuses: [Misuse] =
  shapeMisuses + tensorValueMisuses + tensorPartMisuses + randomMisuses + preprocessingMisuses

private let matrix = Tensor([[1, 2, 3], [4, 5, 6]] as [[Float]])

private let shapeMisuses: [Misuse] = [
  Misuse("shape.negative-size", says: "a size is negative in [2, -3]") { _ = Shape([2, -3]) },
  Misuse(
    "shape.uncountable", says: "the element count of [1099511627776, 1099511627776] overflows"
  ) {
    _ = Shape([1 << 40, 1 << 40])
  },
  Misuse("shape.literal", says: "a size is negative in [-1]") {
    let shape: Shape = [-1]
    _ = shape
  },
  Misuse("shape.axis", says: "axis 5 of the shape [2, 3]") { _ = Shape([2, 3])[5] },
  Misuse("shape.negative-axis", says: "axis -1 of the shape [2, 3]") { _ = Shape([2, 3])[-1] },
  Misuse("shape.strides", says: "[2, 3] does not broadcast to [4, 3]") {
    _ = Shape([2, 3]).strides(broadcastTo: [4, 3])
  },
  Misuse("element-type.integer-range", says: "float16 is not an integer type") {
    _ = ElementType.float16.integerRange
  },
]

private let tensorValueMisuses: [Misuse] = [
  Misuse("tensor.zeros", says: "the byte count of float32 [2305843009213693952] overflows") {
    _ = Tensor(zeros: [1 << 61])
  },
  Misuse("tensor.values", says: "3 values for shape [2, 2] of 4") {
    _ = Tensor([1, 2, 3] as [Float], shape: [2, 2])
  },
  Misuse("tensor.bytes", says: "5 bytes for float32 [2]") {
    [UInt8](repeating: 0, count: 5).withUnsafeBytes { bytes in
      _ = Tensor(bytes: bytes, shape: [2], elementType: .float32)
    }
  },
  Misuse(
    "tensor.bytes-uncountable", says: "the byte count of int64 [2305843009213693952] overflows"
  ) {
    [UInt8](repeating: 0, count: 5).withUnsafeBytes { bytes in
      _ = Tensor(bytes: bytes, shape: [1 << 61], elementType: .int64)
    }
  },
  Misuse("tensor.safetensors-bytes", says: "3 bytes for float32 [2]") {
    let header = try Safetensors.Header(arranging: [("x", .float32, [2])])
    try [UInt8](repeating: 0, count: 3).withUnsafeBytes { bytes in
      _ = try Safetensors.Header.tensor(of: header.entries[0], data: bytes)
    }
  },
  Misuse("tensor.rows-of-two-lengths", says: "all must be as long, got [2] and [1]") {
    _ = Tensor([[1, 2], [3]] as [[Float]])
  },
  Misuse("tensor.matrices-of-two-sizes", says: "all must be as long, got [1, 2] and [1, 3]") {
    _ = Tensor([[[1, 2]], [[1, 2, 3]]] as [[[Int64]]])
  },
  Misuse("tensor.stacks-of-two-sizes", says: "all must be as long, got [1, 1, 1] and [2, 1, 1]") {
    _ = Tensor([[[[1]]], [[[1]], [[2]]]] as [[[[UInt8]]]])
  },
  Misuse("tensor.rounded-to-integers", says: "int32 is not a float type") {
    _ = Tensor(rounding: [1.5], to: .int32, shape: [1])
  },
  Misuse("tensor.rounded-count", says: "1 values for shape [2] of 2") {
    _ = Tensor(rounding: [1.5], to: .float16, shape: [2])
  },
  Misuse("tensor.wrapped-to-floats", says: "float64 is not an integer type") {
    _ = Tensor(wrapping: [1], to: .float64, shape: [1])
  },
  Misuse("tensor.wrapped-count", says: "2 values for shape [] of 1") {
    _ = Tensor(wrapping: [1, 2], to: .bool, shape: [])
  },
]

private let tensorPartMisuses: [Misuse] = [
  Misuse("tensor.array-of-another-type", says: "the tensor holds float32, not float64") {
    _ = matrix.array(as: Double.self)
  },
  Misuse("tensor.elements-of-another-type", says: "the tensor holds float32, not int64") {
    matrix.withElements(as: Int64.self) { _ in }
  },
  Misuse("tensor.mutable-elements-of-another-type", says: "the tensor holds float32, not uint8") {
    var tensor = matrix
    tensor.withMutableElements(as: UInt8.self) { _ in }
  },
  Misuse("tensor.reshaped", says: "[2, 3] can't be seen as [4]") { _ = matrix.reshaped(to: [4]) },
  Misuse("tensor.three-indices", says: "3 indices of a tensor of shape [2, 3]") {
    _ = matrix[0, 0, 0]
  },
  Misuse("tensor.index", says: "index 3 of a dimension of 3, in [1, 3] of shape [2, 3]") {
    _ = matrix[1, 3]
  },
  Misuse("tensor.negative-index", says: "index -1 of a dimension of 2, in [-1] of shape [2, 3]") {
    _ = matrix[-1]
  },
  Misuse("tensor.range", says: "1..<5 of the first dimension of a tensor of shape [2, 3]") {
    _ = matrix[1..<5]
  },
  Misuse("tensor.range-of-a-scalar", says: "0..<1 of the first dimension of a tensor of shape []") {
    _ = Tensor(scalar: 1 as Float)[0..<1]
  },
  Misuse("tensor.item", says: "the only element of a tensor of shape [2, 3]") {
    _ = matrix.item()
  },
  Misuse("tensor.item-of-another-type", says: "the tensor holds int64, not float32") {
    _ = Tensor(scalar: 1 as Int64).item()
  },
]

private let randomMisuses: [Misuse] = [
  Misuse("philox.integer", says: "no whole number is below 0 and at least 0") {
    _ = Philox(seed: 0, stream: 1).integer(below: 0, 7)
  },
  Misuse("philox.permutation", says: "a permutation of -2 numbers") {
    _ = Philox(seed: 0, stream: 1).permutation(-2)
  },
]

private let preprocessingMisuses: [Misuse] = [
  Misuse("preprocessing.counts", says: "2 means for 1 standard deviations, channelsFirst") {
    _ = Preprocessing(layout: .channelsFirst, divisor: 1, mean: [0, 1], standardDeviation: [1])
  },
  Misuse("preprocessing.channels-as-stored", says: "2 means for 2 standard deviations, asStored") {
    _ = Preprocessing(layout: .asStored, divisor: 1, mean: [0, 1], standardDeviation: [1, 1])
  },
  Misuse(
    "preprocessing.divisor", says: "divisor -255.0 and standard deviations [1.0] must be positive"
  ) {
    _ = Preprocessing(layout: .asStored, divisor: -255, mean: [0], standardDeviation: [1])
  },
  Misuse(
    "preprocessing.deviation", says: "divisor 255.0 and standard deviations [0.0] must be positive"
  ) {
    _ = Preprocessing(layout: .asStored, divisor: 255, mean: [0], standardDeviation: [0])
  },
  Misuse("preprocessing.channel", says: "channel 3 of a preprocessing of 1 channels") {
    _ = Preprocessing.mnist.value(0, channel: 3)
  },
]
