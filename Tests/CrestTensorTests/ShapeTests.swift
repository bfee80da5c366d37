import CrestTensor
import Foundation
import Testing

@Suite struct ShapeTests {
  static let broadcasts: [(Shape, Shape, Shape?)] = [
    ([], [], []),
    ([], [3], [3]),
    ([3], [1], [3]),
    ([2, 3], [3], [2, 3]),
    ([2, 1], [1, 4], [2, 4]),
    ([8, 1, 6, 1], [7, 1, 5], [8, 7, 6, 5]),
    ([0], [1], [0]),
    ([2, 0], [2, 1], [2, 0]),
    ([0], [3], nil),
    ([2], [3], nil),
    ([2, 1], [8, 4, 3], nil),
  ]

  @Test(arguments: broadcasts)
  func `broadcasts by NumPy's rule in both directions`(a: Shape, b: Shape, expected: Shape?) {
    #expect(a.broadcast(with: b) == expected)
    #expect(b.broadcast(with: a) == expected)
  }

  static let stridesCases: [(Shape, Shape, [Int])] = [
    ([], [2, 3], [0, 0]),
    ([3], [2, 3], [0, 1]),
    ([2, 1], [2, 3], [1, 0]),
    ([2, 3], [2, 3], [3, 1]),
    ([1, 3], [4, 2, 3], [0, 0, 1]),
  ]

  @Test(arguments: stridesCases)
  func `strides of what is repeated are zero`(shape: Shape, target: Shape, expected: [Int]) {
    #expect(shape.strides(broadcastTo: target) == expected)
  }

  @Test func `strides are row-major`() {
    #expect(Shape([2, 3, 4]).strides == [12, 4, 1])
    #expect(Shape([]).strides == [])
    #expect(Shape([5]).strides == [1])
  }

  static let counts: [(Shape, Int)] = [([], 1), ([0], 0), ([2, 3], 6), ([2, 0, 3], 0)]

  @Test(arguments: counts)
  func `the element count is the product`(shape: Shape, count: Int) {
    #expect(shape.elementCount == count)
  }

  static let impossible: [[Int]] = [
    [-1], [2, -3], [.max, 2], [1 << 32, 1 << 31], [0, .max, .max], [.min],
  ]

  @Test(arguments: impossible)
  func `sizes that can't be counted make no shape`(sizes: [Int]) {
    #expect(Shape(checking: sizes) == nil)
  }

  @Test(arguments: impossible)
  func `sizes that can't be counted are not decoded`(sizes: [Int]) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Shape.self, from: Data("{\"dimensions\":\(sizes)}".utf8))
    }
  }

  @Test func `is decoded as it was encoded`() throws {
    let data = try JSONEncoder().encode([Shape([]), [3, 0, 5]])
    #expect(try JSONDecoder().decode([Shape].self, from: data) == [[], [3, 0, 5]])
  }

  @Test func `sizes that can be counted make one`() {
    #expect(Shape(checking: [.max]) == [.max])
    #expect(Shape(checking: [0, 5]) == [0, 5])
  }

  static let axes: [(Int, Int?)] = [(0, 0), (2, 2), (-1, 2), (-3, 0), (3, nil), (-4, nil)]

  @Test(arguments: axes)
  func `negative axes count from the end`(axis: Int, expected: Int?) {
    #expect(Shape([4, 5, 6]).resolved(axis: axis) == expected)
  }

  @Test func `reads as its sizes`() {
    #expect("\(Shape([64, 3, 32]))" == "[64, 3, 32]")
    #expect("\(Shape([]))" == "[]")
  }
}
