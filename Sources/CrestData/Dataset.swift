public import CrestTensor

/// A set of examples in memory that batches are made from.
///
/// A value that can be read from several threads at once: the order of examples, augmentation and
/// batches are the business of a ``DataLoader``.
public protocol Dataset: Sendable {
  /// What the set is called in messages and logs.
  var name: String { get }
  /// The number of examples.
  var count: Int { get }
  /// What a model gets, in the order of ``Batch/inputs``.
  var inputs: [Field] { get }
  /// What a model should answer.
  var target: Target { get }
  /// What ``write(_:into:)`` does to the stored values before a model sees them.
  var preprocessing: Preprocessing { get }
  /// The class of every example, when the target is one class an example; nil otherwise.
  var labels: [Int64]? { get }
  /// A hash of all examples, as in `xxh64:44bc2cf5ad770999`, to tell whether a set is the same later.
  ///
  /// It reads every byte, some gigabytes a second, and is no defence against forgery.
  var fingerprint: String { get }

  /// Writes examples into the first rows of `batch`, in the order of `examples`.
  ///
  /// - Parameters:
  ///   - examples: Indices in `0 ..< count`, as many as the batch has rows.
  ///   - batch: Tensors of the shapes and element types that ``inputs`` and ``target`` describe.
  /// - Throws: Whatever stops the set from giving an example; the loop's caller gets it.
  func write(_ examples: ArraySlice<Int>, into batch: inout Batch) throws

  /// The same examples, prepared by `preprocessing` in place of the set's own.
  ///
  /// - Throws: ``DataError/unsuitablePreprocessing(name:reason:)`` when the set can't be prepared so.
  func prepared(by preprocessing: Preprocessing) throws(DataError) -> any Dataset

  /// The same examples with the images of the only input in another order of axes: channels first for last,
  /// or last for first, or with an axis of one channel more.
  ///
  /// - Throws: ``DataError/unsuitableShape(name:stored:wanted:)`` when `shape` is none of these.
  func rearranged(to shape: Shape) throws(DataError) -> any Dataset

  /// The same examples in element types that a model takes, as far as these have every number exactly.
  ///
  /// - Parameter types: A type for each of the ``inputs``.
  /// - Returns: A set whose inputs are of these types, or of their own where numbers aren't converted.
  /// - Throws: ``DataError/inexactElement(name:input:example:value:expected:)``.
  func converted(to types: [ElementType]) throws(DataError) -> any Dataset
}

extension Dataset {
  /// The type's name.
  public var name: String { String(describing: Self.self) }

  /// None: numbers are given as they are stored.
  public var preprocessing: Preprocessing { .identity }

  /// What ``write(_:into:)`` gives, when the target is one class an example; nil otherwise, or when the set
  /// can't give an example.
  public var labels: [Int64]? {
    guard case .classes(_, let shape) = target, shape.rank == 0 else { return nil }
    var labels: [Int64] = []
    let isWhole = forEachBatch { batch in labels += batch.targets.array(as: Int64.self) }
    return isWhole ? labels : nil
  }

  /// A hash of what ``write(_:into:)`` gives, example by example.
  public var fingerprint: String {
    var hash = Fingerprint()
    hash.add("\(inputs) \(target)")
    let isWhole = forEachBatch { batch in
      for tensor in batch.inputs + [batch.targets] { tensor.withUnsafeBytes { hash.add($0) } }
    }
    if !isWhole { hash.add("unreadable") }
    return hash.text
  }

  /// Calls `body` with all examples in order, some at a time; false when the set can't give one.
  private func forEachBatch(_ body: (Batch) -> Void) -> Bool {
    for start in stride(from: 0, to: count, by: 64) {
      let examples = Array(start..<min(start + 64, count))
      var batch = Batch(zerosFor: self, count: examples.count)
      guard (try? write(examples[...], into: &batch)) != nil else { return false }
      body(batch)
    }
    return true
  }

  /// The set itself when it is prepared so already; others can't be prepared in another way unless they say
  /// how.
  public func prepared(by preprocessing: Preprocessing) throws(DataError) -> any Dataset {
    guard preprocessing.isSame(as: self.preprocessing) else {
      throw .unsuitablePreprocessing(
        name: name,
        reason: "the set can't be prepared in another way than \(self.preprocessing), got "
          + "\(preprocessing)")
    }
    return self
  }

  /// The set itself when its examples have the shape; others can't be rearranged unless they say how.
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
  /// Its name, by which sets with several inputs match a model's.
  public let name: String
  /// The type of its elements in a batch.
  public let elementType: ElementType
  /// The shape of one example; a batch has its count in front.
  public let shape: Shape
  /// The type in which the set holds the elements.
  public let storedType: ElementType

  /// An input called `name` of `shape` for each example, held in another type if one is given.
  public init(
    name: String, elementType: ElementType, shape: Shape, storedType: ElementType? = nil
  ) {
    self.name = name
    self.elementType = elementType
    self.shape = shape
    self.storedType = storedType ?? elementType
  }
}

/// What a model should answer to an example.
public enum Target: Sendable, Hashable {
  /// Classes, as `int64` indices into `names`: one an example (`shape` is `[]`) or several.
  case classes(names: [String], shape: Shape)
  /// `float32` numbers: values to come near to, or probabilities.
  case values(shape: Shape)

  /// The shape for one example; a batch has its count in front.
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

/// Some examples side by side, ready for a model.
public struct Batch: Sendable {
  /// The position in its epoch, from 0.
  public package(set) var index: Int
  /// The number of examples.
  public let count: Int
  /// One tensor for each of the set's inputs, in their order, each with `count` in front of the
  /// example's shape.
  public var inputs: [Tensor]
  /// The answers, with `count` in front of the target's shape.
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
}
