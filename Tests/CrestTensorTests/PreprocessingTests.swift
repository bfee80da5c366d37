import CrestTensor
import Testing

@Suite struct PreprocessingTests {
  static let texts: [(Preprocessing, String)] = [
    (
      .identity,
      #"{"divisor":1,"layout":"asStored","mean":[],"standardDeviation":[]}"#
    ),
    (
      Preprocessing(
        layout: .channelsFirst, divisor: 255, mean: [0.35088679534313727, 1e-7],
        standardDeviation: [0.15201844932360584, 2]),
      #"{"divisor":255,"layout":"channelsFirst","mean":[0.35088679534313727,1e-07],"standardDeviation":[0.15201844932360584,2]}"#
    ),
    (
      Preprocessing(layout: .channelsLast, divisor: 0.5, mean: [-3], standardDeviation: [0.1]),
      #"{"divisor":0.5,"layout":"channelsLast","mean":[-3],"standardDeviation":[0.1]}"#
    ),
  ]

  @Test(arguments: texts)
  func `the JSON of a model's file is read as it was written`(
    preprocessing: Preprocessing, text: String
  ) throws {
    #expect(preprocessing.json == text)
    #expect(try Preprocessing(json: text) == preprocessing)
  }

  @Test func `keys may come in any order, with any spacing`() throws {
    let text =
      #" { "mean" : [ 1 ] , "standardDeviation":[2e0],"layout":"asStored","divisor":16.0} "#
    #expect(
      try Preprocessing(json: text)
        == Preprocessing(layout: .asStored, divisor: 16, mean: [1], standardDeviation: [2]))
  }

  @Test(arguments: [
    "", "null", "[]", "{}", #"{"divisor":1,"layout":"asStored","mean":[]}"#,
    #"{"divisor":0,"layout":"asStored","mean":[],"standardDeviation":[]}"#,
    #"{"divisor":1e999,"layout":"asStored","mean":[],"standardDeviation":[]}"#,
    #"{"divisor":1,"layout":"rowsFirst","mean":[],"standardDeviation":[]}"#,
    #"{"divisor":1,"layout":"channelsFirst","mean":[1],"standardDeviation":[]}"#,
    #"{"divisor":1,"layout":"channelsFirst","mean":[1],"standardDeviation":[-1]}"#,
    #"{"divisor":1,"layout":"asStored","mean":[1,2],"standardDeviation":[1,2]}"#,
    #"{"divisor":1,"divisor":1,"layout":"asStored","mean":[],"standardDeviation":[]}"#,
    #"{"divisor":1,"layout":"asStored","mean":[],"standardDeviation":[],"more":1}"#,
    #"{"divisor":1,"layout":"asStored","mean":[],"standardDeviation":[]} {}"#,
    #"{"divisor":"1","layout":"asStored","mean":[],"standardDeviation":[]}"#,
  ])
  func `what Crest doesn't write is refused`(text: String) {
    #expect(throws: JSONScanner.Fault.self) { try Preprocessing(json: text) }
  }

  @Test(arguments: [[], ["a"], ["cat \"x\"", "ü\n", ""]] as [[String]])
  func `names of classes are read as they were written`(names: [String]) throws {
    #expect(try [String](json: names.json) == names)
  }

  static let examples: [(Preprocessing.Layout, Int, Shape, @Sendable (Int) -> Int)] = [
    (.asStored, 1, [2, 3], { _ in 0 }), (.channelsFirst, 1, [1, 2, 3], { _ in 0 }),
    (.channelsFirst, 2, [2, 2, 3], { $0 / 6 }), (.channelsFirst, 3, [3], { $0 }),
    (.channelsLast, 3, [2, 2, 3], { $0 % 3 }), (.channelsLast, 1, [2, 2, 1], { _ in 0 }),
  ]

  @Test func `is applied to every type, by channel`() throws {
    for (layout, channels, shape, channel) in PreprocessingTests.examples {
      let preprocessing = Preprocessing(
        layout: layout, divisor: 10, mean: (0..<channels).map { Double($0) },
        standardDeviation: (0..<channels).map { Double($0) + 0.5 })
      let numbers = (0..<2 * shape.elementCount).map { $0 % 100 }
      let whole = Shape([2] + shape)
      let expected = numbers.enumerated().map { place, number in
        let channel = Double(channel(place % shape.elementCount))
        return Float((Double(number) / 10 - channel) / (channel + 0.5))
      }
      let stored = [
        Tensor(numbers.map { UInt8($0) }, shape: whole),
        Tensor(numbers.map { Float($0) }, shape: whole),
        Tensor(numbers.map { Double($0) }, shape: whole),
        Tensor(numbers.map { Int16($0) }, shape: whole),
        Tensor(numbers.map { Int64($0) }, shape: whole),
      ]
      for tensor in stored {
        #expect(
          try preprocessing.applied(to: tensor) == Tensor(expected, shape: whole),
          "\(layout) \(tensor)")
      }
    }
  }

  static let unsuitable: [(Preprocessing.Layout, Int, Shape, String)] = [
    (
      .channelsFirst, 3, [1, 8, 8],
      "the preprocessing is for 3 channels along the first axis of an example, got examples of shape [1, 8, 8]"
    ),
    (
      .channelsLast, 1, [8, 8, 3],
      "the preprocessing is for 1 channel along the last axis of an example, got examples of shape [8, 8, 3]"
    ),
    (
      .channelsFirst, 1, [],
      "the preprocessing is for 1 channel along the first axis of an example, got examples of shape []"
    ),
  ]

  @Test(arguments: unsuitable)
  func `other channels are refused`(
    layout: Preprocessing.Layout, channels: Int, shape: Shape, message: String
  ) {
    let ones = [Double](repeating: 1, count: channels)
    let preprocessing = Preprocessing(
      layout: layout, divisor: 1, mean: ones, standardDeviation: ones)
    let error = #expect(throws: PreprocessingError.self) {
      try preprocessing.applied(to: Tensor(zeros: Shape([2] + shape)))
    }
    #expect(error?.description == message)
  }
}
