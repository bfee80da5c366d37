public import CrestTensor

extension DataSplit {
  /// A data set in numbers: sizes, classes, and statistics of its values.
  ///
  /// It reads every example once; `crest data info` prints it.
  public struct Description: Sendable, Hashable, Encodable {
    /// One of the two parts.
    public struct Part: Sendable, Hashable, Encodable {
      /// The number of examples.
      public let count: Int
      /// The number of examples of each class, in the order of the classes; nil unless each example
      /// has one class.
      public let classCounts: [Int]?
      /// ``Dataset/fingerprint``.
      public let fingerprint: String
    }

    /// One input or the target, over the training examples.
    public struct Values: Sendable, Hashable, Encodable {
      /// Its name.
      public let name: String
      /// The type of its elements.
      public let elementType: ElementType
      /// The shape of one example.
      public let shape: Shape
      /// The mean per channel of images if the sizes of the axes show the channels, otherwise over
      /// everything; nil unless `float32`.
      ///
      /// Values are divided by the preprocessing's divisor but not yet normalised.
      public let mean: [Double]?
      /// The standard deviation (of the population), like ``mean``.
      public let standardDeviation: [Double]?
      /// How many values are NaN or infinite; the statistics leave them out.
      public let nonFiniteCount: Int
    }

    /// The set's name.
    public let name: String
    /// The training part.
    public let train: Part
    /// The validation part.
    public let valid: Part
    /// Where the validation part comes from.
    public let origin: DataSplit.Origin
    /// ``DataSplit/drawnFraction``.
    public let drawnFraction: Double?
    /// The inputs of a model.
    public let inputs: [Values]
    /// The targets.
    public let target: Values
    /// The names of the classes; nil for values.
    public let classNames: [String]?
    /// The preprocessing of stored values.
    public let preprocessing: Preprocessing
    /// ``DataSplit/notes``, in words.
    public let notes: [String]

    /// Describes both parts of a set.
    ///
    /// - Throws: Whatever the set throws when its examples are read.
    public init(describing split: DataSplit) throws {
      let dataset = split.train
      name = dataset.name
      origin = split.origin
      drawnFraction = split.drawnFraction
      preprocessing = dataset.preprocessing
      notes = split.notes.map(\.description)
      classNames = dataset.target.classNames
      train = Part(describing: dataset)
      valid = Part(describing: split.valid)

      var inputMoments = dataset.inputs.map { field in
        field.elementType == .float32
          ? Moments(shape: field.shape, layout: Self.layout(of: field, in: dataset)) : nil
      }
      var targetMoments =
        classNames == nil
        ? Moments(shape: dataset.target.shape, layout: .init(ofImages: dataset.target.shape)) : nil
      let order = Array(0..<dataset.count)
      for start in stride(from: 0, to: order.count, by: 256) {
        let examples = order[start..<Swift.min(start + 256, order.count)]
        let batch = try dataset.batch(of: examples)
        for (position, tensor) in batch.inputs.enumerated() { inputMoments[position]?.add(tensor) }
        targetMoments?.add(batch.targets)
      }
      inputs = zip(dataset.inputs, inputMoments).map { field, moments in
        Values(field, moments, dataset.preprocessing)
      }
      let targetField = Field(
        name: "target", elementType: dataset.target.elementType, shape: dataset.target.shape)
      target = Values(targetField, targetMoments, .identity)
    }

    /// The layout of an input's channels; nil if it has none.
    private static func layout(of field: Field, in dataset: any Dataset) -> Preprocessing.Layout? {
      let preprocessing = dataset.preprocessing
      return preprocessing.mean.isEmpty ? .init(ofImages: field.shape) : preprocessing.layout
    }
  }
}

extension DataSplit.Description.Part {
  fileprivate init(describing dataset: any Dataset) {
    count = dataset.count
    fingerprint = dataset.fingerprint
    guard let labels = dataset.checkedLabels, let names = dataset.target.classNames else {
      classCounts = nil
      return
    }
    var counts = [Int](repeating: 0, count: names.count)
    for (place, label) in labels.enumerated() {
      programmerError(
        unless: names.indices.contains(Int(label)),
        "label \(place) of \(dataset.name) is \(label), not in 0 ..< \(names.count)")
      counts[Int(label)] += 1
    }
    classCounts = counts
  }
}

extension DataSplit.Description.Values {
  fileprivate init(_ field: Field, _ moments: Moments?, _ preprocessing: Preprocessing) {
    name = field.name
    elementType = field.elementType
    shape = field.shape
    nonFiniteCount = moments?.nonFiniteCount ?? 0
    mean = moments?.channels.enumerated().map { channel, moment in
      preprocessing.scaledStored(moment.mean, channel: channel)
    }
    standardDeviation = moments?.channels.enumerated().map { channel, moment in
      let deviation = (moment.squares / Double(Swift.max(moment.count, 1))).squareRoot()
      return preprocessing.mean.isEmpty
        ? deviation : deviation * preprocessing.standardDeviation[channel]
    }
  }
}

/// Mean and sum of squared distances from it, per channel, merged batch by batch (Chan, Golub,
/// LeVeque 1979), because plain sums of squares lose the deviation of values far from zero.
private struct Moments {
  var channels: [(count: Int, mean: Double, squares: Double)]
  var nonFiniteCount = 0
  /// How many values of one channel are contiguous.
  private let runLength: Int

  init(shape: Shape, layout: Preprocessing.Layout?) {
    let channelCount =
      switch layout {
      case .channelsFirst: shape.first ?? 1
      case .channelsLast: shape.last ?? 1
      case .asStored, nil: 1
      }
    channels = Array(repeating: (0, 0, 0), count: channelCount)
    runLength =
      channelCount == 0
      ? 0 : layout == .channelsLast && channelCount > 1 ? 1 : shape.elementCount / channelCount
  }

  mutating func add(_ tensor: Tensor) {
    guard runLength > 0 else { return }
    tensor.withElements(as: Float.self) { values in
      for channel in channels.indices { add(values, channel) }
    }
  }

  private mutating func add(_ values: UnsafeBufferPointer<Float>, _ channel: Int) {
    let runs = stride(
      from: channel * runLength, to: values.count, by: channels.count * runLength)
    var (count, sum) = (0, 0.0)
    for start in runs {
      for index in start..<start + runLength {
        if values[index].isFinite {
          count += 1
          sum += Double(values[index])
        } else {
          nonFiniteCount += 1
        }
      }
    }
    guard count > 0 else { return }
    let mean = sum / Double(count)
    var squares = 0.0
    for start in runs {
      for index in start..<start + runLength where values[index].isFinite {
        let distance = Double(values[index]) - mean
        squares += distance * distance
      }
    }
    let before = channels[channel]
    let total = before.count + count
    let distance = mean - before.mean
    channels[channel] = (
      total, before.mean + distance * Double(count) / Double(total),
      before.squares + squares
        + distance * distance * Double(before.count) * Double(count) / Double(total)
    )
  }
}
