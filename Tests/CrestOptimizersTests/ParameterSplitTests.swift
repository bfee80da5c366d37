import CrestGraph
import CrestOptimizers
import CrestRuntime
import CrestTensor
import Testing

@Suite struct `A split of parameters` {
  /// Four layers, declared from the last to the first as a file may; the second's weight is transposed
  /// before the data meet it.
  private static let graph: Graph = {
    do {
      let builder = GraphBuilder()
      let x = builder.input("x", ValueType([2, 3]))
      func parameter(_ name: String, _ role: Graph.ParameterRole = .weight) throws -> Symbol {
        try builder.parameter(name, role == .weight ? [3, 3] : [3], role: role) { _ in
          Tensor(zeros: role == .weight ? [3, 3] : [3])
        }
      }
      let head = try (parameter("head.bias", .bias), parameter("head.weight"))
      let third = try parameter("body/third")
      let second = try parameter("body.second.weight").transposed([1, 0])
      let first = try (parameter("stem.weight"), parameter("stem.bias", .bias))
      var y = try x.matMul(first.0) + first.1
      y = try y.matMul(second).relu().matMul(third)
      builder.output("y", try y.matMul(head.1) + head.0)
      return builder.result
    } catch {
      preconditionFailure("\(error)")
    }
  }()

  @Test(arguments: [
    (
      ParameterGroup.Split.layers,
      [
        ["stem.weight", "stem.bias"], ["body.second.weight"], ["body/third"],
        ["head.weight", "head.bias"],
      ]
    ),
    (
      .depth(1),
      [
        [
          "stem.weight", "stem.bias", "body.second.weight", "body/third", "head.weight",
          "head.bias",
        ]
      ]
    ),
    (
      .depth(3),
      [
        ["stem.weight", "stem.bias", "body.second.weight"], ["body/third"],
        ["head.weight", "head.bias"],
      ]
    ),
    (
      .patterns([["body*"], ["*.weight"]]),
      [
        ["body.second.weight", "body/third"], ["stem.weight", "head.weight"],
        ["stem.bias", "head.bias"],
      ]
    ),
    (
      .patterns([["stem.*", "body*"], ["head.*"]]),
      [
        ["stem.weight", "stem.bias", "body.second.weight", "body/third"],
        ["head.weight", "head.bias"],
      ]
    ),
  ])
  func `orders groups by where the data meet them`(split: ParameterGroup.Split, groups: [[String]])
    throws
  {
    #expect(try split.names(in: Self.graph) == groups)
  }

  @Test(arguments: [
    (
      ParameterGroup.Split.depth(5),
      "groups: expected from 1 to 4, the number of layers with parameters, got 5"
    ),
    (.depth(0), "groups: expected from 1 to 4, the number of layers with parameters, got 0"),
    (
      .patterns([["body*"], ["body.second.*"]]),
      "the group \"body.second.*\" is empty: earlier groups have all the parameters that it "
        + "matches; put it first"
    ),
    (
      .patterns([["steem.*"]]),
      "no parameter matches \"steem.*\"; similar names are \"stem.weight\", \"stem.bias\", "
        + "\"head.weight\"; use * for any characters"
    ),
  ])
  func `that there can't be says why`(split: ParameterGroup.Split, message: String) {
    let error = #expect(throws: ParameterError.self) { try split.names(in: Self.graph) }
    #expect(error?.description == message)
  }
}

@Suite struct `Values of groups` {
  @Test(arguments: [
    (ParameterGroup.Values.same(0.5), 3, [0.5, 0.5, 0.5]),
    (.spread(from: 1, to: 100), 3, [1, 10, 100]),
    (.spread(from: 1, to: 100), 1, [100]),
    (.slice(to: 2), 3, [0.2, 0.2, 2]),
    (.each([3, 1, 2]), 3, [3, 1, 2]),
  ])
  func `are fastai's slices, or a number each`(
    values: ParameterGroup.Values, count: Int, expected: [Double]
  ) throws {
    let got = try values.values(forGroups: count)
    #expect(got.count == expected.count)
    for (got, wanted) in zip(got, expected) { #expect(abs(got - wanted) <= 1e-15 * wanted) }
    #expect(values.last == expected.last)
  }

  @Test(arguments: [
    (ParameterGroup.Values.same(0), false, "rates: expected finite numbers above 0, got 0.0"),
    (.spread(from: -1, to: 1), false, "rates: expected finite numbers above 0, got -1.0"),
    (.spread(from: 0, to: 1), true, "rates: expected finite numbers above 0, got 0.0"),
    (.each([0, .nan]), true, "rates: expected finite numbers of at least 0, got nan"),
    (.slice(to: .infinity), false, "rates: expected finite numbers above 0, got inf"),
    (.each([]), false, "rates: expected a number for each of the 1 groups of parameters, got 0"),
  ])
  func `without a meaning are refused`(
    values: ParameterGroup.Values, allowsZero: Bool, message: String
  ) {
    let error = #expect(throws: ParameterError.self) {
      try values.validate("rates", allowingZero: allowsZero)
    }
    #expect(error?.description == message)
  }

  @Test func `are as many as there are groups`() {
    let error = #expect(throws: ParameterError.self) {
      try ParameterGroup.Values.each([1, 2]).values(forGroups: 3, "learning rates")
    }
    #expect(
      error?.description
        == "learning rates: expected a number for each of the 3 groups of parameters, got 2")
  }
}
