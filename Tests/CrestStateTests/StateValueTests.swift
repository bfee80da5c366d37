import CrestState
import CrestTensor
import Testing

@Suite struct StateValueTests {
  enum Kind: String, Codable { case one, two }
  enum Choice: Codable, Equatable { case nothing, number(Int), pair(a: Double, b: String) }

  struct Inner: Codable, Equatable {
    var numbers: [Double] = [1, 2]
    var table: [String: Int] = ["x": 1, "y": 2]
    var places: [Int: String] = [3: "three"]
  }

  struct Everything: Codable, Equatable {
    var flag = true
    var small: Int8 = -3
    var seed = UInt64.max
    var single: Float = 0.1
    var double = -0.0
    var nan = Double.nan
    var infinity = -Float.infinity
    var text = "é\"\\\n\u{1}"
    var none: Int?
    var some: Double? = Double.leastNonzeroMagnitude
    var kind = Kind.two
    var choices = [Choice.nothing, .number(4), .pair(a: 1e300, b: "b")]
    var inner: Inner? = Inner()
    var list: [Inner?] = [nil, Inner()]
    var weights: [Float] = [1, .infinity, -0.0]
    var bytes: [UInt8] = []
    var long = (0..<20).map(Double.init)
    var counts = Array(0..<20)
    var duration = Duration.seconds(1.5)

    static func == (a: Self, b: Self) -> Bool {
      (try? StateValue(encoding: a)) == (try? StateValue(encoding: b))
    }
  }

  @Test func `a value is put together as it was`() throws {
    let value = Everything()
    let state = try StateValue(encoding: value)
    let again = try state.decode(Everything.self)
    #expect(again == value)
    #expect(again.double.sign == .minus)
    #expect(again.seed == .max)
    #expect(state["none"] == .null, "what may be missing is a field")
    #expect(state["weights"] == .array(Tensor([1, .infinity, -0.0] as [Float])))
    #expect(state["bytes"] == .array(Tensor([] as [UInt8])))
    #expect(state["seed"] == .text("18446744073709551615"))
    if case .array = state["long"] {} else { Issue.record("long arrays are tensors") }
    if case .list = state[StateValue.Path(["inner", "numbers"])] {
    } else {
      Issue.record("short ones are lists")
    }
  }

  @Test func `every field that is missing, new or of another kind is named`() throws {
    let state = try StateValue(encoding: Everything())
    var dropped = 0
    for path in state.leaves {
      var broken = state
      broken[path] = nil
      // An element that is dropped from a list leaves a shorter list, and keys of dictionaries are free.
      let inList = path.components.last.flatMap { Int($0) } != nil
      let inDictionary = path.components.contains { ["table", "places"].contains($0) }
      if inList || inDictionary { continue }
      let error = #expect(throws: StateError.self, "\(path)") {
        try broken.decode(Everything.self)
      }
      if !path.components.contains("choices") { #expect(error == .missing(path)) }
      dropped += 1
    }
    #expect(dropped > 18)
    var extra = state
    extra[StateValue.Path(["inner", "more"])] = .null
    #expect(throws: StateError.unexpected(StateValue.Path(["inner", "more"]))) {
      try extra.decode(Everything.self)
    }
    var mistyped = state
    mistyped[StateValue.Path(["list", "1", "numbers", "0"])] = .text("1")
    let error = #expect(throws: StateError.self) { try mistyped.decode(Everything.self) }
    #expect(
      error?.description
        == "list.1.numbers.0 of the saved state: expected a number, got the text \"1\"; it comes "
        + "from another model or version")
    for (field, value, expected) in [
      ("flag", StateValue.integer(1), "true or false"),
      ("small", .integer(200), "an integer (Int8)"),
      ("single", .number(0.1), "a float32"), ("text", .null, "a string"),
      ("weights", .list([]), "a vector of float32"),
      ("counts", .array(Tensor([1] as [Float])), "a vector of int64"),
      ("inner", .list([]), "fields"),
      ("list", .fields([:]), "a list"),
    ] {
      var changed = state
      changed[field] = value
      let error = #expect(throws: StateError.self, "\(field)") {
        try changed.decode(Everything.self)
      }
      guard case .mistyped(let path, let wanted, _) = error else {
        Issue.record("\(field): \(String(describing: error))")
        continue
      }
      #expect(path.description == field)
      #expect(wanted == expected)
    }
  }

  @Test func `an empty key can't be saved`() throws {
    let error = #expect(throws: StateError.self) { try StateValue(encoding: ["": 1]) }
    #expect(error?.description == " can't be saved: a key of it is empty")
  }
}
