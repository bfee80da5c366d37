public import CrestTensor

/// Examples that lie in tensors, one a row, used as they are.
public struct TensorExamples: Dataset {
  /// What the set is called.
  public let name: String
  /// What a model gets: `uint8` tensors as `float32` of the same values, others as they are.
  public let inputs: [Field]
  /// What a model should answer.
  public let target: Target
  /// The number of examples.
  public let count: Int
  private let inputTensors: [Tensor]
  private let targetTensor: Tensor

  /// Examples of named inputs and their targets.
  ///
  /// - Parameters:
  ///   - name: What the set is called.
  ///   - inputs: The name and the tensor of each input, examples along the first dimension.
  ///   - targets: `float32` values, or `int64` classes.
  ///   - classNames: The names of the classes, which `int64` targets need.
  /// - Precondition: all tensors have the same first size, and `classNames` are given exactly when
  ///   targets are `int64`, each of which is an index into them.
  public init(
    name: String, inputs: [(name: String, tensor: Tensor)], targets: Tensor,
    classNames: [String]? = nil
  ) {
    precondition(!inputs.isEmpty && targets.shape.rank > 0, "no inputs, or a scalar target")
    count = targets.shape[0]
    for (inputName, tensor) in inputs {
      precondition(
        tensor.shape.first == count,
        "input \(inputName) is \(tensor.shape), for \(count) targets")
    }
    let targetShape = Shape(Array(targets.shape.dropFirst()))
    if let classNames {
      precondition(
        targets.elementType == .int64
          && targets.withElements(as: Int64.self) { labels in
            labels.allSatisfy { $0 >= 0 && $0 < classNames.count }
          }, "targets of type \(targets.elementType) must be int64 in 0 ..< \(classNames.count)")
      target = .classes(names: classNames, shape: targetShape)
    } else {
      precondition(
        targets.elementType == .float32, "targets without classes are \(targets.elementType)")
      target = .values(shape: targetShape)
    }
    self.name = name
    self.inputs = inputs.map { inputName, tensor in
      Field(
        name: inputName, elementType: tensor.elementType == .uint8 ? .float32 : tensor.elementType,
        shape: Shape(Array(tensor.shape.dropFirst())))
    }
    inputTensors = inputs.map(\.tensor)
    targetTensor = targets
  }

  private init(_ other: TensorExamples, tensors: [Tensor], types: [ElementType]) {
    inputs = zip(other.inputs, types).map { field, type in
      Field(name: field.name, elementType: type, shape: field.shape)
    }
    (name, target, count) = (other.name, other.target, other.count)
    (inputTensors, targetTensor) = (tensors, other.targetTensor)
  }

  /// The same examples in other types: as they are stored where that is the type, else whole numbers as other
  /// whole numbers and floats as other floats.
  ///
  /// - Throws: ``DataError/inexactElement(name:input:index:value:expected:)`` for a number that the other type
  ///   doesn't have.
  public func converted(to types: [ElementType]) throws(DataError) -> any Dataset {
    var tensors: [Tensor] = []
    var results: [ElementType] = []
    for (field, (tensor, type)) in zip(inputs, zip(inputTensors, types)) {
      do throws(InexactElement) {
        // What is float32 only for training may be taken as it is stored.
        tensors.append(type == field.elementType ? tensor : try tensor.converted(to: type))
        results.append(type)
      } catch {
        guard let index = error.index else {
          tensors.append(tensor)
          results.append(field.elementType)
          continue
        }
        throw .inexactElement(
          name: name, input: field.name, index: index, value: error.value, expected: type)
      }
    }
    return TensorExamples(self, tensors: tensors, types: results)
  }

  /// ``Preprocessing/none``.
  public var preprocessing: Preprocessing { .none }

  /// The class of every example, when there is one each.
  public var labels: [Int64]? {
    guard target.classNames != nil, target.shape.rank == 0 else { return nil }
    return targetTensor.array(as: Int64.self)
  }

  /// A hash of names, types, shapes and values.
  public var fingerprint: String {
    var hash = Fingerprint()
    for (field, tensor) in zip(inputs, inputTensors) {
      hash.add("\(field.name) \(tensor)")
      tensor.withUnsafeBytes { hash.add($0) }
    }
    hash.add("\(targetTensor)")
    targetTensor.withUnsafeBytes { hash.add($0) }
    return hash.text
  }

  /// Writes rows of the tensors into the first rows of `batch`.
  public func write(_ examples: ArraySlice<Int>, into batch: inout Batch) {
    for (position, tensor) in inputTensors.enumerated() {
      if tensor.elementType != inputs[position].elementType {
        TensorExamples.convertRows(examples, of: tensor, to: &batch.inputs[position])
      } else {
        TensorExamples.copyRows(examples, of: tensor, to: &batch.inputs[position])
      }
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
          precondition(example >= 0 && example < count, "example \(example) of \(count)")
          UnsafeMutableRawBufferPointer(rebasing: destination[row * size..<(row + 1) * size])
            .copyMemory(
              from: UnsafeRawBufferPointer(
                rebasing: source[example * size..<(example + 1) * size]))
        }
      }
    }
  }

  private static func convertRows(
    _ examples: ArraySlice<Int>, of tensor: Tensor, to output: inout Tensor
  ) {
    let count = tensor.shape[0]
    let size = count == 0 ? 0 : tensor.byteCount / count
    tensor.withElements(as: UInt8.self) { source in
      output.withMutableElements(as: Float.self) { destination in
        for (row, example) in examples.enumerated() {
          precondition(example >= 0 && example < count, "example \(example) of \(count)")
          for index in 0..<size {
            destination[row * size + index] = Float(source[example * size + index])
          }
        }
      }
    }
  }
}
