import CrestTensor
import Foundation
import Testing

@Suite struct `The preprocessing of a table` {
  static let tables: [Preprocessing.Table] = [
    Preprocessing.Table(
      format: TableFormat(
        delimiter: "\t", columns: ["a", "b", "c", "y"], comment: "#", missing: ["-", "?"],
        decimal: ",", trimmedEnd: ".", dateOrder: .dayMonthYear),
      categories: [
        Preprocessing.Table.Category(column: "a", values: ["", "x", "é", "e\u{301}", "\"\\\n"]),
        Preprocessing.Table.Category(column: "b", kind: .date(.month), values: ["1", "2"]),
        Preprocessing.Table.Category(column: "c", kind: .missing, values: ["False", "True"]),
      ],
      numbers: [
        Preprocessing.Table.Number(column: "c", median: 0.1, mean: 1e-300, deviation: 0),
        Preprocessing.Table.Number(
          column: "b", part: .elapsed, median: 1_604_102_400, mean: 1.0 / 3,
          deviation: 37_701_882.15897991),
      ], targetColumn: "y", target: .classes(["no", "yes"])),
    Preprocessing.Table(
      categories: [],
      numbers: [Preprocessing.Table.Number(column: "x", median: 1, mean: 2, deviation: 3)],
      targetColumn: "price",
      target: .values(mean: 206_855.816908914, deviation: 115_395.61587441359)),
  ]

  @Test(arguments: tables.indices) func `comes back from JSON and from a checkpoint`(row: Int)
    throws
  {
    let preprocessing = Preprocessing(table: Self.tables[row])
    #expect(try Preprocessing(json: preprocessing.json) == preprocessing)
    let coded = try JSONEncoder().encode(preprocessing)
    #expect(try JSONDecoder().decode(Preprocessing.self, from: coded) == preprocessing)
    #expect(preprocessing.isIdentity && preprocessing.isSame(as: .identity))
    #expect(!Preprocessing(table: Self.tables[1 - row]).isSame(as: preprocessing))
  }

  static let damages: [(from: String, to: String)] = [
    (",\"median\":1", ""), ("\"deviation\":3", "\"deviation\":-3"),
    ("\"mean\":2", "\"mean\":\"2\""),
    ("\"column\":\"x\"", "\"column\":\"price\""), ("\"numbers\":[", "\"numbers\":[7,"),
    ("\"decimal\":\".\"", "\"decimal\":\"..\""), ("\"decimal\":\".\"", "\"decimal\":\"x\""),
    ("\"dates\":\"ymd\"", "\"dates\":\"dym\""),
    ("\"deviation\":115395.61587441359", "\"deviation\":0"),
    ("\"dates\":", "\"more\":1,\"dates\":"), ("\"categories\":[]", "\"categories\":{}"),
    ("{\"column\":\"x\"", "{\"part\":\"Month\",\"column\":\"x\""),
    ("\"dates\":\"ymd\"", "\"dates\":\"ymd\",\"delimiter\":\"\\\"\""),
    ("\"dates\":\"ymd\"", "\"dates\":\"ymd\",\"columns\":[\"a\",\"a\"]"),
  ]

  @Test(arguments: damages.indices) func `is refused when it is damaged`(row: Int) throws {
    let json = Preprocessing(table: Self.tables[1]).json
    let damaged = json.replacing(Self.damages[row].from, with: Self.damages[row].to)
    #expect(damaged != json)
    #expect(throws: JSONScanner.Fault.self) { try Preprocessing(json: damaged) }
  }
}
