import CrestData
import CrestImages
import Foundation
import ProcessSupport
import Testing

@Suite struct `Classes of photographs` {
  /// Six images in one folder, and a table.
  private static func photos(_ table: String) throws -> PhotoFolder {
    let photos = try PhotoFolder(
      (1...6).map { ("img/great_dane_\($0).png", "rgb.png") } + [("img/poodle_7.png", "l.png")])
    try Data(table.utf8).write(to: photos.folder["labels.csv"])
    return photos
  }

  private static func split(
    _ table: String, _ columns: (file: String?, label: String?, part: String?) = (nil, nil, nil),
    suffix: String = "", test: Bool = false
  ) throws -> DataSplit {
    let photos = try photos(table)
    return try ImageFolder(
      photos.path + "/img",
      labels: .table(
        .init(
          photos.path + "/labels.csv", fileColumn: columns.file, labelColumn: columns.label,
          partColumn: columns.part, suffix: suffix))
    ).split(divides: false, includingTest: test)
  }

  @Test(arguments: [
    // With names, in their order and in another; without.
    "file,label\ngreat_dane_2.png,b\ngreat_dane_1.png,a\npoodle_7.png,b\n",
    "extra,CLASS,Filename\n1,b,great_dane_2.png\n2,a,great_dane_1.png\n3,b,poodle_7.png\n",
    "great_dane_2.png,b\ngreat_dane_1.png,a\npoodle_7.png,b\n",
  ])
  func `come from a table, in its order`(table: String) throws {
    let split = try Self.split(table)
    #expect(split.train.target.classNames == ["a", "b"])
    #expect(split.train.labels == [1, 0, 1])
    #expect(split.notes.map { "\($0)" }.contains { $0.contains("4 × images that") })
  }

  @Test func `that are all numbers are in their order`() throws {
    let split = try Self.split(
      "file,label\ngreat_dane_1.png,10\ngreat_dane_2.png,2\ngreat_dane_3.png,-1\n")
    #expect(split.train.target.classNames == ["-1", "2", "10"])
  }

  @Test(arguments: ["part,train,val,test", "split,Training,valid,TEST"])
  func `come with parts`(names: String) throws {
    let names = names.split(separator: ",")
    let table =
      "\(names[0]),file,label\n\(names[1]),great_dane_1.png,a\n\(names[1]),poodle_7.png,b\n"
      + "\(names[2]),great_dane_2.png,a\n\(names[3]),great_dane_3.png,b\n"
    let split = try Self.split(table, test: true)
    #expect(split.train.count == 2 && split.valid.labels == [0] && split.test?.labels == [1])
    #expect(split.origin == .ownValidation)
    #expect(split.test?.preprocessing == split.train.preprocessing)
    #expect(
      try Self.split(table).notes.contains {
        "\($0)".hasSuffix("img (test) is not used in training")
      })
  }

  @Test func `come with a column that says what is for validation`() throws {
    let split = try Self.split(
      "id,is_valid,breed\ngreat_dane_1,0,a\npoodle_7,False,b\ngreat_dane_3,TRUE,b\n",
      suffix: ".png")
    #expect(split.train.count == 2 && split.valid.labels == [1])
  }

  static let refused: [(table: String, message: String)] = [
    ("", "labels.csv, line 1: it is empty, expected a line for each image"),
    (
      "file,label\n",
      "labels.csv, line 1: no image after this line; if it isn't the names of columns, file is no image"
    ),
    (
      "file,label\ngreat_dane_1.png,a\ngreat_dane_9.png,b\n",
      "labels.csv has 1 file that can't be used: (1) line 3: there is no file img/great_dane_9.png"
    ),
    (
      "file,label\ngreat_dane_1.png,a\ngreat_dane_1.png,b\n",
      "labels.csv, line 3: great_dane_1.png again, after line 2; keep one of them"
    ),
    ("file,label\ngreat_dane_1.png,\n", "labels.csv, line 2: no class for great_dane_1.png"),
    ("file,label\n,a\n", "labels.csv, line 2: no file"),
    (
      "file,label\n../labels.csv,a\n",
      "labels.csv, line 2: ../labels.csv lies outside of the folder; write paths in it"
    ),
    (
      "a,b,c\ngreat_dane_1.png,a,1\n",
      "labels.csv, line 1: it isn't clear which column holds the files of a, b, c; name the column"
    ),
    (
      "file,b,c\ngreat_dane_1.png,a,1\n",
      "labels.csv, line 1: it isn't clear which column holds the classes of file, b, c; name the column"
    ),
    (
      "file,label,part\ngreat_dane_1.png,a,later\n",
      "labels.csv, line 2: the part \"later\", expected train, valid or test"
    ),
    (
      "file,label,is_valid\ngreat_dane_1.png,a,train\n",
      "labels.csv, line 2: the part \"train\", expected true or false"
    ),
    (
      "file,label,part\ngreat_dane_1.png,a,test\n",
      "labels.csv, line 2: no image of the table is for training"
    ),
    (
      "file,label\ngreat_dane_1.png\n", "labels.csv, line 2: 1 cell, expected 2 as in the first row"
    ),
    (
      "file,label\ngreat_dane_1.png,a\n",
      "img holds a single class, \"a\"; at least two are needed to tell them apart"
    ),
  ]

  @Test(arguments: refused.indices) func `are refused with the line of the table`(row: Int) throws {
    let (table, message) = Self.refused[row]
    let photos = try Self.photos(table)
    let error = #expect(throws: (any Error).self) {
      _ = try ImageFolder(
        photos.path + "/img", labels: .table(.init(photos.path + "/labels.csv"))
      ).split(divides: false)
    }
    #expect(
      "\(try #require(error))".replacing(photos.path + "/", with: "") == message)
  }

  @Test func `of a column that is asked for must be there`() throws {
    let error = #expect(throws: ImageError.self) {
      _ = try Self.split("file,label\ngreat_dane_1.png,a\n", (nil, "race", nil))
    }
    #expect(
      "\(try #require(error))".hasSuffix(
        "labels.csv, line 1: there is no column race, expected one of file, label"))
    let none = #expect(throws: ImageError.self) {
      _ = try Self.split("great_dane_1.png,a\n", ("file", nil, nil))
    }
    #expect(
      "\(try #require(none))".hasSuffix(
        "labels.csv, line 1: a column file is asked for, but the first line is of an image and names none"
      ))
  }

  @Test func `come from the names of files`() throws {
    let photos = try Self.photos("")
    let split = try ImageFolder(photos.path + "/img", labels: .pattern(#"^(.+)_\d+\.png$"#))
      .split(divides: false)
    #expect(split.train.target.classNames == ["great_dane", "poodle"])
    #expect(split.train.labels == [0, 0, 0, 0, 0, 0, 1])
  }

  @Test func `come from the names of files in parts`() throws {
    let photos = try PhotoFolder([
      ("train/a_1.png", "l.png"), ("train/deep/b_1.png", "l.png"), ("valid/b_2.png", "l.png"),
      ("test/a_3.png", "l.png"),
    ])
    let split = try ImageFolder(photos.path, labels: .pattern("^([a-z])_"))
      .split(includingTest: true)
    #expect(split.train.labels == [0, 1] && split.valid.labels == [1] && split.test?.labels == [0])
  }

  @Test(arguments: [
    ("^(.+", "it is no regular expression"),
    (#"^.+_\d+"#, "it has no group in parentheses, which would be the class"),
    (#"^(great.+)_\d+"#, "1 of 7 names don't match it, as poodle_7.png"),
    (#"^(x?)"#, "7 of 7 names don't match it, as great_dane_1.png"),
  ])
  func `aren't given by a pattern that doesn't fit`(pattern: String, reason: String) throws {
    let photos = try Self.photos("")
    let error = #expect(throws: ImageError.self) {
      _ = try ImageFolder(photos.path + "/img", labels: .pattern(pattern)).split(divides: false)
    }
    #expect(
      "\(try #require(error))".hasPrefix("the pattern \(pattern) gives no classes: \(reason)"),
      "\(String(describing: error))")
  }

  @Test func `of a part for testing are there when asked for`() throws {
    let photos = try PhotoFolder([
      ("train/a/1.png", "l.png"), ("train/b/1.png", "l.png"), ("valid/a/2.png", "l.png"),
      ("test/b/3.png", "l.png"),
    ])
    let split = try ImageFolder(photos.path).split(includingTest: true)
    #expect(split.test?.labels == [1] && split.notes.count == 1)
    let without = try PhotoFolder.usual()
    let error = #expect(throws: ImageError.self) {
      _ = try ImageFolder(without.path).split(includingTest: true)
    }
    #expect(
      error?.description
        == "\(without.path) has no images for testing; put them in \(without.path)/test, or name them in the table's "
        + "part, or ask for none")
  }
}
