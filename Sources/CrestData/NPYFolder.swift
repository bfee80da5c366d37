import CrestFiles
import CrestTensor

/// A folder of NumPy arrays: `train-x.npy` and `train-y.npy`, and for validation `valid-x.npy` and
/// `valid-y.npy`.
///
/// Several inputs are `train-x.NAME.npy`, in ascending order of their names. The first dimension of
/// each array is the examples. Floats become `float32` and are never normalised. Images of bytes (a
/// single `uint8` input of [N, H, W], [N, C, H, W] or [N, H, W, C]) are divided by 255 and
/// normalised by the mean and standard deviation of `train-x.npy`, like images from other sources;
/// other bytes become `float32` with the same values. Other types are kept, but unsigned integers
/// of 16 bits become `int32`, those of 32 and 64 bits `int64`. Float targets are values; integer or
/// boolean targets, also in a column [N, 1], are classes from 0 to the largest in `train-y.npy`.
package struct NPYFolder: Sendable {
  /// The folder's path.
  package let path: String

  /// The folder at `path`.
  package init(path: String) {
    self.path = path
  }

  /// More classes than this count as a mistake: values to predict are floats.
  package static let classLimit = 1 << 20

  /// The arrays called `train` and `valid`; without the latter, a fifth of the former is held out.
  ///
  /// - Parameter divides: Whether a fifth is held out; if not, validation uses the training
  ///   examples.
  /// - Returns: Both parts.
  /// - Throws: ``DataError``.
  package func split(divides: Bool = true) throws(DataError) -> DataSplit {
    let names = try fileNames(inFolder: path)
    var train = try part("train", names)
    let classNames = try train.makeClassNames()
    var valid: Part?
    if names.contains(where: { $0.hasPrefix("valid-") && $0.hasSuffix(".npy") }) {
      var part = try part("valid", names)
      try check(part, against: train, classCount: classNames?.count)
      // Both parts must have the same form.
      train.floatInputs.formIntersection(part.floatInputs)
      part.floatInputs = train.floatInputs
      valid = part
    }
    let (preprocessing, notes) = train.preparation
    func dataset(_ part: Part, _ name: String) -> TensorExamples {
      TensorExamples(
        name: name, inputs: part.inputs, targets: part.targets, classNames: classNames,
        preprocessing: preprocessing, floatInputs: part.floatInputs)
    }
    let trainSet = dataset(train, path)
    var split =
      if let valid {
        DataSplit(train: trainSet, valid: dataset(valid, path + " (validation)"))
      } else if divides {
        try DataSplit(dividing: trainSet)
      } else {
        DataSplit(measuringOn: trainSet)
      }
    let unread = names.filter { name in
      name.hasSuffix(".npy")
        && ["val-", "validation-", "test-"].contains { name.hasPrefix($0) }
    }
    split.notes = notes + (unread.isEmpty ? [] : [.unreadParts(names: unread.sorted())])
    return split
  }

  /// The arrays of one part.
  private struct Part {
    var inputs: [(name: String, tensor: Tensor)]
    var inputPaths: [String]
    var targets: Tensor
    var targetsPath: String
    var areBooleans: Bool
    var areColumn: Bool
    /// The integer inputs that are provided as `float32`.
    var floatInputs: Set<String>

    /// The preprocessing of the inputs, and the notes on it and on the labels.
    var preparation: (Preprocessing, [DataSplit.Note]) {
      var preprocessing = Preprocessing.identity
      var notes: [DataSplit.Note] = []
      for (name, tensor) in inputs where tensor.elementType == .uint8 {
        let isImage = inputs.count == 1 && (3...4).contains(tensor.shape.rank)
        if isImage, tensor.elementCount > 0 {
          preprocessing = Preprocessing(normalizingImages: tensor)
          notes.append(.byteImages(input: name))
        } else {
          notes.append(
            .bytesAsStored(input: name, shape: Shape(Array(tensor.shape.dropFirst()))))
        }
      }
      notes += floatInputs.sorted().map { .integersAsFloats(input: $0) }
      if areColumn { notes.append(.columnLabels(path: targetsPath)) }
      return (preprocessing, notes)
    }

    /// Names for classes; nil for values.
    func makeClassNames() throws(DataError) -> [String]? {
      guard targets.elementType == .int64 else { return nil }
      if areBooleans { return ["false", "true"] }
      if let (index, label) = firstLabel(where: { $0 >= NPYFolder.classLimit }) {
        throw .tooManyClasses(
          path: targetsPath, index: index, label: label, limit: NPYFolder.classLimit)
      }
      if let (index, label) = firstLabel(where: { $0 < 0 }) {
        throw .negativeLabel(path: targetsPath, index: index, label: label)
      }
      let largest = targets.withElements(as: Int64.self) { $0.max() } ?? 0
      return (0...largest).map(String.init)
    }

    func checkLabels(below classCount: Int) throws(DataError) {
      if let (index, label) = firstLabel(where: { $0 < 0 || $0 >= classCount }) {
        throw label < 0
          ? .negativeLabel(path: targetsPath, index: index, label: label)
          : .labelOutOfRange(
            path: targetsPath, index: index, label: label, classCount: classCount)
      }
    }

    private func firstLabel(where isWrong: (Int64) -> Bool) -> (index: Int, label: Int64)? {
      targets.withElements(as: Int64.self) { labels in
        labels.firstIndex(where: isWrong).map { ($0, labels[$0]) }
      }
    }
  }

  private func part(_ prefix: String, _ names: [String]) throws(DataError) -> Part {
    let nameless = "\(prefix)-x.npy"
    let named = names.filter {
      $0.hasPrefix("\(prefix)-x.") && $0.hasSuffix(".npy") && $0 != nameless
    }
    if names.contains(nameless), !named.isEmpty {
      throw .mixedInputs(path: path, nameless: nameless, named: named)
    }
    var inputs: [(name: String, tensor: Tensor)] = []
    var floatInputs: Set<String> = []
    let inputNames = named.isEmpty ? [nameless] : named
    for fileName in inputNames {
      let filePath = FilePath.join(path, fileName)
      let name =
        fileName == nameless
        ? "x" : String(fileName.dropFirst("\(prefix)-x.".count).dropLast(".npy".count))
      let (tensor, isWidened) = try TensorFile.readExamples(filePath)
      inputs.append((name, try tensor.asInput(path: filePath)))
      if isWidened, tensor.isExactInFloat { floatInputs.insert(name) }
    }
    let targetsPath = FilePath.join(path, "\(prefix)-y.npy")
    let stored = try TensorFile.readExamples(targetsPath).tensor
    var targets = try stored.asTarget(path: targetsPath)
    // The form of Keras's data sets and of a table's column.
    let areColumn = targets.elementType == .int64 && Array(targets.shape.dropFirst()) == [1]
    if areColumn { targets = Tensor(targets.array(as: Int64.self)) }
    let inputPaths = inputNames.map { FilePath.join(path, $0) }
    for (inputPath, input) in zip(inputPaths, inputs)
    where input.tensor.shape[0] != targets.shape[0] {
      throw .countMismatch(
        path: inputPath, count: input.tensor.shape[0], otherPath: targetsPath,
        otherCount: targets.shape[0])
    }
    // Such a file could claim any number of examples.
    for (inputPath, (_, tensor)) in zip(inputPaths, inputs)
    where tensor.shape[0] > 0 && tensor.elementCount == 0 {
      throw .emptyExamples(
        path: inputPath, count: tensor.shape[0], shape: Shape(Array(tensor.shape.dropFirst())))
    }
    return Part(
      inputs: inputs, inputPaths: inputPaths, targets: targets, targetsPath: targetsPath,
      areBooleans: stored.elementType == .bool, areColumn: areColumn,
      floatInputs: floatInputs)
  }

  private func check(
    _ valid: Part, against train: Part, classCount: Int?
  ) throws(DataError) {
    for (path, input) in zip(train.inputPaths, train.inputs)
    where !valid.inputs.contains(where: { $0.name == input.name }) {
      let fileName = path.split(separator: "/").last.map { String($0.dropFirst("train".count)) }
      throw .missingFile(path: FilePath.join(self.path, "valid" + (fileName ?? "-x.npy")))
    }
    for (path, input) in zip(valid.inputPaths, valid.inputs) {
      guard let position = train.inputs.firstIndex(where: { $0.name == input.name }) else {
        let fileName = path.split(separator: "/").last.map { String($0.dropFirst("valid".count)) }
        throw .missingFile(path: FilePath.join(self.path, "train" + (fileName ?? "-x.npy")))
      }
      try checkExamples(
        input.tensor, path, against: train.inputs[position].tensor, train.inputPaths[position])
    }
    try checkExamples(valid.targets, valid.targetsPath, against: train.targets, train.targetsPath)
    if let classCount { try valid.checkLabels(below: classCount) }
  }

  private func checkExamples(
    _ tensor: Tensor, _ path: String, against other: Tensor, _ otherPath: String
  ) throws(DataError) {
    let (example, otherExample) = (describeExample(tensor), describeExample(other))
    guard example == otherExample else {
      throw .exampleMismatch(
        path: path, example: example, otherPath: otherPath, otherExample: otherExample)
    }
  }

  private func describeExample(_ tensor: Tensor) -> String {
    "\(tensor.elementType) \(Shape(Array(tensor.shape.dropFirst())))"
  }
}

extension NPYFolder: FolderFormat {
  package static var example: String { "train-x.npy or train-x.NAME.npy (NumPy arrays)" }
  package static var summary: String { "a folder of train-x.npy and train-y.npy" }

  package static func has(_ name: String) -> Bool {
    name.hasSuffix(".npy")
      && ["train-x.", "train-y.", "valid-x.", "valid-y."].contains { name.hasPrefix($0) }
  }
}
