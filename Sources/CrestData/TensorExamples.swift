public import CrestTensor

/// Examples stored in tensors, one per row, used as they are unless a preprocessing is given.
public struct TensorExamples: Dataset {
  /// The name of the set.
  public let name: String
  /// The inputs of a model: `uint8` tensors as `float32`, others as they are, or preprocessed.
  public let inputs: [Field]
  /// The target.
  public let target: Target
  /// The number of examples.
  public let count: Int
  /// The preprocessing of the only input; none if there are several.
  public let preprocessing: Preprocessing
  private let inputTensors: [Tensor]
  private let targetTensor: Tensor
  private let preparations: [ExamplePreparation]

  /// Examples of named inputs and their targets.
  ///
  /// - Parameters:
  ///   - name: The name of the set.
  ///   - inputs: The name and the tensor of each input, examples along the first dimension.
  ///   - targets: `float32` values, or `int64` classes.
  ///   - classNames: The names of the classes, which `int64` targets need.
  ///   - preprocessing: The preprocessing of the only input, `float32` or `uint8`.
  /// - Precondition: all tensors have the same first size, `classNames` are given exactly when
  ///   targets are `int64`, each of which is an index into them, and the preprocessing fits the
  ///   examples.
  public init(
    name: String, inputs: [(name: String, tensor: Tensor)], targets: Tensor,
    classNames: [String]? = nil, preprocessing: Preprocessing = .identity
  ) {
    self.init(
      name: name, inputs: inputs, targets: targets, classNames: classNames,
      preprocessing: preprocessing, floatInputs: [])
  }

  /// As the public one, but provides the integers of `floatInputs`, all exact in `float32`, as
  /// `float32`.
  init(
    name: String, inputs: [(name: String, tensor: Tensor)], targets: Tensor,
    classNames: [String]?, preprocessing: Preprocessing, floatInputs: Set<String>
  ) {
    programmerError(
      unless: !inputs.isEmpty && targets.shape.rank > 0,
      "\(inputs.count) inputs and targets \(targets.shape); at least one input and one target for each "
        + "example")
    programmerError(
      unless: Set(inputs.map(\.name)).count == inputs.count,
      "inputs of one name: \(inputs.map(\.name))")
    count = targets.shape[0]
    for (inputName, tensor) in inputs {
      programmerError(
        unless: tensor.shape.first == count,
        "input \(inputName) is \(tensor.shape), for \(count) targets")
    }
    let targetShape = Shape(Array(targets.shape.dropFirst()))
    if let classNames {
      programmerError(
        unless: targets.elementType == .int64
          && targets.withElements(as: Int64.self) { labels in
            labels.allSatisfy { $0 >= 0 && $0 < classNames.count }
          }, "targets of type \(targets.elementType) must be int64 in 0 ..< \(classNames.count)")
      target = .classes(names: classNames, shape: targetShape)
    } else {
      programmerError(
        unless: targets.elementType == .float32,
        "targets without classes are float32, got \(targets.elementType)")
      target = .values(shape: targetShape)
    }
    self.name = name
    self.inputs = inputs.map { inputName, tensor in
      Field(
        name: inputName,
        elementType: tensor.elementType == .uint8 || floatInputs.contains(inputName)
          ? .float32 : tensor.elementType,
        shape: Shape(Array(tensor.shape.dropFirst())), storedType: tensor.elementType)
    }
    inputTensors = inputs.map(\.tensor)
    targetTensor = targets
    self.preprocessing = preprocessing
    do throws(DataError) {
      preparations = try Self.preparations(preprocessing, of: self.inputs, name: name)
    } catch {
      programmerError("\(error)")
    }
  }

  private init(_ other: TensorExamples, preparedBy preprocessing: Preprocessing) throws(DataError) {
    preparations = try Self.preparations(preprocessing, of: other.inputs, name: other.name)
    self.preprocessing = preprocessing
    (name, inputs, target, count) = (other.name, other.inputs, other.target, other.count)
    (inputTensors, targetTensor) = (other.inputTensors, other.targetTensor)
  }

  /// The preprocessing of each input.
  private static func preparations(
    _ preprocessing: Preprocessing, of inputs: [Field], name: String
  ) throws(DataError) -> [ExamplePreparation] {
    func unsuitable(_ reason: String) -> DataError {
      .unsuitablePreprocessing(name: name, reason: reason)
    }
    if !preprocessing.isIdentity {
      guard inputs.count == 1 else {
        throw unsuitable("it is for one input, and there are \(inputs.count)")
      }
      guard inputs[0].elementType == .float32 else {
        throw unsuitable(
          "it is for numbers that become float32, and \"\(inputs[0].name)\" is "
            + "\(inputs[0].elementType)")
      }
    }
    do throws(PreprocessingError) {
      return try inputs.map { (input) throws(PreprocessingError) in
        try ExamplePreparation(preprocessing, input.shape)
      }
    } catch {
      throw unsuitable("\(error)")
    }
  }

  /// The same examples with other preprocessing.
  ///
  /// - Throws: ``DataError/unsuitablePreprocessing(name:reason:)`` if there are several inputs, or
  ///   the only one is neither `float32` nor `uint8` or has other channels.
  public func prepared(by preprocessing: Preprocessing) throws(DataError) -> any Dataset {
    guard preprocessing.isSame(as: self.preprocessing) || self.preprocessing.table == nil else {
      throw .otherTable(name: name)
    }
    return try TensorExamples(self, preparedBy: preprocessing)
  }

  /// The same examples with the images of the only input rearranged, copied.
  ///
  /// - Throws: ``DataError/unsuitableShape(name:stored:wanted:)`` when `shape` isn't a
  ///   rearrangement of their axes.
  public func rearranged(to shape: Shape) throws(DataError) -> any Dataset {
    guard inputs.count == 1, inputs[0].shape != shape else {
      if inputs.count == 1 { return self }
      throw .unsuitableShape(name: name, stored: inputs[0].shape, wanted: shape)
    }
    guard let arrangement = ImageArrangement(from: inputs[0].shape, to: shape) else {
      throw .unsuitableShape(name: name, stored: inputs[0].shape, wanted: shape)
    }
    return TensorExamples(
      name: name, inputs: [(inputs[0].name, arrangement.applied(to: inputTensors[0]))],
      targets: targetTensor, classNames: target.classNames,
      preprocessing: arrangement.applied(to: preprocessing),
      floatInputs: inputs[0].elementType == .float32 ? [inputs[0].name] : [])
  }

  private init(_ other: TensorExamples, tensors: [Tensor], types: [ElementType]) throws(DataError) {
    inputs = zip(other.inputs, types).map { field, type in
      Field(
        name: field.name, elementType: type, shape: field.shape, storedType: field.storedType)
    }
    (name, target, count) = (other.name, other.target, other.count)
    (inputTensors, targetTensor) = (tensors, other.targetTensor)
    // Only float32 inputs are normalised.
    let isFloat = types.allSatisfy { $0 == .float32 }
    // How the columns of a table became numbers stays true.
    preprocessing =
      isFloat || other.preprocessing.isIdentity ? other.preprocessing : .identity
    preparations =
      isFloat ? other.preparations : try Self.preparations(.identity, of: inputs, name: name)
  }

  /// The same examples in other types: as stored if that is the type; otherwise integers as other
  /// integers or as `float32`, and floats as other floats.
  ///
  /// - Throws: ``DataError/inexactElement(name:input:example:value:expected:)`` for a number that
  ///   the other type can't represent.
  public func converted(to types: [ElementType]) throws(DataError) -> any Dataset {
    programmerError(
      unless: types.count == inputs.count,
      "\(types.count) types for the \(inputs.count) inputs of \(name)")
    var tensors: [Tensor] = []
    var results: [ElementType] = []
    for (field, (tensor, type)) in zip(inputs, zip(inputTensors, types)) {
      do throws(InexactElement) {
        if type == field.elementType {
          tensors.append(tensor)
        } else if type == .float32, let numbers = try tensor.wholeNumbersForFloat() {
          // They become floats when a batch is made, which takes a fraction of the memory.
          tensors.append(numbers)
        } else {
          // Inputs that are float32 only for training may be used as stored.
          tensors.append(try tensor.converted(to: type))
        }
        results.append(type)
      } catch {
        guard let index = error.index else {
          tensors.append(tensor)
          results.append(field.elementType)
          continue
        }
        throw .inexactElement(
          name: name, input: field.name, example: index / Swift.max(field.shape.elementCount, 1),
          value: error.value, expected: type)
      }
    }
    return try TensorExamples(self, tensors: tensors, types: results)
  }

  /// The tensors, except inputs of bytes, which can't hold unusual numbers.
  var stored: StoredNumbers {
    StoredNumbers(
      name: name,
      inputs: Dictionary(
        uniqueKeysWithValues: inputTensors.enumerated()
          .filter { place, tensor in
            tensor.elementType != .uint8 || inputs[place].elementType != .float32
          }
          .map { ($0.offset, $0.element) }), allTargets: targetTensor, rows: nil)
  }

  /// The same examples with integer targets of 0 and 1 as probabilities.
  var givingProbabilities: TensorExamples {
    TensorExamples(
      self, targets: Tensor(rounding: targetTensor.doubles, to: .float32, shape: targetTensor.shape)
    )
  }

  private init(_ other: TensorExamples, targets: Tensor) {
    (name, inputs, count) = (other.name, other.inputs, other.count)
    (inputTensors, targetTensor) = (other.inputTensors, targets)
    (preprocessing, preparations) = (other.preprocessing, other.preparations)
    target = .values(shape: other.target.shape)
  }

  /// The class of every example, if each has one.
  public var labels: [Int64]? {
    guard target.classNames != nil, target.shape.rank == 0 else { return nil }
    return targetTensor.array(as: Int64.self)
  }

  /// A hash of names, types, shapes and values.
  public var fingerprint: String {
    var hash = Fingerprint()
    for (field, tensor) in zip(inputs, inputTensors) {
      hash.add("\(field.name) \(tensor.typeDescription)")
      tensor.withUnsafeBytes { hash.add($0) }
    }
    hash.add("\(targetTensor.typeDescription)")
    targetTensor.withUnsafeBytes { hash.add($0) }
    return hash.text
  }

  /// Writes rows of the tensors into the first rows of `batch`.
  public func write(_ examples: ArraySlice<Int>, into batch: inout Batch) {
    batch.require(examples.count, of: self)
    for (position, tensor) in inputTensors.enumerated() {
      if tensor.elementType == inputs[position].elementType,
        tensor.elementType != .float32 || preprocessing.isIdentity
      {
        TensorExamples.copyRows(examples, of: tensor, to: &batch.inputs[position])
        continue
      }
      guard let type = tensor.elementType.preparableElement else {
        programmerError("\(inputs[position]) of a tensor \(tensor.typeDescription)")
      }
      TensorExamples.prepareRows(
        examples, of: tensor, as: type, by: preparations[position], to: &batch.inputs[position])
    }
    TensorExamples.copyRows(examples, of: targetTensor, to: &batch.targets)
  }

  private static func copyRows(
    _ examples: ArraySlice<Int>, of tensor: Tensor, to output: inout Tensor
  ) {
    let count = tensor.shape[0]
    let size = count == 0 ? 0 : tensor.byteCount / count
    tensor.withUnsafeBytes { source in
      output.withUnsafeMutableBytes { destination in
        for (row, example) in examples.enumerated() {
          programmerError(unless: example >= 0 && example < count, "example \(example) of \(count)")
          UnsafeMutableRawBufferPointer(rebasing: destination[row * size..<(row + 1) * size])
            .copyMemory(
              from: UnsafeRawBufferPointer(
                rebasing: source[example * size..<(example + 1) * size]))
        }
      }
    }
  }

  private static func prepareRows<Element: PreparableElement>(
    _ examples: ArraySlice<Int>, of tensor: Tensor, as type: Element.Type,
    by preparation: ExamplePreparation, to output: inout Tensor
  ) {
    let count = tensor.shape[0]
    let size = count == 0 ? 0 : tensor.elementCount / count
    tensor.withElements(as: type) { source in
      output.withMutableElements(as: Float.self) { destination in
        for (row, example) in examples.enumerated() {
          programmerError(unless: example >= 0 && example < count, "example \(example) of \(count)")
          type.prepare(
            UnsafeBufferPointer(rebasing: source[example * size..<(example + 1) * size]),
            by: preparation,
            to: UnsafeMutableBufferPointer(rebasing: destination[row * size..<(row + 1) * size]))
        }
      }
    }
  }
}
