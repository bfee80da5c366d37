import CrestData
import CrestTensor
import Foundation
import ProcessSupport
import Testing

@Suite struct `The preparation of a table` {
  private static func close(_ first: Double, _ second: Double, _ tolerance: Double) -> Bool {
    abs(first - second) <= tolerance * max(1, abs(second))
  }

  /// The rows of an input, by the names of its columns.
  private static func columns(
    _ set: any Dataset, input: Int, names: [String]
  ) throws -> [String: [Double]] {
    let batch = try set.batch(Array(0..<set.count))
    let values = batch.inputs[input].doubles
    return Dictionary(
      uniqueKeysWithValues: names.enumerated().map { place, name in
        (name, (0..<set.count).map { values[$0 * names.count + place] })
      })
  }

  @Test func `is that of fastai's Categorify, FillMissing, Normalize and add_datepart`() throws {
    let expected = TableFixtures.all
    let folder = try TemporaryFolder()
    var file = TableFile(try folder.write(expected.train, to: "train.csv"), target: "bought")
    file.valid = try folder.write(expected.valid, to: "valid.csv")
    let split = try file.split()
    let table = try #require(split.train.preprocessing.table)
    #expect(table.classes == ["no", "yes"] && table.targetColumn == "bought")

    let categories = table.categories.map(\.name)
    let vocab = Dictionary(uniqueKeysWithValues: zip(expected.categories, expected.vocab))
    // What has one value says nothing, and is left out.
    #expect(Set(categories) == Set(expected.categories.filter { (vocab[$0] ?? []).count > 1 }))
    for category in table.categories {
      #expect(category.values == vocab[category.name], "\(category.name)")
    }
    let numbers = table.numbers.map(\.name)
    #expect(Set(numbers) == Set(expected.numbers))
    for number in table.numbers {
      let place = try #require(expected.numbers.firstIndex(of: number.name))
      #expect(number.median == expected.medians[place], "\(number.name)")
      #expect(Self.close(number.mean, expected.means[place], 1e-13), "\(number.name)")
      // fastai keeps them with what it adds.
      #expect(
        Self.close(number.deviation + 1e-7, expected.deviations[place], 1e-13), "\(number.name)")
    }

    for (set, codes, values) in [
      (split.train, expected.trainCategories, expected.trainNumbers),
      (split.valid, expected.validCategories, expected.validNumbers),
    ] {
      let gotCodes = try Self.columns(set, input: 0, names: categories)
      for name in categories {
        let place = try #require(expected.categories.firstIndex(of: name))
        #expect(gotCodes[name] == codes.map { Double($0[place]) }, "\(name)")
      }
      let gotValues = try Self.columns(set, input: 1, names: numbers)
      for name in numbers {
        let place = try #require(expected.numbers.firstIndex(of: name))
        for (got, row) in zip(try #require(gotValues[name]), values) {
          #expect(Self.close(got, row[place], 1e-6), "\(name)")
        }
      }
    }
    let seen = split.notes.compactMap { note -> String? in
      if case .unseenCategories = note { "\(note)" } else { nil }
    }
    #expect(
      seen.map { $0.replacing(folder.path, with: "") } == [
        "1 cell of colour in /valid.csv holds what training hasn't seen, as \"violet\"; it counts as missing",
        "1 cell of letter in /valid.csv holds what training hasn't seen, as \"w\"; it counts as missing",
      ])
  }

  /// Rows whose held-out fifth alone has some values.
  @Test func `takes its figures from the training rows alone`() throws {
    let folder = try TemporaryFolder()
    func text(_ values: (Int) -> (String, String)) -> String {
      "name,size,y\n"
        + (0..<50).map { row in
          let (name, size) = values(row)
          return "\(name),\(size),\(row % 2 == 0 ? "a" : "b")\n"
        }.joined()
    }
    let plain = try folder.write(text { ("n\($0 % 3)", "\($0)") }, to: "plain.csv")
    let held = try #require(TableFile(plain, target: "y").split().valid as? Subset).indices
    #expect(held.count == 10)
    let changed = try folder.write(
      text { held.contains($0) ? ("other", $0 % 4 == 0 ? "" : "1e6") : ("n\($0 % 3)", "\($0)") },
      to: "changed.csv")
    let first = try #require(TableFile(plain, target: "y").split().train.preprocessing.table)
    let split = try TableFile(changed, target: "y").split()
    #expect(split.train.preprocessing.table == first)
    let notes = split.notes.map { "\($0)".replacing(folder.path, with: "") }
    #expect(
      notes.contains(
        "10 cells of name in /changed.csv hold what training hasn't seen, as \"other\"; they count as missing"
      ))
    let missing = held.count { $0 % 4 == 0 }
    #expect(missing > 1)
    #expect(
      notes.contains(
        "\(missing) cells of size in /changed.csv are missing, and none in training; the median of training stands for "
          + "them"))
  }

  @Test func `leaves out what says nothing, and names of rows unless they are asked for`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "id,constant,none,few,y\n"
        + (0..<30).map { "person\($0),7,,\($0 % 2 == 0 ? "u" : "v"),\($0 % 3 == 0 ? "a" : "b")\n" }
        .joined(),
      to: "t.csv")
    let split = try TableFile(path, target: "y").split(divides: false)
    let table = try #require(split.train.preprocessing.table)
    #expect(table.categories.map(\.name) == ["few"] && table.numbers.isEmpty)
    #expect(split.train.inputs.map(\.name) == ["categories"])
    #expect(
      split.notes.map { "\($0)" } == [
        "30 rows predict y, one of 2 classes (a, b), from 1 categories (few)",
        "left out: constant (every cell is the same), id (30 different texts in 30 cells, more names of rows than "
          + "categories), none (every cell is missing)",
      ])
    let forced = try TableFile(path, target: "y", categories: ["id"], ignored: ["few"]).split(
      divides: false)
    let names = try #require(forced.train.preprocessing.table).categories
    #expect(names.map(\.name) == ["id"] && names[0].values.count == 30)
  }

  @Test func `is known for other files, whose classes and columns must be there`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("x,y\n1,a\n2,b\n3,a\n4,b\n", to: "t.csv")
    let known = try #require(
      TableFile(path, target: "y").split(divides: false).train.preprocessing.table)
    let answers = try folder.write("z,x\n9,2.5\n", to: "new.csv")
    let inputs = try TableFile(answers, as: known).inputs()
    #expect(inputs.inputs.map(\.name) == ["numbers"] && inputs.notes.isEmpty)
    #expect(inputs.inputs[0].tensor.array(as: Float.self) == [0])
    for (text, message) in [
      ("z\n1\n", "there is no column x, expected one of z"),
      ("x\nfoo\n", "\"foo\" of x is no number, expected one, or a missing value"),
    ] {
      let other = try folder.write(text, to: "other.csv")
      let error = #expect(throws: DataError.self) { _ = try TableFile(other, as: known).inputs() }
      #expect(error?.description.contains(message) ?? false, "\(String(describing: error))")
    }
    let wrong = try folder.write("x,y\n1,a\n2,c\n", to: "wrong.csv")
    let error = #expect(throws: DataError.self) {
      _ = try TableFile(wrong, as: known).split(divides: false)
    }
    #expect(
      error?.description
        == "\(wrong), line 3, column 2: \"c\" of y is no class of training, expected one of a, b")
    let mixed = try TableFile(path, target: "y").split(divides: false)
    let doubled = try folder.write("x,y\n1,a\n2,b\n3,a\n8,b\n", to: "d.csv")
    let otherFigures = try TableFile(doubled, target: "y").split(divides: false)
    let refusal = #expect(throws: DataError.self) {
      _ = try otherFigures.prepared(by: mixed.train.preprocessing)
    }
    #expect(
      refusal?.description
        == "\(doubled) can't be preprocessed as requested: its columns became numbers by other figures than those of the "
        + "model; give other data, or choose another preprocessing")
  }
}
