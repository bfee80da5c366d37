public import CrestTensor

/// A set of examples from which batches are made.
///
/// A value that several threads can read at once. A ``DataLoader`` handles the order of examples,
/// augmentation and batches.
public protocol Dataset: Sendable {
  /// The name of the set in messages and logs.
  var name: String { get }
  /// The number of examples.
  var count: Int { get }
  /// The inputs of a model, in the order of ``Batch/inputs``.
  var inputs: [Field] { get }
  /// The target.
  var target: Target { get }
  /// The preprocessing that ``write(_:into:)`` applies to the stored values.
  var preprocessing: Preprocessing { get }
  /// The class of every example, if the target is one class per example; otherwise nil.
  var labels: [Int64]? { get }
  /// A hash of all examples, as in `xxh64:44bc2cf5ad770999`, to detect whether a set has changed.
  ///
  /// It reads every byte, at some gigabytes a second, and does not protect against forgery.
  var fingerprint: String { get }

  /// Writes examples into the first rows of `batch`, in the order of `examples`.
  ///
  /// - Parameters:
  ///   - examples: Indices in `0 ..< count`, as many as the batch has rows.
  ///   - batch: Tensors of the shapes and element types that ``inputs`` and ``target`` describe.
  /// - Throws: Whatever keeps the set from providing an example; the caller of the training loop
  ///   gets it.
  func write(_ examples: ArraySlice<Int>, into batch: inout Batch) throws

  /// The same examples with other preprocessing.
  ///
  /// - Throws: ``DataError/unsuitablePreprocessing(name:reason:)`` when the set can't be prepared so.
  func prepared(by preprocessing: Preprocessing) throws(DataError) -> any Dataset

  /// The same examples with the images of the only input rearranged: channels first to last, last
  /// to first, or with an additional axis for one channel.
  ///
  /// - Throws: ``DataError/unsuitableShape(name:stored:wanted:)`` when `shape` is none of these.
  func rearranged(to shape: Shape) throws(DataError) -> any Dataset

  /// The same examples in the element types that a model takes, if these represent every number
  /// exactly.
  ///
  /// - Parameter types: A type for each of the ``inputs``.
  /// - Returns: A set whose inputs have these types, or their own where numbers aren't converted.
  /// - Throws: ``DataError/inexactElement(name:input:example:value:expected:)``.
  func converted(to types: [ElementType]) throws(DataError) -> any Dataset
}

extension Dataset {
  /// The type's name.
  public var name: String { String(describing: Self.self) }

  /// None: values are provided as they are stored.
  public var preprocessing: Preprocessing { .identity }

  /// The targets from ``write(_:into:)``, if the target is one class per example; otherwise, or if
  /// the set can't provide an example, nil.
  public var labels: [Int64]? {
    guard case .classes(_, let shape) = target, shape.rank == 0 else { return nil }
    var labels: [Int64] = []
    let isWhole = forEachBatch { batch in labels += batch.targets.array(as: Int64.self) }
    return isWhole ? labels : nil
  }

  /// A hash of the examples from ``write(_:into:)``.
  public var fingerprint: String {
    var hash = Fingerprint()
    hash.add("\(inputs) \(target)")
    let isWhole = forEachBatch { batch in
      for tensor in batch.inputs + [batch.targets] { tensor.withUnsafeBytes { hash.add($0) } }
    }
    if !isWhole { hash.add("unreadable") }
    return hash.text
  }

  /// A batch of examples, in which the set has left every tensor as it says.
  ///
  /// - Throws: What ``write(_:into:)`` throws.
  package func batch(of examples: ArraySlice<Int>) throws -> Batch {
    var batch = Batch(zerosFor: self, count: examples.count)
    try write(examples, into: &batch)
    batch.require(examples.count, of: self)
    return batch
  }

  /// The labels, which must be as many as there are examples.
  package var checkedLabels: [Int64]? {
    let labels = labels
    programmerError(
      unless: labels.map { $0.count == count } ?? true,
      "\(labels?.count ?? 0) labels for the \(count) examples of \(name)")
    return labels
  }

  /// Calls `body` with all examples in order, some at a time; false if the set can't provide one.
  private func forEachBatch(_ body: (Batch) -> Void) -> Bool {
    for start in stride(from: 0, to: count, by: 64) {
      guard let batch = try? batch(of: Array(start..<min(start + 64, count))[...]) else {
        return false
      }
      body(batch)
    }
    return true
  }

  /// The set itself if it already has this preprocessing; other preprocessing needs an
  /// implementation.
  public func prepared(by preprocessing: Preprocessing) throws(DataError) -> any Dataset {
    guard preprocessing.isSame(as: self.preprocessing) else {
      throw .unsuitablePreprocessing(
        name: name,
        reason: "the set can't be preprocessed in another way than \(self.preprocessing), got "
          + "\(preprocessing)")
    }
    return self
  }

  /// The set itself if its examples have the shape; other shapes need an implementation.
  public func rearranged(to shape: Shape) throws(DataError) -> any Dataset {
    let stored = inputs.first?.shape ?? []
    guard inputs.count == 1, stored == shape else {
      throw .unsuitableShape(name: name, stored: stored, wanted: shape)
    }
    return self
  }
}

/// One input of a model as a data set provides it.
public struct Field: Sendable, Hashable {
  /// Its name, by which a set with several inputs matches those of a model.
  public let name: String
  /// The type of its elements in a batch.
  public let elementType: ElementType
  /// The shape of one example; a batch has its number of examples in front.
  public let shape: Shape
  /// The type in which the set stores the elements.
  public let storedType: ElementType

  /// An input called `name` with `shape` per example, stored in another type if one is given.
  public init(
    name: String, elementType: ElementType, shape: Shape, storedType: ElementType? = nil
  ) {
    self.name = name
    self.elementType = elementType
    self.shape = shape
    self.storedType = storedType ?? elementType
  }
}

/// The target of an example.
public enum Target: Sendable, Hashable {
  /// Classes, as `int64` indices into `names`: one per example (`shape` is `[]`) or several.
  case classes(names: [String], shape: Shape)
  /// `float32` numbers: values to predict, or probabilities.
  case values(shape: Shape)

  /// The shape for one example; a batch has its number of examples in front.
  public var shape: Shape {
    switch self {
    case .classes(_, let shape), .values(let shape): shape
    }
  }

  /// The type of the elements in a batch.
  public var elementType: ElementType {
    switch self {
    case .classes: .int64
    case .values: .float32
    }
  }

  /// The names of the classes; nil for values.
  public var classNames: [String]? {
    switch self {
    case .classes(let names, _): names
    case .values: nil
    }
  }
}

/// A batch of examples, ready for a model.
public struct Batch: Sendable {
  /// The position in its epoch, from 0.
  public package(set) var index: Int
  /// The number of examples.
  public let count: Int
  /// One tensor for each of the set's inputs, in their order, each with `count` in front of the
  /// example's shape.
  public var inputs: [Tensor]
  /// The targets, with `count` in front of the target's shape.
  public var targets: Tensor

  /// A batch of zeros with room for `count` examples of `dataset`.
  public init(zerosFor dataset: some Dataset, count: Int, index: Int = 0) {
    self.index = index
    self.count = count
    inputs = dataset.inputs.map { field in
      Tensor(zeros: Shape([count] + field.shape.dimensions), elementType: field.elementType)
    }
    let target = dataset.target
    targets = Tensor(
      zeros: Shape([count] + target.shape.dimensions), elementType: target.elementType)
  }

  /// Makes the targets those that `dataset` writes, whatever mixing made of them.
  mutating func forgetTargets(of dataset: any Dataset) {
    let target = dataset.target
    let shape = Shape([count] + target.shape.dimensions)
    guard targets.shape != shape || targets.elementType != target.elementType else { return }
    targets = Tensor(zeros: shape, elementType: target.elementType)
  }

  /// Ends the program unless the batch has room for examples of a data set, as many as there are, and is of its types.
  func require(_ exampleCount: Int, of dataset: any Dataset) {
    programmerError(
      unless: exampleCount <= count,
      "\(exampleCount) examples of \(dataset.name) into a batch of \(count)")
    let fields = dataset.inputs
    programmerError(
      unless: inputs.count == fields.count,
      "\(inputs.count) inputs of the batch for the \(fields.count) of \(dataset.name)")
    for (field, tensor) in zip(fields, inputs) {
      let shape = Shape([count] + field.shape.dimensions)
      programmerError(
        unless: tensor.shape == shape && tensor.elementType == field.elementType,
        "input \(field.name) of the batch is \(tensor.typeDescription), not \(field.elementType) \(shape)"
      )
    }
    let shape = Shape([count] + dataset.target.shape.dimensions)
    let type = dataset.target.elementType
    programmerError(
      unless: targets.shape == shape && targets.elementType == type,
      "the targets of the batch are \(targets.typeDescription), not \(type) \(shape)")
  }
}
