import CrestPlatform
package import CrestTensor

/// Mixes each example of a training batch with another of it, and their targets in the same proportion.
///
/// Labels become the rows of their probabilities, so that a loss of classes is λ · loss(own) + (1 - λ) · loss(other); labels and
/// values of yes and no, and other values, are mixed as numbers. The partners are a permutation of the batch. All that is drawn
/// depends on the seed, the epoch and the batch's number alone. Validation is left as it is.
public enum Mixing: Sendable, Hashable {
  /// Adds up two examples: x = λ · own + (1 - λ) · other, λ of each example from Beta(α, α), and the larger of λ and 1 - λ
  /// (fastai's `MixUp`, torchvision's `MixUp` with one λ a batch; Zhang and others 2017).
  case mixUp(alpha: Double = 0.4)
  /// Sets a rectangle of the other image into each, the same for a batch: λ from Beta(α, α), sides of √(1 - λ) of the image's about
  /// a uniform place, and λ then is the share that is left of the own image (fastai's and torchvision's `CutMix`; Yun and others
  /// 2019).
  case cutMix(alpha: Double = 1)

  /// As in `mixup(alpha 0.4)`.
  public var name: String {
    switch self {
    case .mixUp(let alpha): "mixup(alpha \(Preprocessing.short(alpha)))"
    case .cutMix(let alpha): "cutmix(alpha \(Preprocessing.short(alpha)))"
    }
  }

  var alpha: Double {
    switch self {
    case .mixUp(let alpha), .cutMix(let alpha): alpha
    }
  }

  /// Why examples of a set can't be mixed; nil if they can.
  func objection(to dataset: any Dataset) -> String? {
    if case .cutMix = self, dataset.inputs.count != 1 {
      return "it takes one input of images, and the set has \(dataset.inputs.count)"
    }
    for field in dataset.inputs {
      guard field.elementType == .float32 else {
        return "it mixes float32 inputs, and \(field.name) is \(field.elementType)"
      }
      guard case .cutMix = self else { continue }
      guard field.shape.rank == 3, Preprocessing.Layout(ofImages: field.shape) != .channelsLast
      else {
        return
          "it takes images with channels, rows and columns in this order, and \(field.name) is \(field.shape)"
      }
    }
    if case .classes(_, let shape) = dataset.target, shape.rank > 0 {
      return "it mixes one label an example, and the set's have the shape \(shape)"
    }
    if case .values(let shape) = dataset.target, shape.rank > 1 {
      return "it mixes one row of numbers an example, and the set's targets are \(shape)"
    }
    return nil
  }
}

/// The targets of mixed batches.
package enum MixedTargets: Sendable, Hashable {
  /// Probabilities of so many classes, of labels.
  case probabilities(count: Int)
  /// The labels themselves as numbers.
  case numbers
  /// The targets are numbers.
  case values

  /// The type and shape of an example's.
  package func shape(of target: Target) -> Shape {
    switch self {
    case .probabilities(let count): [count]
    case .numbers, .values: target.shape
    }
  }
}

/// What mixes the batches of a loader.
package struct BatchMixer: Sendable {
  let choices: [Mixing]
  let targets: MixedTargets

  /// Mixes a batch by numbers that are drawn for its place in an epoch.
  func mix(_ batch: inout Batch, seed: UInt64, epoch: Int) {
    var random = MixingRandom(seed: seed, epoch: epoch, batch: batch.index)
    let partners = random.permutation(batch.count)
    // Drawn also of a single one, so that what follows doesn't hang on their number.
    let choice = choices[random.integer(below: choices.count)]
    let kept: [Float]
    switch choice {
    case .mixUp(let alpha):
      kept = (0..<batch.count).map { _ in
        let share = random.beta(alpha)
        return Float(max(share, 1 - share))
      }
      for place in batch.inputs.indices {
        batch.inputs[place].mix(with: partners, keeping: kept)
      }
    case .cutMix(let alpha):
      let share = random.beta(alpha)
      let (across, down) = (random.uniform(), random.uniform())
      let shape = batch.inputs[0].shape
      let part = Self.part(
        height: shape[2], width: shape[3], share: share, across: across, down: down)
      batch.inputs[0].paste(part, of: partners)
      let left = 1 - Double(part.width * part.height) / Double(shape[2] * shape[3])
      kept = Array(repeating: Float(left), count: batch.count)
    }
    batch.targets = mixed(batch.targets, partners, kept)
  }

  /// fastai's rectangle of an image, of which a share is to be left.
  package static func part(
    height: Int, width: Int, share: Double, across: Double, down: Double
  ) -> ImagePart {
    let side = (1 - share).squareRoot()
    func range(_ count: Int, _ place: Double) -> Range<Int> {
      let size = Int((Double(count) * side).rounded(.toNearestOrEven))
      let middle = Int(Double(count) * place)
      return max(middle - size / 2, 0)..<max(min(middle + size / 2, count), 0)
    }
    let (columns, rows) = (range(width, across), range(height, down))
    return ImagePart(
      left: columns.lowerBound, top: rows.lowerBound, width: columns.count, height: rows.count)
  }

  private func mixed(_ stored: Tensor, _ partners: [Int], _ kept: [Float]) -> Tensor {
    guard case .probabilities(let count) = targets else {
      var numbers =
        stored.elementType == .float32
        ? stored : Tensor(stored.doubles.map { Float($0) }, shape: stored.shape)
      numbers.mix(with: partners, keeping: kept)
      return numbers
    }
    let labels = stored.array(as: Int64.self)
    var rows = Tensor(zeros: [labels.count, count])
    rows.withMutableElements(as: Float.self) { values in
      for (row, partner) in partners.enumerated() {
        values[row * count + Int(labels[row])] += kept[row]
        values[row * count + Int(labels[partner])] += 1 - kept[row]
      }
    }
    return rows
  }
}

extension Tensor {
  /// Calls `body` with each row and its partner as they were before, cycle by cycle of the permutation.
  private mutating func withPartners(
    _ partners: [Int],
    _ body: (
      _ row: Int, _ own: UnsafeMutableBufferPointer<Float>, _ other: UnsafeBufferPointer<Float>
    ) -> Void
  ) {
    let size = shape.elementCount / max(partners.count, 1)
    withMutableElements(as: Float.self) { values in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: max(size, 1)) { first in
        first.initialize(repeating: 0)
        func row(_ number: Int) -> UnsafeMutableBufferPointer<Float> {
          UnsafeMutableBufferPointer(rebasing: values[number * size..<(number + 1) * size])
        }
        var isDone = [Bool](repeating: false, count: partners.count)
        for start in partners.indices where !isDone[start] && partners[start] != start {
          _ = first.update(fromContentsOf: row(start))
          var place = start
          while partners[place] != start {
            body(place, row(place), UnsafeBufferPointer(row(partners[place])))
            isDone[place] = true
            place = partners[place]
          }
          body(place, row(place), UnsafeBufferPointer(rebasing: first[..<size]))
          isDone[place] = true
        }
      }
    }
  }

  fileprivate mutating func mix(with partners: [Int], keeping kept: [Float]) {
    withPartners(partners) { row, own, other in
      let (share, rest) = (kept[row], 1 - kept[row])
      for place in own.indices { own[place] = share * own[place] + rest * other[place] }
    }
  }

  fileprivate mutating func paste(_ part: ImagePart, of partners: [Int]) {
    let (channels, height, width) = (shape[1], shape[2], shape[3])
    withPartners(partners) { _, own, other in
      for channel in 0..<channels {
        for row in part.top..<part.top + part.height {
          let start = (channel * height + row) * width + part.left
          for place in start..<start + part.width { own[place] = other[place] }
        }
      }
    }
  }
}
