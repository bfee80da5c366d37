import CrestData
import ProcessSupport
import Testing

@Suite struct DataSourceTests {
  static let kinds =
    "train-images-idx3-ubyte[.gz] (MNIST and its like), data_batch_1.bin (CIFAR-10's binary version), "
    + "fine_label_names.txt (CIFAR-100's binary version) or train-x.npy or train-x.NAME.npy (NumPy arrays)"

  @Test func `a built-in name is the set itself`() throws {
    #expect(try DataSource("digits").format == nil)
    #expect(try DataSource("digits").load().train.name == "digits (train)")
  }

  @Test func `an unknown name lists what there is`() {
    let error = DataError.unknownSource("digit", builtIn: ["digits"])
    #expect(throws: error) { try DataSource("digit") }
    #expect(
      "\(error)"
        == "there is no data set and no folder \"digit\"; give one of digits, or the path of a folder "
        + "of \(DataSourceTests.kinds)")
  }

  @Test func `a file is no data set`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("x", to: "train-x.npy")
    #expect(throws: DataError.notAFolder(path: path)) { try DataSource(path) }
  }

  @Test func `a folder of something else lists what was looked for`() throws {
    let folder = try TemporaryFolder()
    try folder.write("x", to: "readme.txt")
    let error = DataError.unrecognisedFolder(path: folder.path)
    #expect(throws: error) { try DataSource(folder.path) }
    #expect(
      "\(error)"
        == "\(folder.path) holds no known data set; looked for \(DataSourceTests.kinds)")
  }

  @Test func `a folder of two sets is ambiguous`() throws {
    let folder = try TemporaryFolder()
    try folder.write("x", to: "train-x.npy")
    try folder.write("x", to: "test_batch.bin")
    #expect(
      throws: DataError.ambiguousFolder(
        path: folder.path, found: ["test_batch.bin", "train-x.npy"])
    ) { try DataSource(folder.path) }
  }
}
