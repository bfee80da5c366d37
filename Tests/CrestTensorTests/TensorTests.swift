import CrestTensor
import Testing

@Suite struct TensorTests {
  @Test(arguments: ElementType.allCases)
  func `zeros are zero and take the type's bytes`(type: ElementType) {
    let tensor = Tensor(zeros: [2, 3], elementType: type)
    #expect(tensor.byteCount == 6 * type.byteCount)
    #expect(tensor.doubles == [0, 0, 0, 0, 0, 0])
    #expect(tensor.typeDescription == "\(type) [2, 3]")
    let zero = type == .bool ? "false" : type.isFloat ? "0.0" : "0"
    let row = "[\(zero), \(zero), \(zero)]"
    #expect("\(tensor)" == "[\(row),\n \(row)] \(type) [2, 3]")
  }

  @Test func `a copy keeps its elements when the original is written`() {
    var original = Tensor([1, 2, 3] as [Float])
    let copy = original
    let view = original.reshaped(to: [3, 1])
    original.withMutableElements(as: Float.self) { $0[0] = 9 }
    #expect(original.array(as: Float.self) == [9, 2, 3])
    #expect(copy.array(as: Float.self) == [1, 2, 3])
    #expect(view.array(as: Float.self) == [1, 2, 3])
  }

  @Test func `writing a tensor that nobody shares does not move it`() {
    var tensor = Tensor(zeros: [1000])
    let before = tensor.withUnsafeBytes { $0.baseAddress.map(UInt.init(bitPattern:)) }
    tensor.withMutableElements(as: Float.self) { $0[1] = 1 }
    let after = tensor.withUnsafeBytes { $0.baseAddress.map(UInt.init(bitPattern:)) }
    #expect(before == after)
    #expect(before.map { $0 % 64 } == 0)
  }

  @Test func `equality compares types, shapes and bits`() {
    let nan = Tensor(scalar: Float.nan)
    #expect(nan == Tensor(scalar: Float.nan))
    #expect(Tensor(scalar: 0 as Float) != Tensor(scalar: -0.0 as Float))
    #expect(Tensor([1, 2] as [Int32]) != Tensor([1, 2] as [Int32], shape: [2, 1]))
    #expect(Tensor([0] as [Int32]) != Tensor([0] as [Float]))
  }

  @Test func `a thrown error passes through a borrow`() {
    struct Stop: Error, Equatable {}
    var tensor = Tensor(zeros: [1])
    #expect(throws: Stop()) {
      try tensor.withUnsafeMutableBytes { (_) throws(Stop) in throw Stop() }
    }
  }
}

@Suite struct ConversionTests {
  static let integerCases: [(ElementType, [Int64], [Int64])] = [
    (.int8, [-129, -128, 127, 128], [127, -128, 127, -128]),
    (.int16, [-32769, 32767, 65536], [32767, 32767, 0]),
    (.int32, [1 << 31, -1], [-1 << 31, -1]),
    (.int64, [.min, .max], [.min, .max]),
    (.uint8, [-1, 255, 256], [255, 255, 0]),
    (.bool, [0, 1, 2, -1], [0, 1, 1, 1]),
  ]

  @Test(arguments: integerCases)
  func `integers wrap to the type's bits`(type: ElementType, given: [Int64], expected: [Int64]) {
    let tensor = Tensor(wrapping: given, to: type, shape: [given.count])
    #expect(tensor.elementType == type)
    #expect(tensor.integers == expected)
  }

  static let floatCases: [(ElementType, [Double], [Double])] = [
    (.float64, [0.1, 1e300], [0.1, 1e300]),
    (.float32, [0.1, 1e300], [0x1.99999ap-4, .infinity]),
    (.float16, [0.1, 65519, 65520], [0x1.998p-4, 65504, .infinity]),
    (.bfloat16, [0.1, 257, 259], [0x1.9ap-4, 256, 260]),
  ]

  @Test(arguments: floatCases)
  func `floats round to nearest`(type: ElementType, given: [Double], expected: [Double]) {
    let tensor = Tensor(rounding: given, to: type, shape: [given.count])
    #expect(tensor.elementType == type)
    #expect(tensor.doubles == expected)
    #expect(tensor.integers == nil)
  }

  @Test func `nested arrays, indices and text are as in NumPy`() {
    let matrix = Tensor([[1, 2.5], [3, 4]] as [[Float]])
    #expect(matrix.shape == [2, 2])
    #expect(matrix[1] == Tensor([3, 4] as [Float]))
    #expect(matrix[0, 1].item() == Float(2.5))
    #expect(matrix[0, 1].shape == [])
    #expect(matrix[1..<2] == Tensor([[3, 4]] as [[Float]]))
    #expect("\(matrix)" == "[[1.0, 2.5],\n [3.0, 4.0]] float32 [2, 2]")
    let images = Tensor([[[[1]], [[2]]], [[[3]], [[4]]]] as [[[[Int64]]]])
    #expect(images.shape == [2, 2, 1, 1] && images[1, 0].item(as: Int64.self) == 3)
    #expect("\(Tensor(zeros: [0, 3]))" == "[] float32 [0, 3]")
    let long = Tensor((0..<1001).map { Int64($0) })
    #expect("\(long)" == "[0, 1, 2, …, 998, 999, 1000] int64 [1001]")
    #expect("\(Tensor(scalar: true))" == "true bool []")
  }
}
